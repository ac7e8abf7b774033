"""Signed notes: the example of Go's note package, and what must not pass."""

import base64

import pytest

from platforma.adapters.memory.audit import MemorySigner
from platforma.audit import note
from platforma.audit.errors import LogBroken

# Source: golang.org/x/mod/sumdb/note, package documentation.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
CHECKPOINT = note.Checkpoint("host/audit/ten_x", 7, bytes(range(32)))


@pytest.fixture
def signer():
    return MemorySigner()


def test_the_note_of_gos_documentation_is_by_its_key():
    key = note.parse_key(GO_KEY)

    text, [(name, raw)] = note._parted(GO_NOTE.encode())

    assert str(key) == GO_KEY
    assert (name, raw[:4]) == (key.name, key.id)
    assert note._is_by(key, text, raw[4:])


def test_a_signed_checkpoint_is_read_back(signer):
    signed = note.sign(CHECKPOINT, signer)

    assert note.verify(signed, note.keys_of(CHECKPOINT.origin, signer)) == CHECKPOINT
    assert signed.decode().split("\n")[:3] == ["host/audit/ten_x", "7", base64.b64encode(CHECKPOINT.root).decode()]


def test_former_keys_still_hold_for_what_they_signed(signer):
    signed = note.sign(CHECKPOINT, signer)
    signer.rotate()

    assert note.verify(signed, note.keys_of(CHECKPOINT.origin, signer)) == CHECKPOINT
    assert note.sign(CHECKPOINT, signer) != signed


def test_signatures_of_others_are_passed_over(signer):
    signed = note.sign(CHECKPOINT, signer)
    witness = "\u2014 witness.example " + base64.b64encode(b"abcd" + bytes(64)).decode() + "\n"

    assert note.verify(signed + witness.encode(), note.keys_of(CHECKPOINT.origin, signer)) == CHECKPOINT


@pytest.mark.parametrize(
    "change",
    [
        lambda signed: signed.replace(b"\n7\n", b"\n8\n"),
        lambda signed: signed.replace(b"ten_x\n7", b"ten_y\n7"),
        lambda signed: signed.replace(b"\n7\n", b"\n7\r\n"),
        lambda signed: signed[:-1],
        lambda signed: signed.partition(b"\n\n")[0],
        lambda signed: signed.replace(b"\xe2\x80\x94", b"-"),
        lambda signed: b"",
        lambda signed: signed * 3,
        lambda signed: b"x" * (note.MAX_NOTE + 1),
    ],
)
def test_a_changed_note_is_refused(signer, change):
    signed = note.sign(CHECKPOINT, signer)

    with pytest.raises(LogBroken):
        note.verify(change(signed), note.keys_of(CHECKPOINT.origin, signer))


def test_another_logs_key_is_not_this_ones(signer):
    signed = note.sign(CHECKPOINT, signer)

    with pytest.raises(LogBroken):
        note.verify(signed, note.keys_of("host/audit/ten_y", signer))


@pytest.mark.parametrize(
    "text", ["", "a", "a+b+c", "a b+c74f20a3+AA==", GO_KEY.replace("c74f20a3", "00000000"), GO_KEY.replace("+AR", "+Ag")]
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError):
        note.parse_key(text)
