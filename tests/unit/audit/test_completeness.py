"""That every request has its event: what gateway, functions and outbox say, compared."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.memory.audit import MemoryLogStore
from platforma.adapters.memory.audit_ledger import MemoryLedger
from platforma.audit.completeness import MAX_IDS, Noted, completeness, minute_of, reconcile
from platforma.audit.model import Row, log_of, position_of
from platforma.audit.spreading import log_added
from platforma.kernel.errors import Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.tenancy import PLATFORM
from tests.unit.audit.world import TENANT as WORLDS
from tests.unit.audit.world import World

TENANT = "ten_a"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=3)


class Killed(BaseException):
    pass


def seen(request_id: str) -> Noted:
    return Noted(request_id, marked=False)


def audited(request_id: str, event_id: str = "evt_1") -> Noted:
    return Noted(request_id, True, TENANT, event_id, TENANT)


def shown(ledger: MemoryLedger, tenant_id: str = TENANT) -> tuple[int, int, list[str]]:
    told = completeness(tenant_id, NOON, NOON + timedelta(minutes=1), ledger=ledger, now=LATER)
    return told["requests_seen"], told["events_found"], told["missing"]


def recorded(ledger: MemoryLedger, tenant_id: str, event_id: str) -> None:
    attempt = Attempt(request_id="r", action="settings.users.list", clock=lambda: NOON, tenant_id=tenant_id)
    event = replace(attempt.event("success"), id=event_id)
    ledger.store.record(event, Row(event_id, position_of(event.timestamp, event_id), event.received_at, b"{}", b""))


def ledger_with(*said: Noted, events: tuple[str, ...] = ("evt_1",), at: datetime = NOON) -> MemoryLedger:
    ledger = MemoryLedger(MemoryLogStore())
    for event_id in events:
        recorded(ledger, TENANT, event_id)
    ledger.note(minute_of(at), said)
    return ledger


def test_a_request_with_its_event_is_found():
    ledger = ledger_with(seen("r"), audited("r"))

    assert reconcile(ledger, LATER) == {"requests": 1, "missing": 0, "unseen": 0}
    assert shown(ledger) == (1, 1, [])


def test_an_event_that_a_function_claims_and_the_outbox_has_not_is_missing():
    ledger = ledger_with(seen("r"), audited("r", "evt_gone"))

    reconcile(ledger, LATER)

    assert shown(ledger) == (1, 0, ["r"])


def test_a_request_that_no_function_marked_is_missing_and_the_platforms():
    ledger = ledger_with(seen("r"))

    reconcile(ledger, LATER)

    assert shown(ledger) == (0, 0, [])
    assert shown(ledger, PLATFORM) == (1, 0, ["r"])


def test_a_tenants_request_that_stands_among_strangers_is_missing_from_its_tenant():
    ledger = ledger_with(seen("r"), Noted("r", True, TENANT, "evt_s", PLATFORM))
    recorded(ledger, PLATFORM, "evt_s")

    reconcile(ledger, LATER)

    assert shown(ledger) == (1, 0, ["r"])


def test_a_mark_counts_once_though_it_comes_in_the_next_minute_and_twice():
    ledger = ledger_with(seen("r"))
    for _ in range(2):
        ledger.note(minute_of(NOON + timedelta(minutes=1)), [audited("r")])

    assert reconcile(ledger, LATER + timedelta(minutes=1))["missing"] == 0
    assert shown(ledger) == (1, 1, [])


def test_what_the_gateway_did_not_see_is_counted_and_told_of():
    ledger = ledger_with(audited("r"))

    assert reconcile(ledger, LATER) == {"requests": 1, "missing": 0, "unseen": 1}
    assert shown(ledger) == (1, 1, [])


def test_a_minute_is_given_time_for_what_is_late():
    ledger = ledger_with(seen("r"))

    assert reconcile(ledger, NOON + timedelta(minutes=1, seconds=59))["requests"] == 0
    assert reconcile(ledger, LATER)["requests"] == 1
    assert completeness(TENANT, NOON, LATER, ledger=ledger, now=LATER)["reconciled_until"] == "2026-11-24T12:01:00.000Z"


def test_nothing_is_said_to_be_compared_beyond_a_minute_that_waits():
    ledger = ledger_with(seen("r"), at=NOON + timedelta(minutes=2))
    now = NOON + timedelta(minutes=30)

    def told() -> object:
        return completeness(TENANT, NOON, now, ledger=ledger, now=now)["reconciled_until"]

    assert told() == "2026-11-24T12:02:00.000Z"
    reconcile(ledger, now)
    assert told() == "2026-11-24T12:28:00.000Z"


def test_what_comes_too_late_has_its_minute_reconciled_again():
    ledger = ledger_with(seen("r"))
    reconcile(ledger, LATER)
    assert shown(ledger, PLATFORM)[2] == ["r"]

    ledger.note(minute_of(NOON), [audited("r")])
    reconcile(ledger, LATER + timedelta(hours=30))

    assert shown(ledger) == (1, 1, [])
    assert shown(ledger, PLATFORM) == (0, 0, [])


def test_requests_of_a_tenant_of_two_logs_have_their_events_in_either_and_one_deleted_from_the_second_is_missing():
    world = World(batch=50)
    world.record(0)
    world.relay()
    world.outbox.add_log(world.store.head(WORLDS), 2, log_added(f"{WORLDS}.2", 200, world.clock))
    events = [world.record(number) for number in range(1, 31)]
    ledger = MemoryLedger(world.store)
    said = [Noted(event.request_id, marked, WORLDS, event.id, WORLDS) for event in events for marked in (False, True)]
    ledger.note(minute_of(NOON), said)
    in_second = [event for event in events if log_of(event, 2) == f"{WORLDS}.2"]
    assert 0 < len(in_second) < 30

    reconcile(ledger, LATER)
    waiting = shown(ledger, WORLDS)
    gone = in_second[0]
    [row] = (row for row in world.store.pending(f"{WORLDS}.2", limit=50).rows if row.id == gone.id)
    world.store.drop(f"{WORLDS}.2", [row.position])
    world.attendant().sweep()
    ledger.note(minute_of(NOON), said[:1])
    reconcile(ledger, LATER)

    assert waiting == (30, 30, [])
    assert shown(ledger, WORLDS) == (30, 29, [gone.request_id])


@pytest.mark.parametrize("dies_after", range(4))
def test_killed_after_any_write_the_next_run_ends_the_same(dies_after: int):
    ledger = ledger_with(seen("r"), audited("r"), seen("s"))
    writes = 0

    def count(_what: str) -> None:
        nonlocal writes
        writes += 1
        if writes > dies_after:
            raise Killed

    ledger.after_write = count
    try:
        reconcile(ledger, LATER)
    except Killed:
        ledger.after_write = lambda _what: None
        reconcile(ledger, LATER)

    assert shown(ledger) == (1, 1, [])
    assert shown(ledger, PLATFORM) == (1, 0, ["s"])
    assert ledger.due("~") == []


def test_ids_are_bounded_and_the_count_is_not():
    ledger = ledger_with(*(seen(f"r{at}") for at in range(MAX_IDS + 5)))
    reconcile(ledger, LATER)

    told = completeness(PLATFORM, NOON, LATER, ledger=ledger, now=LATER)

    assert (len(told["missing"]), told["missing_count"]) == (MAX_IDS, MAX_IDS + 5)


@pytest.mark.parametrize("until", [NOON, NOON - timedelta(hours=1), NOON + timedelta(days=32)])
def test_a_time_that_ends_before_it_begins_or_is_too_long_is_refused(until: datetime):
    with pytest.raises(Unprocessable):
        completeness(TENANT, NOON, until, ledger=MemoryLedger(MemoryLogStore()), now=LATER)
