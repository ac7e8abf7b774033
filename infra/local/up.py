"""Starts a stack and deploys into it, or ends it; the order of things."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from infra.local import (
    access_log,
    application,
    aws,
    build,
    edge,
    edge_certificate,
    emulator,
    function_certificates,
    gateway_responses,
    name_server,
    openbao,
    properties,
    stack_file,
    vault,
    warming,
)
from infra.local.api import API
from infra.local.ports import Ports
from infra.local.progress import StepFailed, say, step, wait_until
from infra.local.stack import ROOT, Stack

MAIL_FROM = "no-reply@platforma.test"
PEERS = "127.77.0.0/16"
"""Loopback addresses that functions may call like public ones: others' servers of a test listen there, and nothing else."""
TEMPLATES = {
    "platforma-state": ROOT / "infra" / "state.yaml",
    "platforma": ROOT / "template.yaml",
    "platforma-observability": ROOT / "infra" / "observability.yaml",
}


def up(home: Path, ports: Ports | None = None) -> dict[str, Any]:
    """
    Have the stack of *home* running and deployed as this checkout says; what its stack.json holds.

    Data that is there is kept. Raises:
        StepFailed: something could not be done; what was started stays up for a look, until `down`.
    """
    stack = Stack(Path(home).resolve(), ports or Ports())
    with alone(stack):
        building = build.Build(stack)
        try:
            return _up(stack, building)
        finally:
            building.abandon()


def _up(stack: Stack, building: build.Build) -> dict[str, Any]:
    with step("OpenBao"):
        openbao.start(stack)
    with step("MiniStack"):
        emulator.start(stack)
    with step("Vault's mounts, policies, roles and keys") as remark:
        operator, made = vault.set_up(stack)
        remark(f"{len(made)} made" if made else "as they were")
        vault.ensure_authority(stack, operator, name_server.start(stack))
        vault.ensure_edge_certificate(stack, operator)
        vault.ensure_service_certificate(stack, operator)
    with step("Caddy"):
        edge.start(stack)
    build.ensure_uploads(stack)
    with step("stack platforma-state") as remark:
        remark(_said(build.deploy(stack, "platforma-state", TEMPLATES["platforma-state"], state_parameters())))
    aws.client("ses", stack.aws_url).verify_email_identity(EmailAddress=MAIL_FROM)
    with step("functions' Vault certificates") as remark:
        remark(f"{function_certificates.ensure(stack, operator)} issued")
    with step("functions and layers built (beside the above)") as remark:
        template = building.template()
        remark("anew" if building.process else "unchanged")
    with step("stack platforma") as remark:
        remark(_said(build.deploy(stack, "platforma", template, parameters(stack), built_from=building.digest)))
    with warming.begun(stack) as warmed:
        with step("stack platforma-observability") as remark:
            there = TEMPLATES["platforma-observability"]
            remark(_said(build.deploy(stack, "platforma-observability", there, {"RunsOn": "emulator"})))
        with step("properties that the emulator dropped") as remark:
            remark(f"{properties.put(stack, TEMPLATES) + gateway_responses.put(stack)} put by API")
        access_log.start(stack)
        with step("functions warm (beside the above)") as remark:
            remark(f"{warmed()} woken")
    with step("platform client, tenant, admin, service client, API key"):
        api = API(stack.url, stack.ca_file)
        with closing(api.client):
            credentials = application.set_up(stack, api)
    with step("edge's certificate from the authority") as remark:
        api = API(stack.url, stack.ca_file)
        with closing(api.client):
            remark(edge_certificate.ensure(stack, api, application.platform_token(api, credentials)))
    token = vault.reader_token(operator, stack_file.read(stack).get("vault", {}).get("token"))
    operator.adapter.close()
    content = stack_file.write(stack, vault_token=token, credentials=credentials)
    emulator.save(stack)
    return content


def _said(changed: bool) -> str:
    return "deployed" if changed else "unchanged"


def state_parameters() -> dict[str, str]:
    """What infra/state.yaml is told of this machine; PLATFORMA_KEY_PROVIDER=kms has tenants' keys kept by KMS."""
    return {"RunsOn": "emulator", "KeyProvider": os.environ.get("PLATFORMA_KEY_PROVIDER", "vault")}


def parameters(stack: Stack) -> dict[str, str]:
    """What template.yaml is told of this machine."""
    return {
        **state_parameters(),
        **build.target(),
        "DomainName": edge.API_DOMAIN,
        "Url": stack.url,
        "InternalUrl": stack.internal_url,
        "ClientCertificateHeader": edge.CERTIFICATE_HEADER,
        "VaultAddress": stack.vault_addr,
        "AcmeDirectory": vault.acme_directory(stack),
        "AcmeCaFile": str(stack.ca_file),
        "DnsZoneIds": ",".join(name_server.ensure_zones(stack)),
        "EdgeAdminSocket": str(edge.admin_socket(stack.home)),
        "EdgeCertificates": str(stack.certificates),
        "MailFrom": MAIL_FROM,
        "FetchNetworks": PEERS,
        "FetchCaFile": str(stack.ca_file),
    }


def down(home: Path, *, forget: bool = False) -> list[str]:
    """
    End what `up` started in *home*; with *forget*, its data as well. The names of the servers that ran.

    Raises:
        StepFailed: another command is at work on this stack.
    """
    stack = Stack(Path(home).resolve(), Ports())
    if not stack.home.exists():
        return []
    with alone(stack):
        servers = [access_log.server(stack), edge.server(stack), name_server.server(stack)]
        servers += [emulator.server(stack), openbao.server(stack)]
        ended = [server.name for server in servers if server.stop(seconds=30)]
        if forget:
            shutil.rmtree(stack.home)
    return ended


@contextmanager
def alone(stack: Stack, patience: float = 180) -> Iterator[None]:
    """
    Keep other commands away from this stack meanwhile, and wait for one that is at work.

    The lock goes with the process, however it ends, and with the builds and deployments that it started: those of a killed
    command come to their end before the next one begins.

    Raises:
        StepFailed: one has been at work on it all the time.
    """
    stack.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (stack.home / "lock").open("w") as lock:
        if not _locked(lock):
            say(f"another command is at work on {stack.home}: waiting for it")
            if not wait_until(lambda: _locked(lock), patience, pause=0.2):
                raise StepFailed(
                    f"another command is at work on {stack.home}", remedy="wait for it, or choose another PLATFORMA_HOME"
                )
        os.set_inheritable(lock.fileno(), True)
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
