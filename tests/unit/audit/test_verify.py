"""The verifier says yes to a whole log, and names what is wrong with one that is not."""

import gzip
import json
import subprocess
import sys
from datetime import timedelta

import pytest

from platforma.audit import note
from platforma.audit.__main__ import main
from platforma.audit.segment_text import text_of
from platforma.audit.sources import Folder
from platforma.audit.verify import Trusted, verify
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import Unavailable
from tests.unit.audit.world import OTHER, TENANT, World

KINDS = ["segments", "tile", "checkpoints"]


@pytest.fixture
def world():
    world = World(batch=3)
    for number in range(8):
        world.record(number, user_agent="a\nb\x1b[31m\u2028\U0001f600")
        if number == 3:
            world.attendant().ring([TENANT])
            world.later(minutes=2)
    world.attendant().ring([TENANT])
    return world


@pytest.fixture
def folder(world, tmp_path):
    return world.export(tmp_path)


def report(world, folder):
    found = verify(Folder(folder), Trusted((note.parse_key(world.key()),)))
    return found.whole, [f"{fault.where}: {fault.what}" for log in found.logs for fault in log.faults]


def objects(folder, kind):
    return sorted(path for path in (folder / TENANT / kind).rglob("*") if path.is_file())


def test_a_whole_log_is_whole(world, folder, capsys):
    assert report(world, folder) == (True, [])
    assert main(["verify", str(folder), "--key", world.key()]) == 0
    assert "8 entries" in capsys.readouterr().out


def test_every_byte_of_every_object_matters(world, folder):
    for kind in KINDS:
        for path in objects(folder, kind):
            body = path.read_bytes()
            for at in range(0, len(body), 7):
                changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
                if kind == "segments" and text_of(changed) == text_of(body):
                    continue  # what compresses to the same entries is the same log: gzip's clock, another back reference
                path.write_bytes(changed)
                whole, faults = report(world, folder)
                assert not whole, f"{path} byte {at}"
                assert faults
            path.write_bytes(body)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_object_is_missed(world, folder, kind):
    for path in objects(folder, kind)[:-1]:
        body = path.read_bytes()
        path.unlink()
        whole, faults = report(world, folder)
        if kind == "checkpoints":
            assert whole  # the later one covers all
        else:
            assert not whole
            assert faults
        path.write_bytes(body)


def rewritten(path, change):
    lines = gzip.decompress(path.read_bytes()).splitlines()
    path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in change(lines))))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines[::-1], "Says it is entry 2"),
        (lambda lines: lines[:-1], "Holds 2 entries instead of 3"),
        (lambda lines: [*lines, lines[0]], "in the log twice"),
        (lambda lines: [lines[0].replace(b'"success"', b'"denied"'), *lines[1:]], "the hash of entry 0 is another"),
        (lambda lines: [lines[0].replace(TENANT.encode(), OTHER.encode()), *lines[1:]], f"of {OTHER}"),
        (lambda lines: [b"{}", *lines[1:]], "Is not an entry"),
    ],
)
def test_what_was_done_to_a_segment_is_told(world, folder, change, told):
    rewritten(objects(folder, "segments")[0], change)

    whole, faults = report(world, folder)

    assert not whole
    assert any(told in fault for fault in faults), faults


def test_a_log_cut_off_below_its_checkpoint_is_short(world, folder):
    objects(folder, "segments")[-1].unlink()

    _, faults = report(world, folder)

    assert any("Entries 7 to 7 are missing" in fault or "are missing" in fault for fault in faults)


def test_a_log_signed_by_somebody_else_is_not_believed(world, folder):
    stranger = World()

    whole, faults = False, verify(Folder(folder), Trusted((note.parse_key(stranger.key()),))).logs[0].faults

    assert not whole
    assert any("no known key" in fault.what for fault in faults)


def test_one_tenants_log_does_not_pass_as_anothers(world, folder):
    (folder / TENANT).rename(folder / OTHER)

    whole, faults = report(world, folder)

    assert not whole
    assert any("Is the checkpoint of" in fault for fault in faults)


def test_what_does_not_belong_is_named(world, folder):
    (folder / TENANT / "tile" / "x\x1b").write_bytes(b"")

    whole, faults = report(world, folder)

    assert not whole
    assert len(faults) == 1


def test_silence_is_told(world, tmp_path):
    world.later(hours=2)
    world.record(40)
    world.attendant().ring([TENANT])

    found = verify(Folder(world.export(tmp_path)), Trusted((note.parse_key(world.key()),)))

    assert found.whole
    assert len(found.logs[0].silences) == 1


def test_one_heartbeat_that_was_not_made_is_a_silence_and_those_that_were_are_none(world, tmp_path):
    for minutes in range(1, 100):
        world.later(minutes=1)
        if minutes not in range(25, 40):  # when nobody swept, and one was due
            world.attendant().sweep()
    world.later(minutes=2)
    world.record(40)
    world.attendant().ring([TENANT])

    [log] = verify(Folder(world.export(tmp_path)), Trusted((note.parse_key(world.key()),))).logs

    assert log.entries == 8 + 8 + 1
    assert len(log.silences) == 1
    assert log.uncovered == []


def test_entries_that_had_no_checkpoint_for_long_are_told_by_when_they_were_received(world, tmp_path, capsys):
    since = rfc3339(world.now)
    for number in range(40, 50):
        world.record(number)
        world.later(minutes=1)
    world.relay()  # enters them, and signs nothing

    late = verify(Folder(world.export(tmp_path / "late")), Trusted((note.parse_key(world.key()),)))
    world.attendant().sweep()
    main(["verify", str(world.export(tmp_path / "then")), "--key", world.key()])

    until = rfc3339(world.now - timedelta(minutes=1))
    assert late.whole
    assert late.logs[0].uncovered == [(since, until)]
    assert f"without a checkpoint from {since} to {until} at least" in capsys.readouterr().out


def test_a_log_that_was_cut_back_or_forked_disagrees_with_a_checkpoint_that_was_kept(world, folder, tmp_path, capsys):
    kept = tmp_path / ".." / f"kept-{tmp_path.name}"
    newest = objects(folder, "checkpoints")[-1]
    kept.write_bytes(newest.read_bytes())
    command = ["verify", str(folder), "--key", world.key(), "--checkpoint", str(kept)]
    assert main(command) == 0
    newest.unlink()
    for path in [*objects(folder, "segments"), *objects(folder, "tile")]:
        if "00000004-" in path.name or "00000007-" in path.name or path.name.endswith("8"):
            path.unlink()
    assert report(world, folder) == (True, [])

    assert main(command) == 1
    assert "The log was cut back: entries 4 to 7 are missing" in capsys.readouterr().out

    other = World(batch=3)
    other.signer = world.signer
    for number in range(8):
        other.record(number, result="denied")
    other.attendant().ring([TENANT])
    forked = other.export(tmp_path / "fork")
    assert main(["verify", str(forked), "--key", world.key(), "--checkpoint", str(kept)]) == 1
    assert "were others when it was signed" in capsys.readouterr().out


def test_the_command_says_what_it_needs(folder, world, capsys):
    assert main(["verify", str(folder)]) == 2
    assert main(["verify", str(folder / "nowhere"), "--key", world.key()]) == 2
    assert main(["verify", str(folder), "--key", "junk"]) == 2
    (folder / TENANT / "checkpoints" / "00000000000000000009").write_bytes(b"")
    capsys.readouterr()
    assert main(["verify", str(folder), "--key", world.key(), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["whole"] is False


def test_a_bucket_that_cannot_be_listed_is_told_of_without_a_trace(world, capsys, monkeypatch):
    def unlisted(_name: str) -> None:
        raise Unavailable(cause="NoSuchBucket")

    monkeypatch.setattr("platforma.adapters.s3_source.S3Source", unlisted)

    assert main(["verify", "s3://nowhere", "--key", world.key()]) == 2
    assert capsys.readouterr().err == "The source cannot be read: NoSuchBucket\n"


def test_the_command_runs_where_there_is_nothing_of_aws(folder, world):
    code = (
        "import sys\n"
        "for name in 'boto3 botocore pynamodb hvac aws_lambda_powertools pydantic'.split(): sys.modules[name] = None\n"
        "from platforma.audit.__main__ import main\n"
        f"sys.exit(main(['verify', {str(folder)!r}, '--key', {world.key()!r}]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert done.returncode == 0, done.stderr
