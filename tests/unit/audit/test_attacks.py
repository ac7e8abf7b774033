"""Attacks on the log that need no store of AWS's: clocks, crowds, pauses, replays, and what callers write into events."""

import json
import threading
from dataclasses import replace

import pytest

from platforma.audit import note, segment
from platforma.audit.__main__ import main
from platforma.audit.errors import EventTooLarge
from platforma.audit.publish import checkpoint_key
from platforma.audit.query import Query
from platforma.audit.search import search
from platforma.audit.sources import Folder
from platforma.audit.verify import Trusted, verify
from tests.unit.audit.world import TENANT, World, event_id


def verified(world: World, folder, *, seen: tuple[bytes, ...] = ()):
    return verify(Folder(world.export(folder)), Trusted((note.parse_key(world.key()),), (), seen))


def checkpoints(world: World) -> list[str]:
    return sorted(name for name in world.bucket.objects if "/checkpoints/" in name)


def a_log(*, rounds: int = 3) -> World:
    """A log with a checkpoint for each of its rounds."""
    world = World()
    for number in range(rounds):
        world.record(number)
        world.attendant().ring([TENANT])
        world.later(minutes=2)
    assert len(checkpoints(world)) == rounds
    return world


def test_twenty_relays_at_once_leave_one_whole_log(tmp_path):
    world = World()
    for number in range(60):
        world.record(number)
    together = threading.Barrier(20)
    failures: list[BaseException] = []

    def one() -> None:
        try:
            together.wait(10)
            world.relay()
        except BaseException as error:  # noqa: BLE001  whatever it is, the test tells it
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    world.later(minutes=2)
    world.attendant().ring([TENANT])

    assert failures == []
    world.check()
    assert verified(world, tmp_path).whole


def test_a_stream_that_is_paused_for_25_hours_loses_nothing_and_the_silence_is_told(tmp_path):
    world = World(batch=50)
    world.record(0)
    world.attendant().ring([TENANT])
    for number in range(1, 26):  # nobody rings, and no schedule runs
        world.later(hours=1)
        world.record(number)
    waiting = search(Query(TENANT, limit=200), store=world.store, envelope=world.envelope).events

    world.attendant().sweep()
    world.later(minutes=2)
    world.attendant().sweep()

    assert len(waiting) == 26
    report = verified(world, tmp_path)
    assert report.whole
    entries = [json.loads(line) for line in world.lines()]
    assert [entry["id"] for entry in entries if entry["action"] != "audit.heartbeat"] == [event_id(n) for n in range(26)]
    assert len(report.logs[0].silences) >= 24


def test_a_clock_that_is_moved_back_changes_no_order_and_unlocks_nothing(tmp_path):
    world = World()
    world.record(0)
    world.attendant().ring([TENANT])
    locked = {name: kept.retain_until for name, kept in world.bucket.objects.items()}
    world.later(days=-30)
    world.record(1)
    world.later(minutes=2)
    world.attendant().ring([TENANT])
    of_both = world.bucket.objects[checkpoints(world)[-1]]
    world.later(days=30, minutes=5)
    world.record(2)
    world.attendant().ring([TENANT])

    assert [json.loads(line)["id"] for line in world.lines()] == [event_id(0), event_id(1), event_id(2)]
    assert all(world.bucket.objects[name].retain_until >= until for name, until in locked.items())
    assert note.parse_checkpoint(note.text_of(of_both.body)).size == 2
    assert of_both.retain_until >= max(locked.values())
    assert verified(world, tmp_path).whole


def test_an_old_checkpoint_replayed_as_the_newest_is_named(tmp_path):
    world = a_log()
    old = world.bucket.objects[checkpoints(world)[0]]
    world.bucket.objects[checkpoint_key(TENANT, 9)] = replace(old)

    report = verified(world, tmp_path)

    assert not report.whole
    assert any(checkpoint_key(TENANT, 9) in fault.where for fault in report.logs[0].faults)


def test_a_log_cut_back_to_an_old_checkpoint_does_not_agree_with_one_that_was_kept(tmp_path):
    world = a_log()
    kept = world.bucket.objects[checkpoints(world)[-1]].body
    size = note.parse_checkpoint(note.text_of(world.bucket.objects[checkpoints(world)[0]].body)).size
    for name in list(world.bucket.objects):
        parsed = segment.parse_name(name)
        tile = "/tile/" in name and name.rpartition(".p/")[2] != str(size)
        if tile or (parsed and parsed.first >= size) or name in checkpoints(world)[1:]:
            del world.bucket.objects[name]

    assert verified(world, tmp_path / "alone").whole, "by itself an older state of the log is a whole log"
    assert not verified(world, tmp_path / "kept", seen=(kept,)).whole


AGENTS = [
    'curl/8\r\nX-Admin: 1\r\n{"action":"settings.users.delete"}',
    "\x1b]0;owned\x07\x1b[2J\x1b[31mdenied",
    "\u202egnp.exe \u2066\u2028\u2029\u0085",
    "\x00\x1f\x7f",
    "\U0001f600 \ufeff \ud7ff\ue000 \U0010ffff",
    "e\u0301 \u00e9 \ufb01",
]


@pytest.mark.parametrize("agent", AGENTS)
def test_whatever_a_user_agent_holds_is_one_entry_on_one_line_and_moves_no_terminal(agent, tmp_path, capsys):
    world = World()
    world.record(0, user_agent=agent, resource=agent[:200])
    world.record(1)
    world.attendant().ring([TENANT])

    (found,) = search(Query(TENANT, resource=agent[:200]), store=world.store, envelope=world.envelope).events
    assert (found["user_agent"], found["resource"]) == (agent, agent[:200])
    assert len(world.lines()) == 2
    assert not any(byte < 0x20 for line in world.lines() for byte in line)
    assert main(["verify", str(world.export(tmp_path)), "--key", world.key()]) == 0
    assert all(character.isprintable() or character == "\n" for character in capsys.readouterr().out)


def test_an_object_named_to_move_a_terminal_is_told_without_doing_so(tmp_path, capsys):
    world = a_log(rounds=1)
    folder = world.export(tmp_path)
    (folder / TENANT / "segments" / "\x1b[2Jx").write_bytes(b"")

    assert main(["verify", str(folder), "--key", world.key()]) == 1
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("field", ["resource", "user_agent", "reason"])
def test_a_field_of_400_kilobytes_is_refused_before_anything_is_kept(field):
    world = World()

    with pytest.raises(EventTooLarge):
        world.outbox.enter(replace(world.event(1), **{field: "\u20ac" * 140_000}))

    assert not world.store.pending(TENANT, limit=1).rows
    world.record(2)
    world.relay()
    assert len(world.lines()) == 1
