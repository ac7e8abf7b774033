"""Exports and erasures: no file that we keep tells of who was erased, however the two run into one another."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from platforma.adapters.memory.erasures import MemoryErasures
from platforma.audit.erase import destroy_key
from platforma.audit.erasure import Erasure, ask_for_erasure, erase_persons
from platforma.audit.exports import forget_exported, forget_exports_of_ended, read_export, run_exports
from platforma.audit.exports.model import KEPT, Export
from platforma.audit.proof import Published
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Attempt
from platforma.keys.errors import NoSuchKey
from tests.unit.audit.test_exports import Exporting
from tests.unit.audit.world import TENANT, Killed, user_id

ADA = user_id(1)
HERS = b"192.0.2.1"


class Erasing(Exporting):
    def __init__(self) -> None:
        super().__init__()
        self.erasures = MemoryErasures()

    def ask_to_erase(self, person: str = ADA) -> None:
        attempt = Attempt("r", "settings.users.erase", self.clock, tenant_id=TENANT, principal_type="user")
        ask_for_erasure(TENANT, person, erasures=self.erasures, attempt=attempt)

    def erase(self) -> Erasure:
        published = Published(self.store, self.bucket)
        erase_persons(erasures=self.erasures, by=self.relay_with(), published=published, host="audit.example")
        return self.erasure()

    def erasure(self, person: str = ADA) -> Erasure:
        found = self.erasures.get(TENANT, person)
        assert found is not None
        return found

    def no_old_events(self) -> None:
        """There is no Parquet to look at."""
        found = self.erasure()
        assert self.erasures.replace(found, replace(found, cold_place=None))

    def until_indexes_are_rewritten(self, person: str = ADA) -> None:
        self.ask_to_erase(person)
        assert self.erase().status == "erased"
        self.later(minutes=2)
        self.erase()
        self.no_old_events()
        assert self.erasure().place is None

    def forget(self) -> dict[str, int]:
        return forget_exported(erasures=self.erasures, exports=self.exports, files=self.files, clock=self.clock)

    def kept(self) -> bytes:
        return b"".join(self.files.bodies.values())

    def read(self, export: Export) -> Export:
        return read_export(TENANT, export.id, exports=self.exports)

    def finish(self) -> Erasure:
        self.record(90, user_id=user_id(9))
        self.later(minutes=2)
        self.attendant().ring([TENANT])
        return self.erase()


def a_world() -> Erasing:
    world = Erasing()
    world.with_events(6)
    return world


@pytest.mark.parametrize("kind", ["jsonl", "csv", "ocsf", "parquet"])
def test_an_export_made_before_is_made_anew_without_the_person_and_verifies(kind: str, tmp_path):
    world = a_world()
    export = world.made(kind)
    world.until_indexes_are_rewritten()
    assert world.erase().status == "erased", "its export is still to be made anew"

    assert world.forget() == {"done": 1, "open": 0}
    assert world.files.bodies == {}
    assert world.read(export).status == "queued"
    run_exports(world.by())

    anew = world.read(export)
    assert (anew.status, anew.events, anew.sizes) == ("done", export.events, export.sizes)
    assert HERS not in world.kept()
    assert not world.verified(world.folder(anew, tmp_path)).faults
    done = world.finish()
    assert (done.status, done.exports_remade) == ("done", 1)
    assert "exports_place" not in done.as_json()


def test_an_export_that_is_in_the_making_is_waited_for_and_made_anew():
    world = a_world()
    asked = world.ask()
    world.exports.after_write = world.files.after_write = lambda what: stop() if what == "file" else None

    def stop() -> None:
        if len(world.files.bodies) == 3:  # a part is noted, and another lies there
            raise Killed

    with pytest.raises(Killed):
        run_exports(world.by(part=2))
    world.exports.after_write = world.files.after_write = lambda _what: None
    world.until_indexes_are_rewritten()
    assert HERS in world.kept()

    held = world.read(asked)
    assert held.leased_until > world.now.timestamp()
    assert world.forget() == {"done": 0, "open": 1}
    world.later(minutes=5)
    assert world.forget() == {"done": 1, "open": 0}
    assert world.files.bodies == {}
    run_exports(world.by(part=2))

    assert world.read(asked).status == "done"
    assert HERS not in world.kept()


def test_a_part_that_nobody_noted_goes_too():
    world = a_world()
    asked = world.ask(user_id=ADA)

    def stop(what: str) -> None:
        if what == "file" and len(world.files.bodies) == 2:
            raise Killed

    world.files.after_write = stop
    with pytest.raises(Killed):
        run_exports(world.by())
    world.files.after_write = lambda _what: None
    assert HERS in world.kept()
    world.later(minutes=6)

    world.until_indexes_are_rewritten()
    world.forget()

    assert world.files.bodies == {}
    run_exports(world.by())
    assert world.read(asked).status == "done"


def test_killed_after_any_write_the_next_call_ends_the_same():
    for kill_at in range(1, 12):
        world = a_world()
        export = world.made()
        world.until_indexes_are_rewritten()
        writes = 0

        def count(_what: str, limit: int = kill_at) -> None:
            nonlocal writes
            writes += 1
            if writes == limit:
                raise Killed

        world.exports.after_write = world.files.after_write = count
        try:
            world.forget()
        except Killed:
            world.exports.after_write = world.files.after_write = lambda _what: None
            world.forget()
        world.exports.after_write = world.files.after_write = lambda _what: None
        run_exports(world.by())

        assert world.read(export).status == "done"
        assert HERS not in world.kept()


def test_an_export_that_does_not_name_the_person_stays_as_it_is():
    world = a_world()
    export = world.made(user_id=user_id(2))
    before = dict(world.files.bodies)
    world.until_indexes_are_rewritten()

    assert world.forget() == {"done": 1, "open": 0}

    assert world.files.bodies == before
    assert world.read(export) == export
    assert world.finish().exports_remade == 0


def test_exports_are_left_alone_as_long_as_an_index_tells_of_the_person():
    world = a_world()
    export = world.made()
    world.ask_to_erase()
    world.erase()

    assert world.forget() == {"done": 0, "open": 0}
    assert world.read(export).status == "done"


def test_an_export_whose_files_are_over_is_not_begun_anew():
    world = a_world()
    export = world.made()
    world.later(seconds=KEPT.total_seconds())
    world.until_indexes_are_rewritten()

    assert world.forget() == {"done": 1, "open": 0}
    assert world.read(export) == export


def test_many_exports_are_gone_through_call_by_call():
    world = a_world()
    exports = [world.made() for _ in range(3)]
    world.until_indexes_are_rewritten()
    clock, calls = world.clock, 0

    def slow():
        nonlocal calls
        calls += 1
        return clock() + timedelta(seconds=15 * calls)

    rounds = 0
    while world.erasure().exports_place is not None:
        calls = 0
        forget_exported(erasures=world.erasures, exports=world.exports, files=world.files, clock=slow)
        rounds += 1
        assert rounds < 10
    assert rounds > 1
    assert {world.read(one).status for one in exports} == {"queued"}
    assert world.erasure().exports_remade == 3


def test_one_whose_log_is_broken_holds_up_the_erasure_of_no_other(monkeypatch):
    world = a_world()
    world.ask_to_erase(user_id(2))
    world.ask_to_erase()

    def broken(_tenant_id: str, person: str, **more: Any) -> None:
        if person == user_id(2):
            raise NoSuchKey
        destroy_key(TENANT, person, **more)

    monkeypatch.setattr("platforma.audit.erasure.destroy_key", broken)
    with pytest.raises(NoSuchKey):
        world.erase()

    assert world.erasure().status == "erased"
    assert world.erasure(user_id(2)).status == "accepted"


def test_an_export_that_meets_a_failing_dependency_holds_up_no_other(monkeypatch):
    world = a_world()
    first, second = world.ask(), world.ask()
    put = world.files.put

    def failing(name: str, *rest: object) -> None:
        if first.id in name:
            raise Unavailable
        put(name, *rest)

    monkeypatch.setattr(world.files, "put", failing)
    with pytest.raises(Unavailable):
        run_exports(world.by())

    assert world.read(second).status == "done"
    monkeypatch.undo()
    world.later(minutes=6)
    run_exports(world.by())
    assert world.read(first).status == "done"


def test_an_export_of_a_tenant_that_is_deleted_meanwhile_ends_and_is_nobodys_failure(monkeypatch):
    world = a_world()
    export = world.ask()

    def gone(*_args: object) -> None:
        raise NoSuchKey

    monkeypatch.setattr("platforma.audit.exports.work.looked_through", gone)
    assert run_exports(world.by()) == {"done": 0, "failed": 0}
    assert world.read(export).status == "failed"


def test_the_files_of_a_deleted_tenants_exports_are_deleted():
    world = a_world()
    export, running = world.made(), world.ask()
    until = int((world.now + timedelta(minutes=5)).timestamp())
    world.exports.replace(replace(running, leased_until=until))

    def ended() -> int:
        return forget_exports_of_ended([TENANT], exports=world.exports, files=world.files, clock=world.clock)

    assert ended() == 1
    assert world.files.bodies == {}
    assert world.read(export).parts == 0
    assert world.read(running).status == "queued"
    world.later(minutes=6)
    assert ended() == 1
    assert ended() == 0
    assert {world.read(one).reason for one in (export, running)} == {"tenant_deleted"}
    assert run_exports(world.by()) == {"done": 0, "failed": 0}


def test_an_event_of_an_erased_person_still_has_every_field():
    world = a_world()
    export = world.made()
    world.until_indexes_are_rewritten()
    world.forget()
    run_exports(world.by())

    events = [json.loads(line) for body in world.bodies(world.read(export)) for line in body.splitlines()]
    assert {(event["ip_address"], event["user_agent"]) for event in events if event["user_id"] == ADA} == {(None, None)}
