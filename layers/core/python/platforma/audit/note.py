"""
Signed notes and the checkpoints in them (C2SP signed-note and tlog-checkpoint, v1), Ed25519.

    <origin>
    <size>
    <base64 of the root>

    — <key name> <base64 of the key's id, 4 bytes, and the signature>
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from platforma.audit.errors import LogBroken
from platforma.audit.ports import CheckpointSigner

_ED25519 = b"\x01"
_DASH = "\u2014"
NAME = re.compile(r"\A[^\s+]+\Z")
_SIZE = re.compile(r"\A(?:0|[1-9][0-9]{0,18})\Z")
MAX_NOTE = 64 * 1024


class VerifierKey(NamedTuple):
    """A public key under the name that it signs notes with."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || LF || 0x01 || public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"


class Checkpoint(NamedTuple):
    """What a log says of itself: so many entries, with this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_key(text: str) -> VerifierKey:
    """
    A key as signed-note writes it, `<name>+<id>+<base64>`.

    Raises:
        ValueError: it is not one, is not Ed25519, or has another id than its name and key make.
    """
    name, _, rest = text.strip().partition("+")
    stated, _, encoded = rest.partition("+")
    raw = base64.b64decode(encoded, validate=True)
    key = VerifierKey(name, raw[1:])
    if not NAME.match(name) or len(raw) != 33 or raw[:1] != _ED25519 or key.id.hex() != stated:
        raise ValueError("Not an Ed25519 verifier key.")
    return key


def keys_of(name: str, signer: CheckpointSigner) -> list[VerifierKey]:
    """The signer's keys, the newest first, as they sign under *name*."""
    return [VerifierKey(name, public) for _, public in sorted(signer.public_keys().items(), reverse=True)]


def sign(checkpoint: Checkpoint, signer: CheckpointSigner) -> bytes:
    """
    The checkpoint as a signed note; the key's name is the log's origin.

    Raises:
        LogBroken: the signature is by none of the signer's keys.
        Unavailable: the signer does not answer.
    """
    return signed(checkpoint.origin, str(checkpoint), signer)


def signed(name: str, text: str, signer: CheckpointSigner) -> bytes:
    """
    *text*, of whole lines, as a note signed under *name*.

    Raises:
        LogBroken: the signature is by none of the signer's keys.
        Unavailable: the signer does not answer.
    """
    signature = signer.sign(text.encode())
    key = next((key for key in keys_of(name, signer) if _is_by(key, text, signature)), None)
    if key is None:
        raise LogBroken("A note's signature is by none of our keys.", name=name)
    return f"{text}\n{_DASH} {key.name} {base64.b64encode(key.id + signature).decode()}\n".encode()


def verify(note: bytes, keys: Iterable[VerifierKey]) -> Checkpoint:
    """
    The checkpoint of a note that at least one of these keys signed. Signatures by other keys are passed over.

    Raises:
        LogBroken: no known key signed it, or one that claims to has not, or the text is no checkpoint.
    """
    return parse_checkpoint(opened(note, keys))


def opened(note: bytes, keys: Iterable[VerifierKey]) -> str:
    """
    The text of a note that at least one of these keys signed. Signatures by other keys are passed over.

    Raises:
        LogBroken: no known key signed it, or one that claims to has not.
    """
    text, signatures = _parted(note)
    known: Mapping[tuple[str, bytes], VerifierKey] = {(key.name, key.id): key for key in keys}
    signed = False
    for name, id_and_signature in signatures:
        if key := known.get((name, id_and_signature[:4])):
            if not _is_by(key, text, id_and_signature[4:]):
                raise LogBroken("A note's signature is wrong.", key=name)
            signed = True
    if not signed:
        raise LogBroken("A note is signed by no known key.")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """
    The checkpoint in a note's text, of which nothing is verified.

    Raises:
        LogBroken: it is none.
    """
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
    except (IndexError, binascii.Error):
        raise LogBroken("A note holds no checkpoint.") from None
    if not origin or not _SIZE.match(size) or len(root) != 32 or len(lines) < 4:
        raise LogBroken("A note holds no checkpoint.")
    return Checkpoint(origin, int(size), root)


def text_of(note: bytes) -> str:
    """The text of a note, of which nothing is verified."""
    return _parted(note)[0]


def signatures_of(note: bytes) -> Sequence[tuple[str, bytes]]:
    """The signature lines of a note, each a name with what it says, of which nothing is verified."""
    return _parted(note)[1]


def _parted(note: bytes) -> tuple[str, Sequence[tuple[str, bytes]]]:
    wrong = LogBroken("Not a signed note.")
    if len(note) > MAX_NOTE or any(byte < 0x20 and byte != 0x0A for byte in note):
        raise wrong
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise wrong from None
    text, separator, block = whole.rpartition("\n\n")
    if not separator or not block.endswith("\n"):
        raise wrong
    signatures = []
    for line in block[:-1].split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise wrong from None
        if dash != _DASH or not NAME.match(name) or len(raw) < 5:
            raise wrong
        signatures.append((name, raw))
    return text + "\n", signatures


def _is_by(key: VerifierKey, text: str, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True
