"""
A witness (C2SP tlog-witness): cosigns a log's checkpoint only where it is shown to have grown from the one it saw last.

It keeps one checkpoint a log. Whoever owns the log can then show nobody a past that differs from what the witness saw: a log
that was forked, cut back or signed anew has no cosignature. It needs the log's public keys, a key of its own, and nothing
else of this system; it belongs into another account, or to the customer.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.audit import note, tree
from platforma.audit.cosignature import cosigned
from platforma.audit.errors import LogBroken
from platforma.audit.model import tenant_of
from platforma.kernel.clock import Clock, system_clock

MAX_BODY = 64 * 1024
_OLD = re.compile(r"\Aold (0|[1-9][0-9]{0,18})\Z")
_LONGEST_PROOF = 63
_SIZE_TYPE = "text/x.tlog.size"


class Reply(NamedTuple):
    """A status of HTTP, and what goes with it; *forked* says that the log signed what contradicts what was seen of it."""

    status: int
    body: str = ""
    media_type: str = "text/plain; charset=utf-8"
    forked: bool = False


class Logs(Protocol):
    """The logs that are witnessed, by origin, each with the keys that may sign for it."""

    def __contains__(self, origin: object, /) -> bool: ...
    def __getitem__(self, origin: str, /) -> Sequence[note.VerifierKey]: ...


class LogsBeside:
    """
    `Logs`: all logs of the tenants that *keys* name, further ones that they get included; or of *every_tenant* of the hosts.

    The logs of a host are signed by the same keys, each under its own name.
    """

    def __init__(self, keys: Sequence[note.VerifierKey], *, every_tenant: bool = False) -> None:
        self._every_tenant = every_tenant
        self._keys: dict[str, dict[bytes, None]] = {}
        for key in keys:
            self._keys.setdefault(self._place(key.name), {})[key.public] = None

    def __contains__(self, origin: object, /) -> bool:
        return isinstance(origin, str) and self._place(origin) in self._keys

    def __getitem__(self, origin: str, /) -> Sequence[note.VerifierKey]:
        return [note.VerifierKey(origin, public) for public in self._keys[self._place(origin)]]

    def _place(self, origin: str) -> str:
        host, _, log_id = origin.rpartition("/")
        return host if self._every_tenant else f"{host}/{tenant_of(log_id)}"


class Seen(Protocol):
    """The newest checkpoint, as its text, that was cosigned of each log."""

    def get(self, origin: str) -> str | None:
        """That of this log."""

    def put(self, origin: str, before: str | None, after: str) -> bool:
        """Keep *after* for good, if *before* is still what is there; whether it was."""


@dataclass(frozen=True, slots=True)
class Witness:
    """*logs* are the keys of the logs that are witnessed, by origin."""

    name: str
    key: Ed25519PrivateKey
    logs: Logs
    seen: Seen
    clock: Clock = system_clock

    def add_checkpoint(self, body: bytes) -> Reply:
        """What to answer to this request of `add-checkpoint`; every case is one of the specification's."""
        try:
            old, proof, text, checkpoint = self._signed(body)
            before = self.seen.get(checkpoint.origin)
            _require_growth(old, proof, _last(before, checkpoint.origin), checkpoint)
            if not self.seen.put(checkpoint.origin, before, text):
                _refuse_other_size(_last(self.seen.get(checkpoint.origin), checkpoint.origin))
        except _Refused as refused:
            return refused.reply
        return Reply(200, cosigned(text, self.name, self.key, int(self.clock().timestamp())))

    def _signed(self, body: bytes) -> tuple[int, list[bytes], str, note.Checkpoint]:
        """Old size and proof, and the checkpoint that one of its log's keys signed, with its text."""
        try:
            old, proof, signed = _parted(body)
            origin = note.parse_checkpoint(note.text_of(signed)).origin
        except (LogBroken, ValueError, binascii.Error):
            raise _Refused(Reply(400)) from None
        if origin not in self.logs:
            raise _Refused(Reply(404))
        try:
            return old, proof, note.text_of(signed), note.verify(signed, self.logs[origin])
        except LogBroken:
            raise _Refused(Reply(403)) from None


class _Refused(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply


def _last(text: str | None, origin: str) -> note.Checkpoint:
    """The checkpoint that was cosigned last; of a log that never was, that of nothing."""
    return note.Checkpoint(origin, 0, tree.EMPTY) if text is None else note.parse_checkpoint(text)


def _require_growth(old: int, proof: Sequence[bytes], last: note.Checkpoint, checkpoint: note.Checkpoint) -> None:
    if old > checkpoint.size:
        raise _Refused(Reply(400))
    if old != last.size:
        _refuse_other_size(last)
    if checkpoint.size == last.size and checkpoint.root != last.root:
        _refuse_other_size(last, forked=True)
    try:
        tree.verify_consistency(last.size, checkpoint.size, proof, last.root, checkpoint.root)
    except LogBroken:
        raise _Refused(Reply(422, forked=last.size > 0)) from None


def _refuse_other_size(last: note.Checkpoint, *, forked: bool = False) -> NoReturn:
    raise _Refused(Reply(409, f"{last.size}\n", _SIZE_TYPE, forked))


def request_of(old: int, proof: Sequence[bytes], signed: bytes) -> bytes:
    """The body that asks for a cosignature of the checkpoint *signed*, shown to have grown from size *old*."""
    lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in proof), "", ""]
    return "\n".join(lines).encode() + signed


def _parted(body: bytes) -> tuple[int, list[bytes], bytes]:
    head, separator, signed = body.partition(b"\n\n")
    if not separator or len(body) > MAX_BODY:
        raise ValueError
    first, *lines = head.decode("ascii").split("\n")
    old = _OLD.match(first)
    if old is None or len(lines) > _LONGEST_PROOF:
        raise ValueError
    proof = [base64.b64decode(line, validate=True) for line in lines]
    if any(len(hash_) != len(tree.EMPTY) for hash_ in proof):
        raise ValueError
    return int(old[1]), proof, signed
