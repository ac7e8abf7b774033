"""The witness of a second account as it is deployed: its handler, over a table and a secret (moto)."""

import base64
import importlib.util
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.local.template import load
from platforma.adapters.memory.audit import MemorySigner
from platforma.adapters.witness_state import SeenInTable, witness_key
from platforma.audit import note, tree
from platforma.audit.cosignature import WitnessKey, parse_witness_key, witnessed
from platforma.audit.note import VerifierKey, keys_of
from platforma.audit.witness import LogsBeside, request_of
from platforma.kernel.errors import Unavailable
from tests.contract.on_moto import REGION
from tests.unit.infra.templates import ROOT, as_list

HOST, TENANT = "audit.example", "ten_x"
ORIGIN = f"{HOST}/audit/{TENANT}"
NAME = "witness.example/audit"
RACERS = 20
LEAVES = [tree.leaf_hash(str(number).encode()) for number in range(40)]
FORKED = [*LEAVES[:2], *LEAVES[3:]]
TEMPLATE = load(ROOT / "infra" / "witness.yaml")["Resources"]


class Log:
    """A log that signs whatever its owner wants."""

    def __init__(self, signer: MemorySigner, leaves: list[bytes] = LEAVES, origin: str = ORIGIN) -> None:
        self.signer, self.leaves, self.origin = signer, leaves, origin

    def signed(self, size: int) -> bytes:
        root = tree.root_of(tree.extended((), 0, self.leaves[:size]))
        return note.sign(note.Checkpoint(self.origin, size, root), self.signer)

    def asked(self, old: int, size: int) -> bytes:
        def node(level: int, index: int) -> bytes:
            return tree.root_of(tree.extended((), 0, self.leaves[index << level : (index + 1) << level]))

        return request_of(old, tree.consistency(old, size, node) if old < size else [], self.signed(size))


@pytest.fixture
def signer() -> MemorySigner:
    return MemorySigner()


@pytest.fixture
def log(signer: MemorySigner) -> Log:
    return Log(signer)


@pytest.fixture
def app(signer: MemorySigner, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The function with what its template gives it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        table = TEMPLATE["SeenTable"]["Properties"]
        boto3.client("dynamodb").create_table(
            TableName="seen", **{name: table[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
        )
        made = TEMPLATE["KeySecret"]["Properties"]["GenerateSecretString"]
        secrets = boto3.client("secretsmanager")
        made_up = secrets.get_random_password(**made)["RandomPassword"]
        settings = {
            "WITNESS_NAME": NAME,
            "LOG_KEYS": ",".join(map(str, keys_of(ORIGIN, signer))),
            "LOGS": "tenant",
            "TABLE": "seen",
            "KEY_SECRET": secrets.create_secret(Name="key", SecretString=made_up)["ARN"],
        }
        assert settings.keys() == TEMPLATE["WitnessFunction"]["Properties"]["Environment"]["Variables"].keys()
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield fresh()


def fresh() -> ModuleType:
    """Another instance of it."""
    spec = importlib.util.spec_from_file_location("witness_app", ROOT / "infra" / "witness" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(app: ModuleType, body: bytes = b"", *, method: str = "POST", path: str = "/add-checkpoint") -> dict[str, Any]:
    event = {
        "version": "2.0",
        "rawPath": path,
        "requestContext": {"http": {"method": method, "path": path}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    return dict(app.handler(event, None))


def key_of(app: ModuleType) -> WitnessKey:
    return parse_witness_key(call(app, method="GET", path="/")["body"])


def test_what_grew_is_cosigned_by_the_key_that_it_tells(app: ModuleType, log: Log):
    for old, size in [(0, 3), (3, 7), (7, 7), (7, 40)]:
        answer = call(app, log.asked(old, size))

        assert answer["statusCode"] == 200
        assert list(witnessed(log.signed(size) + answer["body"].encode(), [key_of(app)])) == [key_of(app)]


def test_a_body_that_is_text_is_read_as_it_is(app: ModuleType, log: Log):
    event = {
        "rawPath": "/add-checkpoint",
        "requestContext": {"http": {"method": "POST"}},
        "body": log.asked(0, 3).decode(),
    }

    assert app.handler(event, None)["statusCode"] == 200


def test_its_key_is_the_same_in_every_instance(app: ModuleType):
    assert key_of(app) == key_of(fresh())
    assert key_of(app).name == NAME


def test_a_fork_is_refused_by_every_instance_and_written_down(app: ModuleType, log: Log, signer: MemorySigner, capsys):
    call(app, log.asked(0, 7))
    fork = Log(signer, FORKED)
    capsys.readouterr()

    for body in (fork.asked(7, 20), fork.asked(7, 7)):
        answer = call(fresh(), body)

        assert answer["statusCode"] in (409, 422)
        assert "\u2014" not in answer["body"]
        line = json.loads(capsys.readouterr().out)
        assert line["forked"] is True
        assert line["refused"].encode() == body
    assert call(app, log.asked(7, 20))["statusCode"] == 200


def test_a_head_that_was_rolled_back_is_refused(app: ModuleType, log: Log):
    call(app, log.asked(0, 20))

    answer = call(app, log.asked(7, 7))

    assert (answer["statusCode"], answer["body"]) == (409, "20\n")
    assert answer["headers"]["Content-Type"] == "text/x.tlog.size"


def test_of_twenty_who_race_with_forks_no_two_of_different_pasts_are_cosigned(app: ModuleType, signer: MemorySigner):
    """Each shows growth from nothing; whoever comes second has to show it from the first."""
    logs = [Log(signer, [tree.leaf_hash(b"%d" % number), *LEAVES]) for number in range(RACERS)]
    instances = [fresh() for _ in logs]

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(lambda one: call(one[0], one[1].asked(0, 5)), zip(instances, logs, strict=True)))

    statuses = [answer["statusCode"] for answer in answers]
    assert statuses.count(200) == 1
    assert set(statuses) == {200, 409}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/add-checkpoint", 405), ("POST", "/", 404), ("GET", "/x", 404), ("POST", "/add-checkpoint/", 404)],
)
def test_nothing_else_is_answered(app: ModuleType, log: Log, method: str, path: str, status: int):
    assert call(app, log.asked(0, 3), method=method, path=path)["statusCode"] == status


@pytest.mark.parametrize("body", [None, "", "\ud800", "x" * 1_000_000, "old 0\n\n"])
@pytest.mark.parametrize("encoded", [True, False])
def test_what_is_no_request_is_malformed(app: ModuleType, body: str | None, encoded: bool):
    event = {
        "rawPath": "/add-checkpoint",
        "requestContext": {"http": {"method": "POST"}},
        "body": body,
        "isBase64Encoded": encoded,
    }

    assert app.handler(event, None)["statusCode"] == 400


def test_another_signer_and_another_tenants_log_are_refused(app: ModuleType, signer: MemorySigner):
    assert call(app, Log(MemorySigner()).asked(0, 3))["statusCode"] == 403
    assert call(app, Log(signer, origin=f"{HOST}/audit/ten_y").asked(0, 3))["statusCode"] == 404
    assert call(app, Log(signer, origin=f"other.example/audit/{TENANT}").asked(0, 3))["statusCode"] == 404


def test_a_tenants_further_logs_are_witnessed_too(app: ModuleType, signer: MemorySigner):
    assert call(app, Log(signer, origin=f"{ORIGIN}.2").asked(0, 3))["statusCode"] == 200


def test_without_its_table_it_cosigns_nothing(app: ModuleType, log: Log):
    boto3.client("dynamodb").delete_table(TableName="seen")

    answer = call(app, log.asked(0, 3))

    assert (answer["statusCode"], answer["body"]) == (503, "")


def test_a_host_is_every_tenant_of_it_and_no_other_host(signer: MemorySigner):
    logs = LogsBeside(keys_of(ORIGIN, signer), every_tenant=True)

    assert f"{HOST}/audit/ten_y.3" in logs
    assert logs[f"{HOST}/audit/ten_y"] == [VerifierKey(f"{HOST}/audit/ten_y", key.public) for key in keys_of(ORIGIN, signer)]
    for origin in (f"evil.{HOST}/audit/ten_y", f"{HOST}/audit/x/ten_y", HOST, "", f"{HOST}/ten_y"):
        assert origin not in logs


def test_a_secret_that_is_short_makes_no_key(app: ModuleType):
    boto3.client("secretsmanager").create_secret(Name="short", SecretString="x" * 63)

    with pytest.raises(ValueError, match="short"):
        witness_key("short")
    with pytest.raises(Unavailable):
        witness_key("none")


def test_what_was_seen_is_replaced_only_by_who_read_it(app: ModuleType):
    seen = SeenInTable("seen")

    assert seen.get("o") is None
    assert seen.put("o", None, "one")
    assert not seen.put("o", None, "two")
    assert not seen.put("o", "zero", "two")
    assert seen.put("o", "one", "two")
    assert seen.get("o") == "two"


def test_its_role_can_neither_delete_nor_change_what_it_is(app: ModuleType):
    [policy] = TEMPLATE["WitnessRole"]["Properties"]["Policies"]
    actions = {action for one in policy["PolicyDocument"]["Statement"] for action in as_list(one["Action"])}

    assert actions == {
        *("logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        *("dynamodb:GetItem", "dynamodb:PutItem", "secretsmanager:GetSecretValue"),
    }
    assert TEMPLATE["SeenTable"]["Properties"]["DeletionProtectionEnabled"] is True
    assert TEMPLATE["SeenTable"]["DeletionPolicy"] == TEMPLATE["KeySecret"]["DeletionPolicy"] == "Retain"
