"""Witnesses through the API: chosen, asked by the worker, told of, dismissed, and only by those who may."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma import bootstrap
from platforma.audit.cosignature import WitnessKey, parse_name, witnessed
from platforma.audit.note import VerifierKey, parse_key, text_of, verify
from platforma.audit.witness import Witness
from platforma.audit.witnesses.errors import Unanswered
from platforma.audit.witnesses.ports import Answered
from platforma.kernel.tenancy import PLATFORM
from tests.unit.audit.test_witness import MemorySeen
from tests.world import Tenant, World

PATH = "/v1/audit/witnesses"
NAME, URL = "witness.example/w", "https://witness.test/x-s3cr3t"


class Peer:
    """A witness behind a URL that knows whatever log signs with *keys*; or whatever *answer* says."""

    def __init__(self, world: World) -> None:
        self.key, self.seen = Ed25519PrivateKey.generate(), MemorySeen()
        self.keys: list[VerifierKey] = []
        self.urls: list[str] = []
        self.answer: Callable[[bytes], Answered] = self.witness
        self._world = world

    @property
    def verifier(self) -> WitnessKey:
        return WitnessKey(NAME, self.key.public_key().public_bytes_raw())

    def witness(self, body: bytes) -> Answered:
        logs = {key.name: [key] for key in self.keys}
        reply = Witness(NAME, self.key, logs, self.seen, self._world.clock).add_checkpoint(body)
        return Answered(reply.status, reply.body.encode())

    def __call__(self, url: str, body: bytes) -> Answered:
        self.urls.append(url)
        return self.answer(body)


@pytest.fixture
def peer(world: World, monkeypatch: pytest.MonkeyPatch) -> Peer:
    found = Peer(world)
    monkeypatch.setattr(bootstrap.parts.audit, "ask_witness", lambda: found)
    return found


def asked(peer: Peer, **more: Any) -> dict[str, Any]:
    return {"verifier_key": str(peer.verifier), "url": URL, **more}


def offer(world: World) -> dict[str, int]:
    world.clock.move(minutes=2)
    world.sweep()
    context = type("Context", (), {"aws_request_id": "witnesses"})()
    return dict(world.function("audit_export").handler({"source": "schedule", "job": "witnesses"}, context))


def know(tenant: Tenant, peer: Peer) -> None:
    """Tell the witness of the tenant's log, as its operator would."""
    peer.keys += [parse_key(key) for key in tenant.call("GET", f"/audit/{tenant.id}/keys", expect=200).json["keys"]]


def test_a_witness_is_chosen_asked_and_its_cosignature_told_of(world: World, tenant: Tenant, peer: Peer):
    made = tenant.call("POST", PATH, asked(peer), expect=201)
    assert (made.json["name"], made.json["health"]["status"]) == (NAME, "new")
    assert made.headers["etag"] == '"v1"'
    world.clock.move(minutes=2)
    world.sweep()
    know(tenant, peer)

    done = offer(world)

    assert (done["cosigned"], done["witnesses_failing"]) == (1, 0)
    health = tenant.call("GET", f"{PATH}/{made.json['id']}", expect=200).json["health"]
    [log] = health["logs"]
    assert (health["status"], log["log"], log["cosigned_size"]) == ("healthy", tenant.id, log["checkpoint_size"])
    checkpoint = tenant.call("GET", f"/audit/{tenant.id}/checkpoint", expect=200).text.encode()
    assert list(witnessed(checkpoint, [peer.verifier])) == [peer.verifier]
    assert verify(checkpoint, peer.keys).size == log["cosigned_size"]
    names = [parse_name(name) for name in bootstrap.published().bucket.names(f"{tenant.id}/cosignatures/")]
    assert [(name.size, name.witness) for name in names if name] == [(log["cosigned_size"], peer.verifier.label)]


def test_the_secret_in_a_witnesss_url_is_in_no_event(tenant: Tenant, peer: Peer):
    made = tenant.call("POST", PATH, asked(peer), expect=201).json
    tenant.call("DELETE", f"{PATH}/{made['id']}", headers={"If-Match": "*"}, expect=204)

    events = tenant.events(action="audit.witnesses.*")

    assert {event["action"].rpartition(".")[2] for event in events} == {"create", "delete"}
    assert "s3cr3t" not in str(events)


def test_a_witness_that_is_down_is_told_of(world: World, tenant: Tenant, peer: Peer):
    def down(_body: bytes) -> Answered:
        raise Unanswered(cause="TimeoutError")

    made = tenant.call("POST", PATH, asked(peer), expect=201).json
    peer.answer = down

    assert offer(world)["witnesses_failing"] == 1

    health = tenant.call("GET", f"{PATH}/{made['id']}", expect=200).json["health"]
    [log] = health["logs"]
    assert (health["status"], log["error"], log["tries"], log["contradicts"]) == ("failing", "TimeoutError", 1, False)
    assert log["next_try_at"] is not None


def test_a_witness_that_saw_another_log_is_told_of_by_an_event(world: World, tenant: Tenant, peer: Peer):
    made = tenant.call("POST", PATH, asked(peer), expect=201).json
    peer.answer = lambda _body: Answered(409, b"1000000\n")

    assert offer(world)["witnesses_contradicting"] == 1

    assert tenant.call("GET", f"{PATH}/{made['id']}", expect=200).json["health"]["status"] == "contradicted"
    (event,) = tenant.events(action="audit.witnesses.contradict")
    assert (event["result"], event["reason"], event["resource"]) == ("failure", "log_contradicted", made["id"])
    assert event["changes"]["after"]["witness"] == peer.verifier.label


def test_who_is_dismissed_is_asked_no_more(world: World, tenant: Tenant, peer: Peer):
    where = f"{PATH}/{tenant.call('POST', PATH, asked(peer), expect=201).json['id']}"
    assert tenant.call("DELETE", where).status == 428
    assert tenant.call("DELETE", where, headers={"If-Match": '"v2"'}).status == 412

    tenant.call("DELETE", where, headers={"If-Match": '"v1"'}, expect=204)
    offer(world)

    assert peer.urls == []
    assert tenant.call("GET", where).status == 404
    assert tenant.call("GET", PATH, expect=200).json["items"] == []


def test_the_same_witness_is_chosen_once_and_ten_are_enough(tenant: Tenant, peer: Peer):
    tenant.call("POST", PATH, asked(peer), expect=201)
    assert tenant.call("POST", PATH, asked(peer)).json["code"] == "witness_exists"
    for number in range(9):
        tenant.call("POST", PATH, asked(peer, verifier_key=str(WitnessKey(f"w{number}", bytes(32)))), expect=201)

    more = tenant.call("POST", PATH, asked(peer, verifier_key=str(WitnessKey("w9", bytes(32)))))

    assert (more.status, more.json["code"]) == (409, "too_many_witnesses")


BAD = WitnessKey("w", bytes(32))
LOG = "log.test/audit/x"


@pytest.mark.parametrize(
    "body",
    [
        {"verifier_key": "w"},
        {"verifier_key": str(BAD)[:-4]},
        {"verifier_key": str(BAD).replace("+", "+00000000+", 1)},
        {"verifier_key": str(BAD).replace("w", "v", 1)},
        {"verifier_key": str(VerifierKey(LOG, bytes(32)))},
        {"verifier_key": str(WitnessKey("../../checkpoints", bytes(32)))},
        {"verifier_key": str(WitnessKey("w/../x", bytes(32)))},
        {"verifier_key": str(WitnessKey("/w", bytes(32)))},
        {"verifier_key": str(WitnessKey("w//x", bytes(32)))},
        {"verifier_key": str(WitnessKey("w\u0007", bytes(32)))},
        {"verifier_key": str(WitnessKey("w?x#y", bytes(32)))},
        {"url": "http://witness.test"},
        {"url": "https://u:p@witness.test"},
        {"url": "https://witness.test/?q=1"},
        {"url": "https://witness.test/#f"},
        {"url": "https://witness.test:0/"},
        {"url": "https://"},
        {"more": 1},
    ],
)
def test_what_is_no_witness_is_refused(tenant: Tenant, peer: Peer, body: dict[str, Any]):
    assert tenant.call("POST", PATH, asked(peer, **body)).status == 422


def test_a_reader_of_the_log_chooses_nobody(world: World, tenant: Tenant, peer: Peer):
    token = world.token(tenant.client_with(roles=("viewer",)))

    assert world.call("POST", PATH, json_body=asked(peer), token=token).status == 403


def test_the_platforms_witness_is_offered_every_tenants_log_and_a_tenants_its_own_alone(
    world: World, tenant: Tenant, peer: Peer
):
    other = world.tenant("other", "admin@other.test")
    for each in (tenant, other):
        each.call("GET", "/v1/users", expect=200)
    world.clock.move(minutes=2)
    world.sweep()
    know(tenant, peer)
    know(other, peer)
    told: list[str] = []

    def noted(body: bytes) -> Answered:
        told.append(text_of(body.partition(b"\n\n")[2]).partition("\n")[0].rpartition("/")[2])
        return peer.witness(body)

    peer.answer = noted
    tenant.call("POST", PATH, asked(peer), expect=201)
    offer(world)
    assert set(told) == {tenant.id}

    told.clear()
    made = world.call("POST", PATH, json_body=asked(peer), token=world.token(world.platform_client))
    assert made.status == 201, made.text
    offer(world)

    assert {tenant.id, other.id, PLATFORM} <= set(told)
