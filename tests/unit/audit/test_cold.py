"""Old events: what left the index is found in Parquet, as one answer with what is hot and what waits."""

import importlib
import json
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.adapters.columns import ColdColumns
from platforma.adapters.memory.cold import FolderFiles
from platforma.adapters.memory.erasures import MemoryErasures
from platforma.adapters.memory.exports import MemoryExports, MemoryFiles
from platforma.audit.cold import Cold, compact, forget_ended, forget_persons
from platforma.audit.cold.ports import Mark
from platforma.audit.cold.statement import statement
from platforma.audit.erase import destroy_key
from platforma.audit.erasure import Erasure, ask_for_erasure, erase_persons
from platforma.audit.errors import LogBroken
from platforma.audit.exports import forget_exported
from platforma.audit.model import HOT_DAYS
from platforma.audit.ports import Span
from platforma.audit.proof import Published
from platforma.audit.query import Query, parse_query
from platforma.audit.search import get_event, search
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import NotFound, Unavailable
from platforma.kernel.events import Attempt
from tests.unit.audit.test_search import ACTIONS, ADDRESSES, RESOURCES, RESULTS, expected
from tests.unit.audit.world import OTHER, TENANT, Killed, World, event_id, user_id

search_module = importlib.import_module("platforma.audit.search")
GAPS = [0, 1, 60_000, 86_400_000, 40 * 86_400_000]
"""Milliseconds between events: none, one, a minute, a day, forty days."""


def sweep(world: World) -> int:
    """What the table's TTL does: rows of the index go 90 days after they came; how many went."""
    gone = 0
    for rows in world.store._hot.values():
        for position, row in list(rows.items()):
            if parse_rfc3339(row.received_at) + timedelta(days=HOT_DAYS) <= world.now:
                del rows[position]
                gone += 1
    return gone


def asked(world: World, query: Query, cold: Cold):
    return search(query, store=world.store, envelope=world.envelope, cold=cold, clock=world.clock)


def all_pages(world: World, query: Query, cold: Cold) -> list[str]:
    found, after = [], None
    while True:
        page = asked(world, replace(query, after=after), cold)
        assert len(page.events) <= query.limit
        found += [event["id"] for event in page.events]
        if (after := page.after) is None:
            return found


def an_old_world(root: Path, days: int = 100) -> tuple[World, Cold]:
    """Five events, entered and compacted, of which the index knows nothing any more."""
    world = World()
    for number in range(5):
        world.record(number, resource=f"cls_{number}")
        world.later(minutes=7)
    world.relay()
    compact(world.compactor(root))
    world.later(days=days)
    assert sweep(world) > 0
    return world, world.cold(root)


ROW = st.one_of(
    st.none(),
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 4), st.sampled_from(RESULTS), st.sampled_from(GAPS)),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["infrastructure.*", "*", "settings.users.update"]),
        "resource": st.sampled_from(["cls_eu01", "cls#eu02", "cls"]),
        "user_id": st.integers(0, 3).map(user_id),
        "result": st.sampled_from(RESULTS),
        "ip_address": st.sampled_from(["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "::/0"]),
        "request_id": st.integers(0, 5).map(lambda n: f"req-{n}"),
        "q": st.sampled_from(["cls_eu01", "192.0.2", "AGENT", "zzz", "agent success"]),
        "from": st.sampled_from(["2026-11-24T10:00:00.001Z", "2026-12-30T10:00:00Z"]),
        "to": st.sampled_from(["2026-11-25T10:00:00Z", "2027-01-10T10:00:00Z"]),
        "order": st.sampled_from(["asc", "desc"]),
        "limit": st.sampled_from(["1", "2", "200"]),
    },
)


@settings(deadline=None, max_examples=25)
@given(st.lists(ROW, max_size=12), FILTERS, st.booleans())
def test_waiting_hot_and_old_events_are_one_answer_in_order_page_by_page(rows, filters, swept):
    with tempfile.TemporaryDirectory() as folder:
        world = World(batch=3)
        for number, row in enumerate(rows):
            if row is None:
                world.relay()
                compact(world.compactor(Path(folder), at_once=2))
                continue
            action, resource, address, result, gap = row
            world.record(
                number, action=ACTIONS[action], resource=RESOURCES[resource], ip_address=ADDRESSES[address], result=result
            )
            world.later(milliseconds=gap)
        if rows:
            world.relay()
            compact(world.compactor(Path(folder)))
        if swept:
            sweep(world)
        query = parse_query(TENANT, filters)
        wanted = expected(world, replace(query, text=None)) if " " in (query.text or "") else expected(world, query)
        if " " in (query.text or ""):
            wanted = [one for one in wanted if "success" in json.dumps(world.recorded[one].as_json())]

        assert all_pages(world, query, world.cold(Path(folder))) == wanted


def test_without_the_parquet_old_events_would_be_lost(tmp_path):
    world, cold = an_old_world(tmp_path)

    assert search(Query(TENANT), store=world.store, envelope=world.envelope).events == ()
    assert len(asked(world, Query(TENANT), cold).events) == 5


def test_an_old_event_is_told_whole_and_found_by_its_id(tmp_path):
    world, cold = an_old_world(tmp_path)
    event = world.recorded[event_id(3)].as_json()

    (found,) = asked(world, Query(TENANT, resource="cls_3"), cold).events
    again = get_event(TENANT, event_id(3), store=world.store, envelope=world.envelope, cold=cold)

    assert {**event, "sequence": 3} == found == again


def test_what_is_new_is_answered_without_a_question_to_athena(tmp_path):
    world, cold = an_old_world(tmp_path)
    for number in range(10, 14):
        world.record(number)
    world.relay()

    assert len(asked(world, Query(TENANT, limit=2), cold).events) == 2
    recent = Query(TENANT, since=world.now - timedelta(days=30), ascending=True)
    assert len(asked(world, recent, cold).events) == 4
    assert cold.table.asked == []


def test_the_tenant_is_in_every_statement_and_no_other_tenants_files_are_read(tmp_path):
    world, cold = an_old_world(tmp_path)
    theirs = tmp_path / f"events/tenant={OTHER}/day=2026-11-24"
    theirs.mkdir(parents=True)
    (theirs / "x.parquet").write_bytes(b"no Parquet: whoever opens it fails")
    world.marks.kept[OTHER] = Mark(OTHER, 1, 1, "2026-11-24")

    assert len(asked(world, Query(TENANT), cold).events) == 5
    assert all(one.parameters[0] == TENANT and "WHERE tenant = ?" in one.text for one in cold.table.asked)
    with pytest.raises(NotFound):
        get_event("ten_00000000000000000000000000", event_id(1), store=world.store, envelope=world.envelope, cold=cold)


HOSTILE = [
    *('"', "' OR 1=1 --", "'; DROP TABLE events; --", '","user_id":"', "\\", "\u2028", "%", "cls_*", "?", "${tenant}"),
    *("s3://other/bucket", "x' UNION SELECT * FROM events --", "\x00", "\U0001f600", "e\u0301", "\u00e9", "\ud800", "''"),
]


@pytest.mark.parametrize("field", ["resource", "request_id", "user_id", "text", "action", "about"])
@pytest.mark.parametrize("said", HOSTILE)
def test_whatever_is_asked_for_is_a_parameter_of_hexadecimal_digits(field, said):
    query = Query(TENANT, **{field: said})
    made = statement(query, query.span(), ("2026-11-24", "2026-11-25"), limit=51)
    harmless = " ".join(["plain"] * len(said.split())) if field == "text" else "plain*" if said.endswith("*") else "plain"
    plain = statement(Query(TENANT, **{field: harmless}), query.span(), ("2026-11-24", "2026-11-25"), limit=51)

    assert made.text == plain.text, "a statement's text does not depend on what is asked for"
    assert all(set(one) <= set("0123456789abcdefghijklmnopqrstuvwxyz_-") for one in made.parameters)
    assert made.text.count("?") == len(made.parameters)


@pytest.mark.parametrize("said", [one for one in HOSTILE if one != "\ud800"])
def test_a_hostile_value_is_found_as_itself_and_finds_nothing_else(said, tmp_path):
    world = World()
    world.record(1, resource=said)
    world.record(2, resource="other")
    world.relay()
    compact(world.compactor(tmp_path))
    world.later(days=100)
    sweep(world)

    found = asked(world, Query(TENANT, resource=said), world.cold(tmp_path)).events

    assert [event["id"] for event in found] == [event_id(1)]


@pytest.mark.parametrize("tenant", ["ten' OR '1'='1", "", "ten_a/../ten_b", "TEN", "ten_\x00"])
def test_what_is_no_tenant_id_asks_for_nothing(tenant):
    with pytest.raises(ValueError, match="no parameter"):
        statement(Query(tenant), Span("0", "~"), ("2026-11-24", "2026-11-24"), limit=1)


def test_a_text_that_is_too_long_for_a_parameter_is_looked_for_all_the_same(tmp_path):
    word = "\ufdfa" * 40  # 18 characters each, once compatible characters are one
    world = World()
    world.record(1, resource=word)
    world.record(2, resource="other")
    world.relay()
    compact(world.compactor(tmp_path))
    world.later(days=100)
    sweep(world)
    cold = world.cold(tmp_path)

    assert [event["id"] for event in asked(world, Query(TENANT, text=word), cold).events] == [event_id(1)]


@pytest.mark.parametrize("ascending", [True, False])
def test_where_the_table_is_slow_a_short_page_says_where_to_go_on(monkeypatch, tmp_path, ascending):
    world, cold = an_old_world(tmp_path)
    world.record(9)
    world.later(days=91)
    world.relay()
    compact(world.compactor(tmp_path))
    looks = []
    ask = cold.table.ask

    def slow(question):
        looks.append(question)
        world.later(seconds=20)
        return ask(question)

    monkeypatch.setattr(cold.table, "ask", slow)
    query = Query(TENANT, resource="cls_0", ascending=ascending)
    first = asked(world, query, cold)

    assert len(looks) == 1, "no call waits for a second answer once its time is up"
    assert first.after is not None
    assert all_pages(world, query, cold) == [event_id(0)]


def test_a_stretch_that_takes_too_long_is_asked_again_in_shorter_ones(tmp_path, monkeypatch):
    world, cold = an_old_world(tmp_path, days=130)
    world.marks.kept[TENANT] = replace(world.marks.kept[TENANT], first_day="2026-10-01")
    ask = cold.table.ask

    def short_only(question):
        _, first, last, *_ = question.parameters
        return ask(question) if (datetime.fromisoformat(last) - datetime.fromisoformat(first)).days < 8 else None

    monkeypatch.setattr(cold.table, "ask", short_only)

    assert len(all_pages(world, Query(TENANT), cold)) == 5


def test_a_table_that_never_answers_is_told_and_not_passed_over(tmp_path, monkeypatch):
    world, cold = an_old_world(tmp_path)
    monkeypatch.setattr(cold.table, "ask", lambda _question: None)

    with pytest.raises(Unavailable):
        all_pages(world, Query(TENANT), cold)
    with pytest.raises(Unavailable):
        get_event(TENANT, event_id(3), store=world.store, envelope=world.envelope, cold=cold)


def test_a_writer_whose_clock_is_days_behind_is_found_where_it_says(tmp_path):
    world = World()
    late = replace(world.event(1), timestamp="2026-11-18T03:04:05.000Z")
    world.outbox.enter(late)
    world.record(2)
    world.relay()
    compact(world.compactor(tmp_path))
    world.later(days=100)
    sweep(world)

    day = Query(TENANT, since=datetime.fromisoformat("2026-11-18T00:00Z"), until=datetime.fromisoformat("2026-11-19T00:00Z"))
    assert [event["id"] for event in asked(world, day, world.cold(tmp_path)).events] == [late.id]


class DyingFiles(FolderFiles):
    def __init__(self, root: Path, after: int):
        super().__init__(root)
        self.left = after

    def put(self, name: str, file: Path, *, instead_of: str | None) -> bool:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return super().put(name, file, instead_of=instead_of)


@pytest.mark.parametrize("writes", range(4))
def test_killed_after_any_file_the_next_run_makes_the_same_files_and_no_others(writes, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    worlds = []
    for _ in range(2):
        world = World()
        for number in range(4):
            world.record(number)
            world.later(days=1)
        world.relay()
        worlds.append(world)
    compact(worlds[0].compactor(whole))
    with pytest.raises(Killed):
        compact(replace(worlds[1].compactor(killed), files=DyingFiles(killed, writes)))
    assert worlds[1].marks.kept[TENANT].is_open
    worlds[1].record(9)  # the log has grown when the next one comes
    worlds[1].relay()
    compact(worlds[1].compactor(killed))

    names = set(FolderFiles(whole).names(""))
    assert names < set(FolderFiles(killed).names(""))
    worlds[1].later(days=100)
    sweep(worlds[1])
    assert sorted(all_pages(worlds[1], Query(TENANT), worlds[1].cold(killed))) == sorted(worlds[1].recorded)


def test_every_log_gets_its_turn_and_one_that_fails_holds_up_no_other(tmp_path, monkeypatch):
    world = World()
    world.record(1)
    world.record(2, tenant_id=OTHER)
    world.relay()
    world.relay(OTHER)
    get = world.bucket.get
    monkeypatch.setattr(world.bucket, "get", lambda key: None if key.startswith(min(TENANT, OTHER)) else get(key))

    with pytest.raises(LogBroken):
        compact(world.compactor(tmp_path))

    assert world.marks.kept[max(TENANT, OTHER)].entries == 1
    assert world.marks.kept[min(TENANT, OTHER)].entries == 0


def test_what_there_is_no_time_for_is_counted_as_behind(tmp_path):
    world = World()
    world.record(1)
    world.relay()

    assert compact(world.compactor(tmp_path, budget=timedelta(0))) == {"events": 0, "behind": 1}
    assert compact(world.compactor(tmp_path)) == {"events": 1, "behind": 0}


def erased(world: World, root: Path, person: str, erasures: MemoryErasures) -> dict[str, int]:
    return forget_persons(
        erasures=erasures, marks=world.marks, files=FolderFiles(root), columns=ColdColumns(), clock=world.clock
    )


def asked_to_erase(world: World, person: str) -> MemoryErasures:
    erasures = MemoryErasures()
    world.attendant().ring([TENANT])
    attempt = Attempt("r", "settings.users.erase", world.clock, tenant_id=TENANT, principal_type="user")
    ask_for_erasure(TENANT, person, erasures=erasures, attempt=attempt)
    return erasures


def work_on(world: World, erasures: MemoryErasures) -> Erasure:
    published = Published(world.store, world.bucket)
    erase_persons(erasures=erasures, by=world.relay_with(), published=published, host="audit.example")
    (found,) = erasures._kept.values()
    return found


def held(root: Path) -> bytes:
    return b"".join(
        json.dumps(row).encode() for name in FolderFiles(root).names("") for row in ColdColumns().rows(root / name)
    )


def test_an_erasure_is_done_once_the_files_that_told_of_the_person_are_written_anew(tmp_path):
    world, cold = an_old_world(tmp_path)
    person = user_id(1)
    world.record(20, user_id=user_id(2))
    erasures = asked_to_erase(world, person)
    assert b"192.0.2.1" in held(tmp_path)

    assert work_on(world, erasures).status == "erased"
    world.later(minutes=2)
    assert work_on(world, erasures).status == "erased", "old events are still to be rewritten"
    assert erased(world, tmp_path, person, erasures) == {"done": 1, "open": 0}
    forget_exported(erasures=erasures, exports=MemoryExports(), files=MemoryFiles(), clock=world.clock)
    world.record(21, user_id=user_id(2))
    world.attendant().ring([TENANT])
    done = work_on(world, erasures)

    assert (done.status, done.cold_rewritten) == ("done", 1)
    assert b"192.0.2.1" not in held(tmp_path)
    events = asked(world, Query(TENANT), cold).events
    old = [event for event in events if event["timestamp"] < "2026-12"]
    assert len(old) == 5
    assert all(bool(event.get("ip_address")) is (event["user_id"] != person) for event in old)
    assert asked(world, Query(TENANT, text="192.0.2.1"), cold).events == ()
    assert "cold_place" not in done.as_json()


def test_one_whose_log_is_broken_holds_up_the_erasure_of_no_other(tmp_path, monkeypatch):
    world, _ = an_old_world(tmp_path)
    erasures = asked_to_erase(world, user_id(2))
    attempt = Attempt("r", "settings.users.erase", world.clock, tenant_id=TENANT, principal_type="user")
    ask_for_erasure(TENANT, user_id(1), erasures=erasures, attempt=attempt)

    def broken(tenant_id, person, **more):
        if person == user_id(2):
            raise LogBroken("Not as it should be.")
        destroy_key(tenant_id, person, **more)

    monkeypatch.setattr("platforma.audit.erasure.destroy_key", broken)
    with pytest.raises(LogBroken):
        erase_persons(
            erasures=erasures,
            by=world.relay_with(),
            published=Published(world.store, world.bucket),
            host="audit.example",
        )

    status = {person: erasures.get(TENANT, person).status for person in (user_id(1), user_id(2))}
    assert status == {user_id(1): "erased", user_id(2): "accepted"}


def test_no_person_is_taken_out_while_a_compaction_that_may_know_the_key_is_open(tmp_path):
    world, _ = an_old_world(tmp_path)
    erasures = asked_to_erase(world, user_id(1))
    work_on(world, erasures)
    mark = world.marks.kept[TENANT]
    world.marks.replace(mark, replace(mark, until=mark.entries + 1))

    assert erased(world, tmp_path, user_id(1), erasures) == {"done": 0, "open": 1}
    world.marks.replace(world.marks.kept[TENANT], mark)
    assert erased(world, tmp_path, user_id(1), erasures) == {"done": 1, "open": 0}


def test_a_compactor_that_read_the_key_and_slept_writes_nothing_over_what_came_after(tmp_path):
    world = World()
    for number in range(3):
        world.record(number)
    world.relay()
    other, overtaken = world.compactor(tmp_path), []

    class Sleeping(FolderFiles):
        def put(self, name, file, *, instead_of):
            if not overtaken:  # its rows are made; now the key goes, and another finishes the range
                overtaken.append(name)
                world.erase(user_id(1))
                compact(other)
            return super().put(name, file, instead_of=instead_of)

    compact(replace(world.compactor(tmp_path), files=Sleeping(tmp_path)))

    assert overtaken
    assert not any(
        "192.0.2.1" in row["personal"] for name in other.files.names("") for row in other.columns.rows(tmp_path / name)
    )


def test_the_parquet_of_a_tenant_whose_key_is_gone_goes_as_well(tmp_path):
    world, _ = an_old_world(tmp_path)
    files = FolderFiles(tmp_path)

    assert forget_ended([TENANT, OTHER], marks=world.marks, files=files) == 1
    assert list(files.names("")) == []
    assert forget_ended([TENANT, OTHER], marks=world.marks, files=files) == 0
