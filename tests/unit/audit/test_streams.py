"""Streams: what was entered is pushed in order, at least once, signed, and waits for a receiver that is down."""

import base64
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from platforma.adapters.memory.audit_streams import MemoryStreams
from platforma.audit.person_keys import PersonKeys
from platforma.audit.streams import (
    Deliverer,
    Stream,
    create_stream,
    delete_stream,
    replay_stream,
    rotate_stream_secret,
    run_streams,
    status_of,
    update_stream,
)
from platforma.audit.streams.errors import TooManyStreams, Unreached
from platforma.audit.streams.model import HELD, MOST, Message
from platforma.kernel.errors import NotFound, PreconditionFailed, Unavailable, Unprocessable
from platforma.kernel.events import Attempt
from tests.unit.audit.world import OTHER, TENANT, Killed, World, user_id


def https(url: str) -> dict[str, str]:
    return {"type": "https", "url": url}


ASKED = {"name": "siem", "destination": https("https://siem.example/in"), "format": "jsonl", "enabled": True}


class Receiver:
    """What takes messages, or answers with *status*, or not at all."""

    def __init__(self) -> None:
        self.status: int | None = 204
        self.messages: list[tuple[str, dict[str, str], bytes]] = []
        self.taken: list[dict[str, Any]] = []

    def __call__(self, _tenant_id: str, destination: dict[str, str], message: Message) -> None:
        self.messages.append((destination["url"], dict(message.headers), message.body))
        if self.status is None:
            raise Unreached(cause="TimeoutError")
        if not 200 <= self.status < 300:
            raise Unreached(cause=f"status {self.status}")
        self.taken += [json.loads(line) for line in message.lines]

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.taken]


class Streaming(World):
    def __init__(self) -> None:
        super().__init__(batch=50)
        self.streams = MemoryStreams(self._written)
        self.receiver = Receiver()

    def attempt(self, action: str = "audit.streams.create", tenant_id: str = TENANT) -> Attempt:
        return Attempt("r", action, self.clock, tenant_id=tenant_id, principal_type="user", principal_id=user_id(1))

    def made(self, **asked: Any) -> tuple[Stream, str]:
        return create_stream(
            {**ASKED, **asked}, streams=self.streams, store=self.store, envelope=self.envelope, attempt=self.attempt()
        )

    def entered(self, count: int, first: int = 0, **said: Any) -> "Streaming":
        for number in range(first, first + count):
            self.record(number, **said)
        self.relay()
        return self

    def push(self) -> dict[str, int]:
        persons = PersonKeys(self.person_keys, self.envelope, self.clock)
        by = Deliverer(
            streams=self.streams,
            store=self.store,
            bucket=self.bucket,
            persons=persons,
            envelope=self.envelope,
            send=self.receiver,
            clock=self.clock,
            begin=lambda tenant_id: self.attempt("audit.streams.suspend", tenant_id),
        )
        return run_streams(by)

    def progress(self, stream: Stream):
        return self.streams.progress(TENANT, stream.id)


@pytest.fixture
def world() -> Streaming:
    return Streaming()


def test_what_is_entered_after_a_stream_is_made_is_pushed_whole_in_order_and_once(world):
    world.entered(3)
    world.made()
    world.entered(205, first=10, changes={"after": {"email": "ada@example.test"}})

    done = world.push()
    again = world.push()

    assert (done["delivered"], again["delivered"]) == (205, 0)
    assert world.receiver.sequences == list(range(3, 208))
    assert [len(body.splitlines()) for _, _, body in world.receiver.messages] == [100, 100, 5]
    assert world.receiver.taken[0]["changes"] == {"after": {"email": "ada@example.test"}}
    assert world.receiver.taken[0]["ip_address"] == "192.0.2.10"


def test_a_message_is_signed_as_standard_webhooks_has_it(world):
    _, secret = world.made()
    world.entered(1)

    world.push()

    url, headers, body = world.receiver.messages[0]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, "sha256")
    assert url == "https://siem.example/in"
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert int(headers["webhook-timestamp"]) == int(world.now.timestamp())


def test_a_rotated_secret_signs_beside_the_former_one_for_a_day(world):
    stream, _ = world.made()
    rotate = {"streams": world.streams, "envelope": world.envelope, "attempt": world.attempt("audit.stream_secrets.rotate")}
    _, secret = rotate_stream_secret(stream.id, **rotate)
    world.entered(1)
    world.push()
    world.later(hours=25)
    world.entered(1, first=1)
    world.push()

    both, one = (headers["webhook-signature"].split(" ") for _, headers, _ in world.receiver.messages)
    assert (len(both), len(one)) == (2, 1)
    assert secret.startswith("whsec_")
    assert secret not in repr(world.streams.get(TENANT, stream.id))


def test_a_receiver_that_is_down_gets_all_of_it_afterwards(world):
    stream, _ = world.made()
    world.entered(3)
    world.receiver.status = None
    failing = world.push()
    status = status_of(stream, world.progress(stream))
    world.later(days=6)
    world.entered(3, first=3)
    world.push()
    world.receiver.status = 200
    world.later(hours=1)

    done = world.push()

    assert (failing["failing"], status, world.receiver.sequences) == (1, "failing", [0, 1, 2, 3, 4, 5])
    assert done == {"delivered": 6, "failing": 0, "suspended": 0}
    assert status_of(stream, world.progress(stream)) == "healthy"


@pytest.mark.parametrize("status", [301, 400, 410, 429, 500, None])
def test_what_is_not_taken_is_tried_again_and_less_and_less_often(world, status):
    stream, _ = world.made()
    world.entered(1)
    world.receiver.status = status
    waits = []

    for _ in range(8):
        world.push()
        waits.append(world.progress(stream).next_try - int(world.now.timestamp()))
        world.push()  # not due yet
        world.now += timedelta(seconds=waits[-1])

    assert waits == [60, 120, 240, 480, 960, 1800, 1800, 1800]
    assert len(world.receiver.messages) == 8
    assert len({headers["webhook-id"] for _, headers, _ in world.receiver.messages}) == 1


def test_after_seven_days_it_is_suspended_told_and_goes_on_where_it_stopped_once_resumed(world):
    stream, _ = world.made()
    world.entered(2)
    world.receiver.status = 503
    world.push()
    world.now += HELD
    told = world.push()
    world.receiver.status = 200
    world.later(days=1)
    silent = world.push()

    update_stream(stream.id, {"enabled": True}, if_match=None, streams=world.streams, attempt=world.attempt())
    world.push()

    assert (told["suspended"], silent["delivered"], world.receiver.sequences) == (1, 0, [0, 1])
    [suspended] = [event for event in world.streams.events if event.action == "audit.streams.suspend"]
    assert (suspended.tenant_id, suspended.resource, suspended.reason) == (TENANT, stream.id, "receiver_down")


def test_a_stream_is_replayed_from_a_sequence(world):
    stream, _ = world.made()
    world.entered(5)
    world.push()

    replay = {"streams": world.streams, "store": world.store, "attempt": world.attempt("audit.streams.replay")}
    replay_stream(stream.id, log_id=None, from_sequence=3, **replay)
    world.push()

    assert world.receiver.sequences == [0, 1, 2, 3, 4, 3, 4]
    with pytest.raises(Unprocessable):
        replay_stream(stream.id, log_id=None, from_sequence=6, **replay)
    with pytest.raises(Unprocessable):
        replay_stream(stream.id, log_id=OTHER, from_sequence=0, **replay)


@pytest.mark.parametrize("dies_after", range(4))
def test_a_worker_that_is_killed_is_followed_by_one_who_leaves_nothing_out(dies_after):
    world = Streaming()
    world.made()
    world.entered(250)
    world.dies_after = dies_after
    try:
        world.push()
    except Killed:
        world.dies_after = None
    world.dies_after = None
    world.later(minutes=3)

    world.push()

    assert sorted(set(world.receiver.sequences)) == list(range(250))
    assert [
        first
        for first, after in zip(world.receiver.sequences, world.receiver.sequences[1:], strict=False)
        if after > first + 1
    ] == []


def test_two_workers_at_once_push_nothing_twice(world):
    stream, _ = world.made()
    world.entered(3)
    progress = world.progress(stream)
    world.streams.advance(stream, replace(progress, leased_until=int(world.now.timestamp()) + 60))

    beside = world.push()

    assert (beside["delivered"], world.receiver.messages) == (0, [])


def test_a_worker_whose_stream_is_replayed_meanwhile_notes_nothing(world):
    stream, _ = world.made()
    world.entered(3)
    calm = world.receiver.__call__

    def replaying(*handed):
        replay = {"streams": world.streams, "store": world.store, "attempt": world.attempt("audit.streams.replay")}
        replay_stream(stream.id, log_id=None, from_sequence=0, **replay)
        calm(*handed)

    world.receiver = replaying
    world.push()

    assert world.progress(stream).places == {TENANT: 0}


def test_what_was_erased_is_not_pushed(world):
    world.made()
    world.entered(1, user_id=user_id(1), ip_address="192.0.2.7")
    world.erase(user_id(1))

    world.push()

    assert "ip_address" not in {name for name, value in world.receiver.taken[0].items() if value is not None}
    assert b"192.0.2.7" not in world.receiver.messages[0][2]


def test_a_stream_of_a_tenant_that_was_shredded_is_left_alone(world):
    world.made()
    world.entered(1)
    world.store.end(TENANT)

    assert world.push() == {"delivered": 0, "failing": 0, "suspended": 0}
    assert world.receiver.messages == []


def test_a_stream_that_cannot_even_be_noted_is_told_of_and_holds_up_no_other(world, monkeypatch):
    broken, _ = world.made()
    world.made()
    world.entered(2)
    plain = world.streams.advance

    def advance(stream, progress, event=None):
        if stream.id == broken.id:
            raise Unavailable
        return plain(stream, progress, event)

    monkeypatch.setattr(world.streams, "advance", advance)

    assert world.push() == {"delivered": 2, "failing": 1, "suspended": 0}


def test_a_disabled_or_deleted_stream_pushes_nothing(world):
    stream, _ = world.made()
    changed = {"streams": world.streams, "attempt": world.attempt()}
    update_stream(stream.id, {"enabled": False}, if_match=1, **changed)
    world.entered(1)
    world.push()
    with pytest.raises(PreconditionFailed):
        delete_stream(stream.id, if_match=1, **changed)

    delete_stream(stream.id, if_match=2, **changed)
    world.push()

    assert world.receiver.messages == []
    with pytest.raises(NotFound):
        delete_stream(stream.id, if_match=None, **changed)


def test_a_stream_in_ocsf_is_as_the_published_schema_has_it(world):
    world.made(format="ocsf")
    world.entered(1)

    world.push()

    event = json.loads(world.receiver.messages[0][2])
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))
    kind = schema.get_class_schema("api_activity" if event["class_uid"] == 6003 else "account_change")
    Draft202012Validator(kind).validate(event)


def test_a_large_event_goes_alone(world):
    world.made()
    world.entered(12, changes={"after": {"note": "x" * 30_000}})

    world.push()

    assert max(len(body) for _, _, body in world.receiver.messages) <= 256 * 1024
    assert world.receiver.sequences == list(range(12))


@pytest.mark.parametrize(
    "url",
    [
        "http://a.test/",
        "https://u:p@a.test/",
        "https://",
        "ftp://a.test",
        "https://a.test/#x",
        "https://a.test/\n",
        "https://a:x/",
    ],
)
def test_another_url_than_plain_https_is_refused(world, url):
    with pytest.raises(Unprocessable):
        world.made(destination=https(url))


def test_a_tenant_has_ten_streams_at_most(world):
    for _ in range(MOST):
        world.made()

    with pytest.raises(TooManyStreams):
        world.made()
