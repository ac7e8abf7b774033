"""Starts a stack and deploys into it, or ends it; the order of things."""

import fcntl
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local import (
    access_log,
    application,
    aws,
    build,
    edge,
    emulator,
    function_certificates,
    gateway_responses,
    openbao,
    properties,
    stack_file,
    vault,
)
from infra.local.api import API
from infra.local.ports import Ports
from infra.local.progress import StepFailed, step
from infra.local.stack import ROOT, STACKS, Stack

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
        vault.ensure_edge_certificate(stack, operator)
        vault.ensure_service_certificate(stack, operator)
    with step("Caddy"):
        edge.start(stack)
    build.ensure_uploads(stack)
    with step("stack platforma-state"):
        build.deploy(stack, "platforma-state", TEMPLATES["platforma-state"], {"RunsOn": "emulator"})
    with step("functions' Vault certificates") as remark:
        remark(f"{function_certificates.ensure(stack, operator)} issued")
    with step("functions and layers built (beside the above)"):
        template = building.template()
    with step("stack platforma"):
        build.deploy(stack, "platforma", template, parameters(stack))
    with step("stack platforma-observability"):
        build.deploy(stack, "platforma-observability", TEMPLATES["platforma-observability"], {"RunsOn": "emulator"})
    with step("properties that the emulator dropped") as remark:
        remark(f"{properties.put(stack, TEMPLATES) + gateway_responses.put(stack)} put by API")
    access_log.start(stack)
    with step("platform client, tenant, admin, service client, API key"):
        credentials = application.set_up(stack, API(stack.url, stack.ca_file))
    token = vault.reader_token(operator, stack_file.read(stack).get("vault", {}).get("token"))
    content = stack_file.write(stack, vault_token=token, credentials=credentials)
    emulator.save(stack)
    return content


def parameters(stack: Stack) -> dict[str, str]:
    """What template.yaml is told of this machine."""
    return {
        "RunsOn": "emulator",
        "Runtime": f"python3.{min(sys.version_info.minor, 14)}",
        "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
        "DomainName": edge.API_DOMAIN,
        "Url": stack.url,
        "InternalUrl": stack.internal_url,
        "VaultAddress": stack.vault_addr,
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
        servers = [access_log.server(stack), edge.server(stack), emulator.server(stack), openbao.server(stack)]
        ended = [server.name for server in servers if server.stop(seconds=30)]
        if forget:
            shutil.rmtree(stack.home)
    return ended


@contextmanager
def alone(stack: Stack) -> Iterator[None]:
    """
    Keep other commands away from this stack meanwhile; the lock goes with the process, however it ends.

    Raises:
        StepFailed: one is at work on it already.
    """
    stack.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (stack.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StepFailed(
                f"another command is at work on {stack.home}", remedy="wait for it, or choose another PLATFORMA_HOME"
            ) from error
        yield


def deployed(stack: Stack) -> dict[str, str | None]:
    """The status of each CloudFormation stack."""
    return {name: aws.status_of(stack, name) for name in STACKS}
