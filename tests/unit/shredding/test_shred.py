"""Shredding in its four steps: killed between any two it is done again, to the same end."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.adapters.memory.shreddings import MemoryShreddings
from platforma.adapters.relay_call import RelayedLogs
from platforma.kernel.errors import NotFound, Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.shredding import LogPosition, read_shredding, shred_tenant, statement_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class House:
    """A tenant with a key of two versions and a log of three entries; *fails* names a step that does once."""

    def __init__(self, fails=None):
        self.tenant_id, self.fails, self.done, self.events = new_id("ten"), fails, [], []
        self.keys, self.shreddings = MemoryDataKeys(clock=lambda: NOW), MemoryShreddings(self.events.append)
        self.keys.create_tenant_key(self.tenant_id)
        self.keys.rotate(self.tenant_id)

    def step(self, name):
        self.done.append(name)
        if self.fails == name:
            self.fails = None
            raise Unavailable

    def settle(self, tenant_id):
        self.step("settle")
        return [LogPosition(tenant_id, len(self.done) + 2, "cm9vdA==")]

    def describe(self, tenant_id):
        return self.keys.describe(tenant_id)

    def destroy_tenant_key(self, tenant_id):
        self.keys.destroy_tenant_key(tenant_id)
        self.step("destroy")

    def sign(self, text):
        self.step("sign")
        return f"signed {text}"

    def shred(self, now=NOW):
        ports = {"keys": self, "logs": self, "statements": self, "shreddings": self.shreddings}
        return shred_tenant(self.tenant_id, attempt=Attempt("req", "platform.tenants.delete", lambda: now), **ports)


def facts_of(done):
    return json.loads(done.statement.removeprefix("signed ").split("\n")[1])


def test_logs_are_settled_before_the_key_is_gone_and_the_statement_comes_last():
    house = House()

    house.shred()

    assert house.done == ["settle", "destroy", "sign"]


def test_the_statement_says_which_versions_when_how_far_the_log_and_how_long_backups_have_it():
    house = House()

    done = house.shred()

    assert facts_of(done) == {
        "tenant_id": house.tenant_id,
        "keys": [{"id": f"tenant-{house.tenant_id}", "versions": [1, 2]}],
        "destroyed_at": "2026-11-24T12:00:00.000Z",
        "logs": [{"id": house.tenant_id, "size": 3, "root": "cm9vdA=="}],
        "backups_until": "2026-12-29T12:00:00.000Z",
    }


def test_a_statement_can_be_taken_for_no_checkpoint():
    first_line = statement_of(House().shred()).split("\n")[0]

    assert first_line == "platforma key destruction 1"


def test_the_event_carries_the_statement():
    house = House()

    done = house.shred()

    [event] = house.events
    assert (event.action, event.resource) == ("platform.tenants.shred", house.tenant_id)
    assert event.changes["after"]["statement"] == done.statement


@pytest.mark.parametrize("step", ["settle", "destroy", "sign"])
def test_killed_after_any_step_it_is_finished_by_asking_again(step):
    house = House(fails=step)
    with pytest.raises(Unavailable):
        house.shred()

    done = house.shred(NOW + timedelta(hours=1))

    assert facts_of(done)["keys"][0]["versions"] == [1, 2]
    assert done.destroyed_at == NOW + timedelta(hours=1)
    assert len(house.events) == 1


def test_a_log_that_cannot_be_settled_keeps_its_key():
    house = House(fails="settle")

    with pytest.raises(Unavailable):
        house.shred()

    assert house.keys.generate(house.tenant_id, "identity")


def test_done_again_nothing_changes():
    house = House()
    first = house.shred()

    assert house.shred(NOW + timedelta(days=1)) == first
    assert house.done == ["settle", "destroy", "sign"]


def test_what_was_begun_is_no_shredding_yet():
    house = House(fails="sign")
    with pytest.raises(Unavailable):
        house.shred()

    for tenant_id in (house.tenant_id, new_id("ten"), "x"):
        with pytest.raises(NotFound):
            read_shredding(tenant_id, shreddings=house.shreddings)


class Relay:
    """Lambda's client: gives these answers, one after the other."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def invoke(self, *, FunctionName, Payload):  # noqa: N803  Lambda's names
        self.asked.append((FunctionName, json.loads(Payload)))
        answer = self.answers.pop(0)
        return {
            "Payload": Body(json.dumps(answer).encode()),
            **({"FunctionError": "Unhandled"} if "error" in answer else {}),
        }


class Body:
    def __init__(self, raw):
        self.raw = raw

    def read(self):
        return self.raw


def test_a_busy_log_is_asked_for_again():
    waits = []
    relay = Relay({"busy": True}, {"busy": True}, {"busy": False, "logs": [{"id": "ten_a", "size": 3, "root": "eA=="}]})

    settled = RelayedLogs("relay", relay, waits.append).settle("ten_a")

    assert settled == [LogPosition("ten_a", 3, "eA==")]
    assert relay.asked == [("relay", {"job": "settle", "tenant_id": "ten_a"})] * 3
    assert len(waits) == 2


@pytest.mark.parametrize("answers", [[{"error": "x"}], [{"busy": True}] * 6])
def test_a_relay_that_fails_or_is_busy_for_long_is_unavailable(answers):
    with pytest.raises(Unavailable):
        RelayedLogs("relay", Relay(*answers), lambda _: None).settle("ten_a")
