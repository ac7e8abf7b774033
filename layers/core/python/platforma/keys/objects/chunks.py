"""
A part's bytes in chunks of 1 MiB, each sealed by AES-256-GCM so that any of them is read alone.

The key is derived (HKDF-SHA-256) from the object's, for this attempt to send the part: 128 random bits that name it, so that
sending a part again never meets a nonce again. Under it the nonce is the chunk's index and nothing else, and is never used
twice by construction. Attempt, index and whether the chunk is the last are its associated data: chunks that were left out,
moved, repeated or taken from another part do not open, whatever the manifest says.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from platforma.keys.errors import DoesNotOpen
from platforma.keys.model import KEY_SIZE

CHUNK = 1 << 20
TAG = 16
_DOMAIN = b"platforma object 1"


def new_attempt() -> bytes:
    """The name of an attempt to send a part."""
    return os.urandom(16)


def seal_part(key: bytes, attempt: bytes, plaintext: bytes) -> bytes | bytearray:
    """*plaintext* as its sealed chunks one after the other; an empty part is one empty chunk."""
    cipher, count = _cipher(key, attempt), chunks_of(len(plaintext))
    view, sealed = memoryview(plaintext), bytearray(len(plaintext) + count * TAG)
    for index in range(count):
        chunk = view[index * CHUNK : (index + 1) * CHUNK]
        start = index * (CHUNK + TAG)
        room = memoryview(sealed)[start : start + len(chunk) + TAG]
        cipher.encrypt_into(_nonce(index), chunk, _associated(attempt, index, last=index == count - 1), room)
    return sealed


def open_chunks(key: bytes, attempt: bytes, size: int, first: int, sealed: bytes | bytearray) -> bytearray:
    """
    The plaintext of the chunks from *first* on that *sealed* holds, of a part of *size* bytes.

    Raises:
        DoesNotOpen: one of them is damaged, or is another than it should be.
    """
    cipher, count, held = _cipher(key, attempt), chunks_of(size), -(-len(sealed) // (CHUNK + TAG))
    if len(sealed) < held * TAG:
        raise DoesNotOpen("A chunk of an object is cut short.")
    view, opened = memoryview(sealed), bytearray(len(sealed) - held * TAG)
    try:
        for place in range(held):
            chunk = view[place * (CHUNK + TAG) : (place + 1) * (CHUNK + TAG)]
            room = memoryview(opened)[place * CHUNK : place * CHUNK + len(chunk) - TAG]
            index = first + place
            cipher.decrypt_into(_nonce(index), chunk, _associated(attempt, index, last=index == count - 1), room)
    except (InvalidTag, ValueError):
        raise DoesNotOpen("A chunk of an object does not open.") from None
    return opened


def chunks_of(size: int) -> int:
    """How many chunks a part of *size* bytes has."""
    return max(1, -(-size // CHUNK))


def stored_range(size: int, first: int, last: int) -> tuple[int, int]:
    """From where up to where the chunks *first* to *last* of a part of *size* bytes stand in what is stored."""
    whole = size + chunks_of(size) * TAG
    return first * (CHUNK + TAG), min(whole, (last + 1) * (CHUNK + TAG))


def _cipher(key: bytes, attempt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_SIZE, salt=None, info=_DOMAIN + attempt).derive(key))


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _associated(attempt: bytes, index: int, *, last: bool) -> bytes:
    return attempt + index.to_bytes(4, "big") + bytes([last])
