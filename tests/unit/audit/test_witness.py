"""A witness cosigns what it is shown to have grown, and refuses a log that was forked, cut back or signed by another."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.adapters.memory.audit import MemorySigner
from platforma.audit import note, tree
from platforma.audit.cosignature import WitnessKey, parse_witness_key, witnessed
from platforma.audit.errors import LogBroken
from platforma.audit.note import keys_of
from platforma.audit.witness import Witness, request_of

ORIGIN = "audit.example/audit/ten_x"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LEAVES = [tree.leaf_hash(str(number).encode()) for number in range(40)]
FORKED = [*LEAVES[:4], tree.leaf_hash(b"another"), *LEAVES[5:]]


class MemorySeen:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def get(self, origin: str) -> str | None:
        return self.texts.get(origin)

    def put(self, origin: str, before: str | None, after: str) -> bool:
        if self.texts.get(origin) != before:
            return False
        self.texts[origin] = after
        return True


class Log:
    def __init__(self, leaves: list[bytes], signer: MemorySigner) -> None:
        self.leaves, self.signer = leaves, signer

    def node(self, level: int, index: int) -> bytes:
        return tree.root_of(tree.extended((), 0, self.leaves[index << level : (index + 1) << level]))

    def root(self, size: int) -> bytes:
        return tree.root_of(tree.extended((), 0, self.leaves[:size]))

    def signed(self, size: int) -> bytes:
        return note.sign(note.Checkpoint(ORIGIN, size, self.root(size)), self.signer)

    def asked(self, old: int, size: int) -> bytes:
        proof = tree.consistency(old, size, self.node) if 0 < old < size else []
        return request_of(old, proof, self.signed(size))


@pytest.fixture
def signer() -> MemorySigner:
    return MemorySigner()


@pytest.fixture
def log(signer: MemorySigner) -> Log:
    return Log(LEAVES, signer)


@pytest.fixture
def witness(signer: MemorySigner) -> Witness:
    logs = {ORIGIN: keys_of(ORIGIN, signer)}
    return Witness("witness.example/w", Ed25519PrivateKey.generate(), logs, MemorySeen(), clock=lambda: NOW)


def key_of(witness: Witness) -> WitnessKey:
    return WitnessKey(witness.name, witness.key.public_key().public_bytes_raw())


def test_what_grew_is_cosigned_and_the_cosignature_holds(witness: Witness, log: Log):
    for old, size in [(0, 3), (3, 7), (7, 7), (7, 40)]:
        reply = witness.add_checkpoint(log.asked(old, size))

        assert reply.status == 200
        assert witnessed(log.signed(size) + reply.body.encode(), [key_of(witness)]) == {
            key_of(witness): int(NOW.timestamp())
        }


def test_a_forked_log_is_refused_and_the_fork_stays_without_cosignature(witness: Witness, log: Log, signer: MemorySigner):
    witness.add_checkpoint(log.asked(0, 7))
    fork = Log(FORKED, signer)

    assert witness.add_checkpoint(fork.asked(7, 20)).status == 422
    assert witness.add_checkpoint(fork.asked(7, 7)).status == 409
    assert witness.add_checkpoint(fork.asked(0, 20)).status == 409
    assert witness.add_checkpoint(log.asked(7, 20)).status == 200


def test_a_log_that_was_cut_back_is_refused(witness: Witness, log: Log):
    witness.add_checkpoint(log.asked(0, 20))

    again = witness.add_checkpoint(log.asked(7, 7))

    assert (again.status, again.body, again.media_type) == (409, "20\n", "text/x.tlog.size")


def test_of_two_at_once_the_later_is_told_the_size(witness: Witness, log: Log):
    seen = witness.seen
    plain = seen.get

    def slow(origin: str) -> str | None:
        found = plain(origin)
        if found is None:
            seen.put(origin, None, note.text_of(log.signed(5)))  # another request, in between
        return found

    seen.get = slow

    reply = witness.add_checkpoint(log.asked(0, 3))

    assert (reply.status, reply.body) == (409, "5\n")


def test_what_the_log_did_not_sign_is_refused(witness: Witness):
    assert witness.add_checkpoint(Log(LEAVES, MemorySigner()).asked(0, 3)).status == 403


def test_another_log_is_unknown(witness: Witness, log: Log, signer: MemorySigner):
    other = note.sign(note.Checkpoint("audit.example/audit/ten_y", 3, log.root(3)), signer)

    assert witness.add_checkpoint(request_of(0, [], other)).status == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n\nx",
        b"old -1\n\n",
        b"old 01\n\n",
        b"old 0\nnot base64\n\n",
        b"old 0\nAAAA\n\n",
        b"old 0\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n",
        b"\xff" * 100_000,
    ],
)
def test_what_is_no_request_is_malformed(witness: Witness, log: Log, body: bytes):
    assert witness.add_checkpoint(body + (log.signed(3) if body.endswith(b"\n\n") else b"")).status == 400


def test_an_old_size_beyond_the_checkpoint_is_malformed(witness: Witness, log: Log):
    assert witness.add_checkpoint(request_of(4, [], log.signed(3))).status == 400


def test_a_proof_where_none_belongs_is_refused(witness: Witness, log: Log):
    assert witness.add_checkpoint(request_of(0, [bytes(32)], log.signed(3))).status == 422


def test_a_cosignature_that_was_changed_or_moved_is_refused(witness: Witness, log: Log):
    line = witness.add_checkpoint(log.asked(0, 7)).body.encode()

    with pytest.raises(LogBroken):
        witnessed(log.signed(8) + line, [key_of(witness)])
    stranger = WitnessKey(witness.name, bytes(32))
    assert witnessed(log.signed(7) + line, [stranger]) == {}


def test_a_witness_key_is_read_back_and_a_logs_is_none(witness: Witness, signer: MemorySigner):
    key = key_of(witness)

    assert parse_witness_key(str(key)) == key
    with pytest.raises(ValueError, match="witness"):
        parse_witness_key(str(keys_of(ORIGIN, signer)[0]))
