"""Checkpoints are offered to witnesses, and what they cosigned lies in the bucket; a witness is believed in nothing."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.adapters.memory.audit_witnesses import MemoryWitnesses
from platforma.audit import __main__ as command
from platforma.audit import note
from platforma.audit.cosignature import CosignatureName, WitnessKey, cosigned, parse_name, witnessed
from platforma.audit.publish import checkpoint_key
from platforma.audit.retention import Term
from platforma.audit.witness import Reply, Witness
from platforma.audit.witnesses import ChosenWitness, Offered, Offerer, offer_checkpoints
from platforma.audit.witnesses.errors import Unanswered
from platforma.audit.witnesses.model import status_of
from platforma.audit.witnesses.ports import Answered
from platforma.kernel.clock import rfc3339
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM
from tests.unit.audit.test_witness import MemorySeen
from tests.unit.audit.world import ORIGIN, OTHER, TENANT, Killed, World


class Offered_(World):  # noqa: N801  the world in which checkpoints are offered
    """Logs, and witnesses behind URLs. *answers* are what a URL answers to a body; *asked* is whom was called."""

    def __init__(self) -> None:
        super().__init__(batch=100)
        self.witnesses = MemoryWitnesses()
        self.answers: dict[str, Callable[[bytes], Answered]] = {}
        self.asked: list[str] = []
        self.keys: dict[str, Ed25519PrivateKey] = {}
        self.seen: dict[str, MemorySeen] = {}

    def grown(self, count: int = 3, tenant: str = TENANT) -> int:
        """More entries, and a checkpoint over them; its size."""
        for _ in range(count):
            self.record(len(self.recorded), tenant_id=tenant)
        self.later(minutes=2)
        self.attendant().ring([tenant])
        head = self.store.head(tenant)
        assert head is not None
        return head.checkpoint_size

    def chosen(self, name: str = "witness.example/w", tenant: str = TENANT) -> ChosenWitness:
        """A witness that does as it should."""
        key = self.keys[name] = Ed25519PrivateKey.generate()
        self.seen[name] = MemorySeen()
        logs = {origin: note.keys_of(origin, self.signer) for origin in (ORIGIN, f"audit.example/audit/{OTHER}")}
        witness = Witness(name, key, logs, self.seen[name], self.clock)
        url = f"https://{name}"
        self.answers[url] = lambda body: answered(witness.add_checkpoint(body))
        verifier = WitnessKey(name, key.public_key().public_bytes_raw())
        found = ChosenWitness(new_id("wit"), tenant, str(verifier), url, rfc3339(self.now), "usr_x")
        self.witnesses.add(found, self.begin(tenant).event("success"))
        return found

    def begin(self, tenant: str) -> Attempt:
        return Attempt("r", "audit.witnesses.contradict", self.clock, tenant_id=tenant, principal_type="system")

    def ask(self, url: str, body: bytes) -> Answered:
        self.asked.append(url)
        return self.answers[url](body)

    def offer(self, **more) -> dict[str, int]:
        by = Offerer(self.witnesses, self.store, self.bucket, self.ask, self.clock, self.begin, **more)
        return offer_checkpoints(by)

    def stands(self, witness: ChosenWitness, log_id: str = TENANT) -> Offered:
        return self.witnesses.offered(witness)[log_id]

    def cosignatures(self, log_id: str = TENANT) -> list[CosignatureName]:
        return [name for key in self.bucket.names(f"{log_id}/cosignatures/") if (name := parse_name(key))]


def answered(reply: Reply) -> Answered:
    return Answered(reply.status, reply.body.encode())


@pytest.fixture
def world() -> Offered_:
    return Offered_()


def test_each_checkpoint_is_cosigned_and_lies_under_the_logs_own_lock(world: Offered_):
    witness = world.chosen()
    for _ in range(3):
        size = world.grown()
        assert world.offer() == {"cosigned": 1, "witnesses_failing": 0, "witnesses_contradicting": 0}

        name = str(CosignatureName(TENANT, size, witness.verifier.label))
        kept, checkpoint = world.bucket.objects[name], world.bucket.objects[checkpoint_key(TENANT, size)]
        assert list(witnessed(kept.body, [witness.verifier])) == [witness.verifier]
        assert kept.body.startswith(checkpoint.body)
        assert kept.retain_until == checkpoint.retain_until
    assert world.asked == [witness.url] * 3
    assert status_of(world.witnesses.offered(witness)) == "healthy"


def test_a_cosignature_is_held_as_the_log_is(world: Offered_):
    world.chosen()
    world.grown()

    world.offer(term=lambda _tenant: Term(7, legal_hold=True))

    [name] = world.cosignatures()
    kept = world.bucket.objects[str(name)]
    assert kept.legal_hold
    assert kept.retain_until > world.now + timedelta(days=7 * 365)


def test_what_is_cosigned_is_not_offered_again(world: Offered_):
    world.chosen()
    world.grown()
    world.offer()

    assert world.offer()["cosigned"] == 0
    assert len(world.asked) == 1


def test_a_tenants_witness_sees_its_logs_alone_and_the_platforms_sees_all(world: Offered_):
    own, everyones = world.chosen(), world.chosen("platform.example/w", PLATFORM)
    world.grown()
    world.grown(tenant=OTHER)

    world.offer()

    assert set(world.witnesses.offered(own)) == {TENANT}
    assert set(world.witnesses.offered(everyones)) == {TENANT, OTHER}
    assert [name.witness for name in world.cosignatures(OTHER)] == [everyones.verifier.label]


def test_a_witness_that_saw_another_size_is_shown_growth_from_there(world: Offered_):
    witness = world.chosen()
    for size in range(3):
        world.grown(size + 2)
        world.offer()
    world.witnesses.note(witness, TENANT, Offered())  # we forgot

    world.grown()

    assert world.offer()["cosigned"] == 1
    assert world.asked == [witness.url] * 5


@pytest.mark.parametrize("dies_after", [0, 1])
def test_who_is_killed_after_any_write_is_finished_by_the_next(world: Offered_, dies_after: int):
    witness = world.chosen()
    world.witnesses.after_write = world._written
    world.grown()
    world.dies_after = dies_after
    with pytest.raises(Killed):
        world.offer()
    world.dies_after = None

    world.offer()

    [name] = world.cosignatures()
    assert world.stands(witness).size == name.size
    assert not world.stands(witness).failing_since


def test_a_witness_that_is_down_is_asked_again_later_and_holds_up_no_other(world: Offered_):
    down, up = world.chosen("down.example/w"), world.chosen("up.example/w")
    good, world.answers[down.url] = world.answers[down.url], _raises
    world.grown()

    assert world.offer() == {"cosigned": 1, "witnesses_failing": 1, "witnesses_contradicting": 0}
    assert world.stands(down).error == "TimeoutError"
    assert world.offer()["witnesses_failing"] == 1  # told, and not asked before its time
    assert world.asked.count(down.url) == 1
    world.answers[down.url] = good
    world.later(minutes=2)
    assert world.offer() == {"cosigned": 1, "witnesses_failing": 0, "witnesses_contradicting": 0}

    assert {name.witness for name in world.cosignatures()} == {down.verifier.label, up.verifier.label}


def _raises(_body: bytes) -> Answered:
    raise Unanswered(cause="TimeoutError")


def test_a_witness_that_is_down_is_not_asked_for_every_log(world: Offered_):
    down = world.chosen("down.example/w", PLATFORM)
    world.answers[down.url] = _raises
    world.grown()
    world.grown(tenant=OTHER)

    world.offer()

    assert len(world.asked) == 1


def forged(world: Offered_, body: bytes, *, size: int | None = None, origin: str = ORIGIN, at: float = 0) -> bytes:
    """The right witness's cosignature of another checkpoint, or of another time, than it was asked for."""
    checkpoint = note.parse_checkpoint(note.text_of(body.partition(b"\n\n")[2]))
    other = checkpoint._replace(origin=origin, size=checkpoint.size if size is None else size)
    when = int(world.now.timestamp() + at)
    return cosigned(str(other), "witness.example/w", world.keys["witness.example/w"], when).encode()


def _around(world: Offered_, body: bytes) -> bytes:
    """A cosignature of a note that begins with ours and goes on: it holds for the whole, and not for the checkpoint."""
    signed = body.partition(b"\n\n")[2]
    name = "witness.example/w"
    line = cosigned((signed + b"\n").decode(), name, world.keys[name], int(world.now.timestamp()))
    return b"\n" + line.encode()


ANSWERS = {
    "nothing": lambda _world, _body: b"",
    "noise": lambda _world, _body: b"\xff\x00" * 50,
    "too much": lambda _world, _body: b"\xe2\x80\x94 x eA==\n" * 50_000,
    "html": lambda _world, _body: b"<html></html>\n",
    "a text around ours": _around,
    "another size's": lambda world, body: forged(world, body, size=1),
    "another log's": lambda world, body: forged(world, body, origin=f"audit.example/audit/{OTHER}"),
    "of the future": lambda world, body: forged(world, body, at=3600),
    "another key's": lambda world, body: cosigned(
        note.text_of(body.partition(b"\n\n")[2]),
        "witness.example/w",
        Ed25519PrivateKey.generate(),
        int(world.now.timestamp()),
    ).encode(),
    "a changed bit": lambda world, body: _flipped(forged(world, body)),
}


def _flipped(line: bytes) -> bytes:
    head, _, encoded = line.strip().rpartition(b" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[-1] ^= 1
    return head + b" " + base64.b64encode(raw) + b"\n"


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_without_the_cosignature_that_was_asked_for_is_not_kept(world: Offered_, what: str):
    witness = world.chosen()
    world.answers[witness.url] = lambda body: Answered(200, ANSWERS[what](world, body))
    world.grown()

    assert world.offer() == {"cosigned": 0, "witnesses_failing": 1, "witnesses_contradicting": 0}
    assert not world.cosignatures()
    assert status_of(world.witnesses.offered(witness)) == "failing"


@pytest.mark.parametrize("status", [301, 400, 403, 404, 429, 500])
def test_a_refusal_is_told_by_its_status(world: Offered_, status: int):
    witness = world.chosen()
    world.answers[witness.url] = lambda _body: Answered(status, b"")
    world.grown()

    world.offer()

    assert (world.stands(witness).error, world.stands(witness).contradicts) == (f"status {status}", False)


@pytest.mark.parametrize("body", [b"", b"-1\n", b"01\n", b"x\n", b"2", b"9" * 100_000 + b"\n"])
def test_a_conflict_that_names_no_size_is_no_size(world: Offered_, body: bytes):
    witness = world.chosen()
    world.answers[witness.url] = lambda _body: Answered(409, body)
    world.grown()

    assert world.offer()["witnesses_failing"] == 1
    assert not world.stands(witness).contradicts


def test_a_witness_that_names_another_size_each_time_is_given_up(world: Offered_):
    witness = world.chosen()
    world.grown(9)
    world.answers[witness.url] = lambda body: Answered(409, b"%d\n" % (int(body.split()[1]) + 1))

    world.offer()

    assert len(world.asked) == 3
    assert not world.stands(witness).contradicts


def test_more_than_there_is_contradicts_the_log(world: Offered_):
    """The head was rolled back, and the witness remembers."""
    witness = world.chosen()
    world.grown()
    world.answers[witness.url] = lambda _body: Answered(409, b"99\n")

    assert world.offer()["witnesses_contradicting"] == 1
    assert world.stands(witness).error == "It saw 99 entries, and there are fewer."


def resigned(world: Offered_, *sizes: int) -> Offered_:
    """Another log of this name, signed by the same key and offered to the same witnesses: what only its owner can do."""
    fork = Offered_()
    fork.signer, fork.witnesses, fork.answers, fork.now = world.signer, world.witnesses, world.answers, world.now
    for size in sizes:
        fork.grown(size)
    return fork


@pytest.mark.parametrize("sizes", [(4,), (4, 5), (2,)])
def test_a_forked_log_gets_no_cosignature_and_is_told_of(world: Offered_, sizes: tuple[int, ...]):
    witness = world.chosen()
    world.grown(4)
    world.offer()
    before = dict(world.seen["witness.example/w"].texts)

    fork = resigned(world, *sizes)
    world.witnesses.note(witness, TENANT, Offered())  # the fork's owner begins anew
    done = fork.offer()

    assert done == {"cosigned": 0, "witnesses_failing": 1, "witnesses_contradicting": 1}
    assert not fork.cosignatures()
    assert world.seen["witness.example/w"].texts == before
    told = world.witnesses.events[-1]
    assert (told.action, told.reason, told.resource) == ("audit.witnesses.contradict", "log_contradicted", witness.id)
    count = len(world.witnesses.events)
    fork.later(hours=1)
    fork.offer()
    assert len(world.witnesses.events) == count  # told once


def test_a_log_that_is_not_whole_is_not_offered(world: Offered_):
    witness = world.chosen()
    size = world.grown()
    del world.bucket.objects[checkpoint_key(TENANT, size)]

    assert world.offer()["witnesses_failing"] == 1
    assert world.asked == []
    assert world.stands(witness).error == "internal"


# What the verifier says of it


def verified(world: Offered_, folder: Path, *more: str) -> list[str]:
    world.export(folder)
    return ["verify", str(folder), "--key", world.key(), *more]


def test_the_verifier_asks_for_a_quorum(world: Offered_, tmp_path: Path, capsys):
    first, second, third = (world.chosen(f"{name}.example/w") for name in "abc")
    world.answers[third.url] = _raises
    size = world.grown()
    world.offer()
    each = [part for one in (first, second, third) for part in ("--witness", one.key)]

    assert command.main(verified(world, tmp_path)) == 0
    assert command.main(verified(world, tmp_path, *each, "--quorum", "2", "--json")) == 0
    [log] = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))["logs"]
    assert (log["witnessed"], log["cosignatures"]) == (size, 2)
    assert command.main(verified(world, tmp_path, *each)) == 1
    assert "No checkpoint is cosigned by 3 of the 3 witnesses." in capsys.readouterr().out


def test_the_newest_checkpoint_or_one_not_much_older_is_cosigned(world: Offered_, tmp_path: Path, capsys):
    witness = world.chosen()
    world.grown()
    world.offer()
    world.grown(1)
    asked = ["--witness", witness.key]

    assert command.main(verified(world, tmp_path, *asked)) == 0
    assert "3 cosigned by the witnesses asked for" in capsys.readouterr().out
    assert command.main(verified(world, tmp_path, *asked, "--witnessed-within", "0")) == 1
    assert "Of 4 entries only 3 are under a checkpoint cosigned by 1 of the 1" in capsys.readouterr().out
    world.later(hours=1)
    world.grown(1)
    assert command.main(verified(world, tmp_path, *asked)) == 1


def test_a_fork_is_named_by_the_verifier(world: Offered_, tmp_path: Path, capsys):
    """Its owner can sign it, and not have it cosigned; the first log's cosignatures put into it show what it is."""
    witness = world.chosen()
    world.grown(4)
    world.offer()
    fork = resigned(world, 4, 5)

    assert command.main(verified(fork, tmp_path, "--witness", witness.key)) == 1
    assert "No checkpoint is cosigned" in capsys.readouterr().out
    [name] = world.cosignatures()
    fork.bucket.objects[str(name)] = world.bucket.objects[str(name)]
    assert command.main(verified(fork, tmp_path, "--witness", witness.key)) == 1
    assert "The log was forked: its first 4 entries were others" in capsys.readouterr().out


def test_a_log_that_was_cut_back_is_named_so(world: Offered_, tmp_path: Path, capsys):
    witness = world.chosen()
    world.grown(4)
    world.offer()
    shorter = resigned(world, 2)
    [name] = world.cosignatures()
    shorter.bucket.objects[str(name)] = world.bucket.objects[str(name)]

    assert command.main(verified(shorter, tmp_path, "--witness", witness.key)) == 1
    assert "The log was cut back: entries 2 to 3 are missing." in capsys.readouterr().out


def rename(world: Offered_, **what) -> None:
    [name] = world.cosignatures()
    world.bucket.objects[str(name._replace(**what))] = world.bucket.objects.pop(str(name))


def test_a_cosignature_in_another_place_is_found(world: Offered_, tmp_path: Path, capsys):
    witness = world.chosen()
    world.grown(2)
    world.offer()
    size = world.grown(2)

    rename(world, size=size)

    assert command.main(verified(world, tmp_path, "--witness", witness.key)) == 1
    told = capsys.readouterr().out
    assert f"Is of the checkpoint of {ORIGIN} at size 2." in told
    assert "No checkpoint is cosigned" in told


def test_a_cosignature_under_another_name_is_found(world: Offered_, tmp_path: Path, capsys):
    world.chosen()
    world.grown(2)
    world.offer()

    rename(world, witness="other.example/w+00000000")

    assert command.main(verified(world, tmp_path)) == 1
    assert "Is by another witness." in capsys.readouterr().out


def test_a_cosignature_that_was_changed_is_found(world: Offered_, tmp_path: Path, capsys):
    witness = world.chosen()
    world.grown(2)
    world.offer()
    [name] = world.cosignatures()
    kept = world.bucket.objects[str(name)]
    head, _, line = kept.body[:-1].rpartition(b"\n")
    kept.body = head + b"\n" + _flipped(line)

    assert command.main(verified(world, tmp_path, "--witness", witness.key)) == 1
    assert "A cosignature is wrong." in capsys.readouterr().out


def test_a_checkpoint_that_was_taken_away_is_missed(world: Offered_, tmp_path: Path, capsys):
    world.chosen()
    size = world.grown(2)
    world.offer()
    world.grown(2)
    del world.bucket.objects[checkpoint_key(TENANT, size)]

    assert command.main(verified(world, tmp_path)) == 1
    assert "The checkpoint that was cosigned is missing." in capsys.readouterr().out


def test_a_checkpoint_that_the_witness_itself_kept_counts(world: Offered_, tmp_path: Path):
    witness = world.chosen()
    world.grown(2)
    world.offer()
    [name] = world.cosignatures()
    (tmp_path / "kept").write_bytes(world.bucket.objects.pop(str(name)).body)

    asked = ["--witness", witness.key, "--witnessed-within", "0"]
    assert command.main(verified(world, tmp_path / "log", *asked)) == 1
    assert command.main(verified(world, tmp_path / "log", *asked, "--checkpoint", str(tmp_path / "kept"))) == 0


@pytest.mark.parametrize("asked", [["--quorum", "1"], ["--witness", "W", "--quorum", "2"], ["--witness", "x+y+z"]])
def test_a_quorum_of_nobody_is_none(world: Offered_, tmp_path: Path, asked: list[str]):
    witness = world.chosen()
    world.grown(2)

    assert command.main(verified(world, tmp_path, *[witness.key if one == "W" else one for one in asked])) == 2


def test_a_witness_is_asked_for_of_a_log_alone(world: Offered_, tmp_path: Path, capsys):
    (tmp_path / "event.json").write_text("{}")

    assert command.main(["verify", str(tmp_path / "event.json"), "--witness", world.chosen().key]) == 2
    assert "--witness" in capsys.readouterr().err
