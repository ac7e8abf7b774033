"""
Cosignatures (C2SP tlog-cosignature, v1, Ed25519): a witness says when it saw a log at a size, and that it only grew to it.

    — <witness name> <base64 of the key's id, 4 bytes, the time, 8 bytes, and the signature>

The signature is over `cosignature/v1`, `time <seconds>` and the checkpoint's text. A witness's key is written as a verifier
key of type 0x04, and is never one that signs notes or another witness's cosignatures. In the bucket lies, for each that was
given, the checkpoint's note with that one line beside the log's own, as `{log_id}/cosignatures/{size, 20 digits}/{witness}`;
the witness is written there as its verifier key begins, `<name>+<id>`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from platforma.audit.errors import LogBroken
from platforma.audit.note import NAME, signatures_of, text_of

_TYPE = b"\x04"
_ID, _TIME, _SIGNATURE, _KEY = 4, 8, 64, 32
_LATEST = 2**63 - 1
_WITNESS = r"(?:[A-Za-z0-9_~:-][A-Za-z0-9._~:-]*/)*[A-Za-z0-9_~:-][A-Za-z0-9._~:-]*"
"""A URL without its scheme, as the specification wants names to be, that is also a path in a folder."""
_NAMED = re.compile(rf"\A{_WITNESS}\Z")
_OBJECT = re.compile(rf"\A([^/]+)/cosignatures/([0-9]{{20}})/({_WITNESS}\+[0-9a-f]{{8}})\Z")


class WitnessKey(NamedTuple):
    """A witness's public key under its name."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || LF || 0x04 || public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + _TYPE + self.public).digest()[:_ID]

    @property
    def label(self) -> str:
        """What tells it from every other: `<name>+<id>`."""
        return f"{self.name}+{self.id.hex()}"

    @property
    def is_storable(self) -> bool:
        """Whether its name may stand in an object's."""
        return _NAMED.match(self.name) is not None

    def __str__(self) -> str:
        return f"{self.label}+{base64.b64encode(_TYPE + self.public).decode()}"


class CosignatureName(NamedTuple):
    """Where a witness's cosignature of a log's checkpoint lies; *witness* is the `label` of its key."""

    log_id: str
    size: int
    witness: str

    def __str__(self) -> str:
        return f"{self.log_id}/cosignatures/{self.size:020d}/{self.witness}"


def parse_name(name: str) -> CosignatureName | None:
    """What *name* says, if it is an object's of this kind."""
    match = _OBJECT.match(name)
    return CosignatureName(match[1], int(match[2]), match[3]) if match else None


def parse_witness_key(text: str) -> WitnessKey:
    """
    A witness's key as it is written, `<name>+<id>+<base64>`.

    Raises:
        ValueError: it is none, or has another id than its name and key make.
    """
    name, _, rest = text.strip().partition("+")
    stated, _, encoded = rest.partition("+")
    raw = base64.b64decode(encoded, validate=True)
    key = WitnessKey(name, raw[1:])
    if not NAME.match(name) or len(raw) != 1 + _KEY or raw[:1] != _TYPE or key.id.hex() != stated:
        raise ValueError("Not a witness's Ed25519 key.")
    return key


def cosigned(text: str, name: str, key: Ed25519PrivateKey, at: int) -> str:
    """The signature line, with its LF, by which the witness *name* says of a checkpoint's *text* that it saw it then."""
    public = WitnessKey(name, key.public_key().public_bytes_raw())
    raw = public.id + at.to_bytes(_TIME, "big") + key.sign(_message(text, at))
    return f"\u2014 {name} {base64.b64encode(raw).decode()}\n"


def witnessed(note: bytes, keys: Iterable[WitnessKey]) -> dict[WitnessKey, int]:
    """
    Which of these witnesses cosigned the checkpoint of this note, and when (epoch seconds). Others' lines are passed over.

    Raises:
        LogBroken: it is no note, or a line that claims to be by one of them is not.
    """
    known = {(key.name, key.id): key for key in keys}
    text, found = text_of(note), dict[WitnessKey, int]()
    for name, raw in signatures_of(note):
        key = known.get((name, raw[:_ID]))
        if key is None:
            continue
        at = int.from_bytes(raw[_ID : _ID + _TIME], "big")
        if len(raw) != _ID + _TIME + _SIGNATURE or at > _LATEST:
            raise LogBroken("A cosignature is none.", witness=name)
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw[_ID + _TIME :], _message(text, at))
        except (InvalidSignature, binascii.Error):
            raise LogBroken("A cosignature is wrong.", witness=name) from None
        found[key] = at
    return found


def labels_of(note: bytes) -> set[str]:
    """Whom a note's lines name as their signers, as `WitnessKey.label` has it. Nothing is verified."""
    return {f"{name}+{raw[:_ID].hex()}" for name, raw in signatures_of(note)}


def cosigned_note(signed: bytes, answer: bytes, key: WitnessKey) -> tuple[bytes, int]:
    """
    The note *signed* with the one line of a witness's *answer* that is by *key*, and the time that it says (epoch seconds).

    Raises:
        LogBroken: there is none, or it is wrong, or this is no answer of a witness.
    """
    mine = [raw for name, raw in signatures_of(signed + answer) if (name, raw[:_ID]) == (key.name, key.id)]
    if not mine:
        raise LogBroken("There is no cosignature by the witness's key.")
    note = signed + f"\u2014 {key.name} {base64.b64encode(mine[0]).decode()}\n".encode()
    return note, witnessed(note, [key])[key]


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
