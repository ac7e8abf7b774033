"""
The deployed log, witnessed: checkpoints offered over https, and cosigned by the function for a second account, beside it.

That function has a URL over plain http in the emulator, and only https is called: a peer stands before it and hands on.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import aws, build
from infra.local.ports import Ports
from infra.local.stack import ROOT, Stack
from platforma.audit.cosignature import WitnessKey, parse_name, parse_witness_key, witnessed
from platforma.audit.note import parse_checkpoint, parse_key, text_of, verify
from tests.integration.conftest import Running
from tests.integration.test_audit_log import until
from tests.peer import Peer, serving

PATH = "/v1/audit/witnesses"
NAME = "witness.example/audit"


@pytest.fixture(scope="module")
def log_id(running: Running) -> str:
    return str(running.stack["tenant"]["id"])


@pytest.fixture(scope="module")
def keys(running: Running, token: str, log_id: str) -> list[str]:
    """The verifier keys of the tenant's log, once it has a checkpoint."""

    def told() -> list[str] | None:
        found = running.call("GET", f"/audit/{log_id}/keys", token=token)
        return list(found.json()["keys"]) if found.status_code == 200 else None

    return list(until(told, "the log's keys"))


@pytest.fixture(scope="module")
def witness(running: Running, keys: list[str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The function's name; of its layers the third parties are those that were built for the system itself."""
    stack = Stack(running.home, Ports(aws=int(running.stack["aws"]["endpoint_url"].rpartition(":")[2])))
    text = (ROOT / "infra" / "witness.yaml").read_text()
    built = running.home / "build" / "platforma" / "RuntimeLayer"
    for given, place in (
        ("../layers/core", ROOT / "layers" / "core"),
        ("../layers/runtime", built),
        ("CodeUri: witness", f"CodeUri: {ROOT / 'infra' / 'witness'}"),
    ):
        assert given in text
        text = text.replace(given, str(place))
    template = Path(tmp_path_factory.mktemp("witness")) / "witness.yaml"
    template.write_text(text)
    parameters = {**build.target(), "WitnessName": NAME, "LogKeys": ",".join(keys)}
    build.ensure_uploads(stack)
    build.deploy(stack, "platforma-witness", template, parameters)
    return str(aws.outputs_of(stack, "platforma-witness")["Function"])


def ask(running: Running, function: str, body: bytes = b"", *, method: str = "POST") -> tuple[int, bytes]:
    """What the function answers to a request to its URL."""
    path = "/add-checkpoint" if method == "POST" else "/"
    event = {
        "rawPath": path,
        "requestContext": {"http": {"method": method}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    answer = running.aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    told = json.loads(payload)
    return int(told["statusCode"]), str(told["body"]).encode()


@pytest.fixture(scope="module")
def verifier(running: Running, witness: str) -> WitnessKey:
    return parse_witness_key(ask(running, witness, method="GET")[1].decode())


@pytest.fixture(scope="module")
def peer(running: Running, witness: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with serving(running, tmp_path_factory.mktemp("peer")) as made:
        made.reply = lambda body: ask(running, witness, body)
        yield made


def offer(running: Running) -> None:
    """What the schedule does every minute; where that does it just now, both do the same."""
    event = json.dumps({"source": "schedule", "job": "witnesses"}).encode()
    answer = running.aws("lambda").invoke(FunctionName=running.output["ExportFunction"], Payload=event)
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload


def test_checkpoints_are_cosigned_in_a_second_account_and_the_cosignatures_are_locked(
    running: Running, token: str, log_id: str, keys: list[str], verifier: WitnessKey, peer: Peer
):
    asked = {"verifier_key": str(verifier), "url": peer.url}
    chosen = running.call("POST", PATH, token=token, json=asked)
    assert chosen.status_code == 201, chosen.text
    where = f"{PATH}/{chosen.json()['id']}"

    def cosigned() -> dict[str, Any] | None:
        offer(running)
        health = running.call("GET", where, token=token).json()["health"]
        assert health["status"] in ("new", "healthy"), health
        return dict(health["logs"][0]) if health["logs"][0]["cosigned_size"] else None

    size = until(cosigned, "a cosignature")["cosigned_size"]
    assert running.call("DELETE", where, token=token, headers={"If-Match": "*"}).status_code == 204

    s3, bucket = running.aws("s3"), running.output["AuditBucket"]
    held = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=f"{log_id}/cosignatures/")["Contents"]]
    names = {parsed.size: name for name in held if (parsed := parse_name(name)) and parsed.witness == verifier.label}
    kept = s3.get_object(Bucket=bucket, Key=names[size])
    note = kept["Body"].read()
    assert list(witnessed(note, [verifier])) == [verifier]
    assert verify(note, [parse_key(key) for key in keys]).size == size
    checkpoint = s3.head_object(Bucket=bucket, Key=f"{log_id}/checkpoints/{size:020d}")
    assert kept["ObjectLockMode"] == checkpoint["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] >= checkpoint["ObjectLockRetainUntilDate"]
    shown = running.call("GET", f"/audit/{log_id}/checkpoint", token=token).content
    assert parse_checkpoint(text_of(shown)).size >= size


def test_what_the_log_did_not_sign_is_not_cosigned(running: Running, witness: str, log_id: str, token: str):
    signed = running.call("GET", f"/audit/{log_id}/checkpoint", token=token).content
    origin, size, root, *rest = signed.decode().split("\n")
    forged = "\n".join([origin, str(int(size) + 1), root, *rest]).encode()

    assert ask(running, witness, b"old 0\n\n" + forged) == (403, b"")
    assert ask(running, witness, b"old 0\n\n" + signed.replace(b"ten_", b"ten_0"))[0] == 404


def test_an_address_of_the_machine_itself_is_not_asked(running: Running, token: str, verifier: WitnessKey):
    asked = {"verifier_key": str(verifier), "url": running.stack["vault"]["addr"]}
    chosen = running.call("POST", PATH, token=token, json=asked)
    assert chosen.status_code == 201, chosen.text
    where = f"{PATH}/{chosen.json()['id']}"

    def failing() -> str | None:
        offer(running)
        return running.call("GET", where, token=token).json()["health"]["logs"][0]["error"]

    error = until(failing, "a failure")
    assert running.call("DELETE", where, token=token, headers={"If-Match": "*"}).status_code == 204
    assert error == "not a public address"
