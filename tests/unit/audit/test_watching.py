"""A customer's own witness: looks at a log again and again, keeps what it saw, and says no to a past that is another."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.audit import __main__ as command
from platforma.audit.cosignature import WitnessKey, witnessed
from platforma.audit.errors import LogBroken
from platforma.audit.note import parse_key
from platforma.audit.proof import Published
from platforma.audit.watching import look
from platforma.kernel.errors import Unprocessable
from tests.unit.audit.world import TENANT, World

NAME = "witness.example/w"


class Watched(World):
    """A log behind its API."""

    def grown(self, count: int = 3) -> "Watched":
        for _ in range(count):
            self.record(len(self.recorded))
        self.attendant().ring([TENANT])
        self.later(minutes=2)
        self.attendant().sweep()
        return self

    def get(self, path: str) -> bytes:
        published = Published(self.store, self.bucket)
        if path.endswith("/checkpoint"):
            return published.checkpoint(TENANT)
        asked = dict(pair.split("=") for pair in path.partition("?")[2].split("&"))
        try:
            return json.dumps(published.consistency(asked["log"], int(asked["from"]), int(asked["to"]))).encode()
        except Unprocessable:
            raise LogBroken("none") from None


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def looked(world: Watched, key: Ed25519PrivateKey, folder: Path):
    return look(TENANT, get=world.get, keys=[parse_key(world.key())], name=NAME, key=key, folder=folder, clock=world.clock)


def test_what_grew_is_cosigned_each_time_and_kept(key, tmp_path):
    world = Watched().grown()
    replies = [looked(world, key, tmp_path), looked(world, key, tmp_path), looked(world.grown(5), key, tmp_path)]

    assert [reply.status for reply in replies] == [200, 200, 200]
    kept = sorted((tmp_path / TENANT / "cosignatures").iterdir())
    assert len(kept) == 2
    public = WitnessKey(NAME, key.public_key().public_bytes_raw())
    assert all(list(witnessed(file.read_bytes(), [public])) == [public] for file in kept)


def test_a_forked_log_is_refused_and_what_was_seen_stays(key, tmp_path):
    world = Watched().grown(4)
    looked(world, key, tmp_path)
    before = (tmp_path / TENANT / "seen").read_text()
    fork = _resigned(world.signer)

    try:
        status = looked(fork, key, tmp_path).status
    except LogBroken:
        status = 0

    assert status != 200
    assert (tmp_path / TENANT / "seen").read_text() == before


def _resigned(signer) -> Watched:
    """Another log of this name, signed by the same key: what only its owner can make."""
    fork = Watched()
    fork.signer = signer
    return fork.grown(4).grown(5)


def test_a_log_that_was_cut_back_is_refused(key, tmp_path):
    world = Watched().grown(3)
    old = world.get("/checkpoint")
    looked(world.grown(4), key, tmp_path)
    plain = world.get
    world.get = lambda path: old if path.endswith("/checkpoint") else plain(path)

    assert looked(world, key, tmp_path).status == 400  # the old size is beyond the checkpoint's


def test_the_command_makes_its_key_once_cosigns_and_says_no(tmp_path, monkeypatch, capsys):
    world = Watched().grown()
    monkeypatch.setattr(command, "_got", lambda _url, token, _trusted, path: world.get(path) if token == "t" else b"")
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "keys").write_text(json.dumps({"keys": [world.key()]}))
    files = ["--token-file", str(tmp_path / "token"), "--keys", str(tmp_path / "keys")]
    own = ["--private-key", str(tmp_path / "own"), "--folder", str(tmp_path / "seen"), "--name", NAME]
    arguments = ["witness", "https://log.test", TENANT, *files, *own]

    assert command.main(arguments) == 0
    told = capsys.readouterr()
    made = (tmp_path / "own").read_text()
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o600
    world = _resigned(world.signer)
    assert command.main(arguments) == 1

    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(made))
    assert (tmp_path / "own").read_text() == made
    assert str(WitnessKey(NAME, key.public_key().public_bytes_raw())) in told.err
    assert told.out.startswith(f"\u2014 {NAME} ")


def test_a_log_over_plain_http_is_not_asked():
    with pytest.raises(ValueError, match="https"):
        command._got("http://log.test", "t", None, "/audit/x/checkpoint")


def test_the_verifier_holds_a_kept_checkpoint_to_its_witnesses(key, tmp_path, capsys):
    world = Watched().grown()
    looked(world, key, tmp_path / "witness")
    [kept] = (tmp_path / "witness" / TENANT / "cosignatures").iterdir()
    world.export(tmp_path / "log")
    public = WitnessKey(NAME, key.public_key().public_bytes_raw())
    stranger = WitnessKey("other.example/w", public.public)
    arguments = ["verify", str(tmp_path / "log"), "--key", world.key(), "--checkpoint", str(kept)]

    assert command.main([*arguments, "--witness-key", str(public)]) == 0
    assert command.main([*arguments, "--witness-key", str(public), "--witness-key", str(stranger)]) == 1
    assert "is not cosigned by other.example/w" in capsys.readouterr().out


def test_a_fork_of_the_log_does_not_agree_with_what_the_witness_cosigned(key, tmp_path, capsys):
    world = Watched().grown(4)
    looked(world, key, tmp_path / "witness")
    [kept] = (tmp_path / "witness" / TENANT / "cosignatures").iterdir()
    fork = _resigned(world.signer)
    fork.export(tmp_path / "log")
    public = WitnessKey(NAME, key.public_key().public_bytes_raw())

    told = command.main(
        ["verify", str(tmp_path / "log"), "--key", world.key(), "--checkpoint", str(kept), "--witness-key", str(public)]
    )

    assert told == 1
    assert "were others when it was signed" in capsys.readouterr().out
