"""
A customer's own witness: asks a log for its checkpoint, has it shown to have grown from the one seen last, and cosigns it.

`python -m platforma.audit witness`, run by a schedule on a machine of the customer's with a token for `audit:read`. What was
seen and the cosignatures lie in a folder there:

    {log_id}/seen                            the text of the checkpoint that was cosigned last
    {log_id}/cosignatures/{size, 20 digits}  the checkpoint's note with the cosignature's line

A log that was forked, cut back, or is silent about what was seen is refused, and the folder stays as it is: keep it.
"""

import base64
import fcntl
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from platforma.audit import note
from platforma.audit.errors import LogBroken
from platforma.audit.witness import Reply, Witness, request_of
from platforma.kernel.clock import Clock, system_clock

Get = Callable[[str], bytes]
"""What is behind a path of the log's API. Raises LogBroken where there is nothing, OSError where it does not say."""


@dataclass(frozen=True, slots=True)
class SeenInFolder:
    """`Seen`: a file a log, replaced as a whole; whoever else uses the folder at the same time waits."""

    folder: Path

    def get(self, origin: str) -> str | None:
        """What is in the log's file."""
        file = self.place(origin) / "seen"
        return file.read_text() if file.exists() else None

    def put(self, origin: str, before: str | None, after: str) -> bool:
        """Replace it, if it still says *before*; what is kept is on the disk."""
        place = self.place(origin)
        place.mkdir(parents=True, exist_ok=True)
        with (place / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.get(origin) != before:
                return False
            with (place / "new").open("w") as out:
                out.write(after)
                out.flush()
                os.fsync(out.fileno())
            (place / "new").replace(place / "seen")
        return True

    def place(self, origin: str) -> Path:
        """The log's folder, by the last part of its origin, which is its id."""
        log_id = origin.rpartition("/")[2]
        if not log_id or log_id.startswith("."):
            raise LogBroken("A log's origin does not end in its id.", origin=origin)
        return self.folder / log_id


def look(
    log_id: str,
    *,
    get: Get,
    keys: Sequence[note.VerifierKey],
    name: str,
    key: Ed25519PrivateKey,
    folder: Path,
    clock: Clock = system_clock,
) -> Reply:
    """
    Cosign the log's newest checkpoint, if it grew from the one seen last; the witness's reply, 200 where it did.

    Raises:
        LogBroken: what the log answers is none of what it should be.
        OSError: it does not answer.
    """
    seen = SeenInFolder(folder)
    signed = get(f"/audit/{log_id}/checkpoint")
    checkpoint = note.parse_checkpoint(note.text_of(signed))
    before = seen.get(checkpoint.origin)
    old = 0 if before is None else note.parse_checkpoint(before).size
    proof = _proof(log_id, old, checkpoint.size, get) if 0 < old < checkpoint.size else []
    logs = {one.name: [known for known in keys if known.name == one.name] for one in keys}
    reply = Witness(name, key, logs, seen, clock).add_checkpoint(request_of(old, proof, signed))
    if reply.status == 200:
        place = seen.place(checkpoint.origin) / "cosignatures" / f"{checkpoint.size:020d}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(signed + reply.body.encode())
    return reply


def _proof(log_id: str, old: int, new: int, get: Get) -> list[bytes]:
    answer = get(f"/v1/audit/consistency?log={log_id}&from={old}&to={new}")
    try:
        return [base64.b64decode(hash_, validate=True) for hash_ in json.loads(answer)["hashes"]]
    except (ValueError, KeyError, TypeError):
        raise LogBroken("The log shows no proof that it grew.", log_id=log_id) from None
