"""The local stack's side of Vault: applies infra/vault, fetches the certificates and the token that the stack hands out."""

from dataclasses import dataclass
from typing import Any

import hvac.exceptions
from cryptography import x509

from infra.local import edge, openbao
from infra.local.certificates import Pair, is_fresh, write_private
from infra.local.progress import StepFailed
from infra.local.stack import Stack
from infra.vault import apply

PUBLIC = "public"
"""The role that stands for a public CA: its directory speaks ACME."""
PUBLIC_ROLE = {
    "client_flag": False,
    "server_flag": True,
    "allow_any_name": True,
    "allow_ip_sans": False,
    "require_cn": False,
    "key_type": "any",
    "ttl": "2160h",
    "max_ttl": "2160h",
    "not_before_duration": "60s",
    "no_store": False,
}
SERVICE_ROLE = "local-service"
"""The role of the certificate that stack.json names: it works for as long as the stack is up, however long that is."""
EDGE_NAMES = {"alt_names": "localhost", "ip_sans": "127.0.0.1,::1"}
SERVICE = "local-service"
SERVICE_LIFETIME = "2160h"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its intermediate, its key, and the root it leads to; all PEM."""

    certificate: str
    private_key: str
    ca: str


def set_up(stack: Stack) -> tuple[Any, list[str]]:
    """
    Apply infra/vault; the operator's client and what had to be made.

    Raises:
        StepFailed: Vault refused something.
    """
    operator, root = openbao.operator_pair(stack), openbao.root_pair(stack)
    try:
        vault = apply.sign_in(stack.vault_addr, ca=stack.ca_file, certificate=operator.certificate, key=operator.key)
        # The operator's own policy lives in Vault since its first start; today's text comes first.
        setup = apply.Setup(vault, root_bundle=root.key.read_text() + root.certificate.read_text())
        changed = setup.run()
        write_private(edge.roots(stack), "".join(setup.roots().values()))
    except hvac.exceptions.VaultError as error:
        raise StepFailed(f"setting Vault up: {error}", log=openbao.server(stack).log) from error
    openbao.set_up_mark(stack).touch(mode=0o600)
    return vault, changed


def issue(vault: Any, role: str, request: dict[str, str]) -> Issued:
    """A new certificate of a PKI role."""
    answer = vault.write_data(f"pki/issue/{role}", data=request | {"private_key_format": "pkcs8"})["data"]
    intermediate, *above = answer["ca_chain"]
    root = above[-1] if above else vault.read("pki-root/cert/ca")["data"]["certificate"]
    return Issued(f"{answer['certificate']}\n{intermediate}\n", f"{answer['private_key']}\n", f"{root}\n")


def issue_function(vault: Any, function: str) -> Issued:
    """A function's client certificate: its role's name, which Vault calls it by, and the URI that the role is bound to."""
    named = {"common_name": apply.role_of(function), "exclude_cn_from_sans": "true"}
    return issue(vault, "function", named | {"uri_sans": apply.FUNCTION_URI + function})


def is_good(certificate: str) -> bool:
    """Whether more than half of a PEM certificate's life remains."""
    try:
        return is_fresh(x509.load_pem_x509_certificate(certificate.encode()))
    except ValueError:
        return False


def acme_directory(stack: Stack) -> str:
    """Where certificates are ordered from (RFC 8555 section 7.1.1)."""
    return f"{stack.vault_addr}/v1/pki/roles/{PUBLIC}/acme/directory"


def ensure_authority(stack: Stack, vault: Any, resolver: str) -> None:
    """Have Vault's PKI speak ACME, asking *resolver* for what proves a name."""
    vault.write_data("pki/config/cluster", data={"path": f"{stack.vault_addr}/v1/pki"})
    vault.write_data(f"pki/roles/{PUBLIC}", data=PUBLIC_ROLE)
    acme = {
        "enabled": True,
        "dns_resolver": resolver,
        "default_directory_policy": "forbid",
        "allowed_roles": [PUBLIC],
        "eab_policy": "not-required",
    }
    vault.write_data("pki/config/acme", data=acme)


def ensure_edge_certificate(stack: Stack, vault: Any) -> None:
    """What both listeners show until the authority's certificate is there, or where that ended while nothing ran."""
    pair = edge.certificate(stack)
    if not pair.is_good():
        issued = issue(vault, "edge", EDGE_NAMES)
        pair.write(issued.certificate, issued.private_key)


def service_pair(stack: Stack) -> Pair:
    """The client certificate that stack.json names: service principal `local-service`."""
    return Pair(stack.home / "client.pem", stack.home / "client-key.pem")


def ensure_service_certificate(stack: Stack, vault: Any) -> None:
    """Have it, good for a month at least."""
    pair = service_pair(stack)
    if not pair.is_fresh():
        role = apply.table("pki_roles")["service"] | {"ttl": SERVICE_LIFETIME, "max_ttl": SERVICE_LIFETIME}
        vault.write_data(f"pki/roles/{SERVICE_ROLE}", data=role)
        named = {"common_name": SERVICE, "uri_sans": f"spiffe://platforma/service/{SERVICE}"}
        issued = issue(vault, SERVICE_ROLE, named)
        pair.write(issued.certificate, issued.private_key)


def reader_token(vault: Any, known: str | None) -> str:
    """A token that reads everything: the one already handed out, renewed, or a new one."""
    if known:
        try:
            vault.write_data("auth/token/renew", data={"token": known})
        except hvac.exceptions.VaultError:
            pass
        else:
            return known
    return str(vault.write_data("auth/token/create/reader", data={})["auth"]["client_token"])
