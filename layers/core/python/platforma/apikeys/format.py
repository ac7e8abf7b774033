"""
The text of an API key.

`pk_(live|test)_` and 83 characters of base62 (`0-9A-Za-z`, big-endian, zero-padded): pepper version (1), the 128 bits of
the key's id (22), secret (43, 256 random bits), keyed checksum (11), CRC32 (6). The CRC32, over all before it, lets anyone
tell a key from noise offline. The keyed checksum, the first 64 bits of HMAC-SHA-256 under the pepper over all before it,
lets us refuse a forged key without a read or a hash.
"""

import hmac
import re
import secrets
import zlib
from typing import Literal, NamedTuple, cast

from platforma.kernel import ids
from platforma.kernel.errors import Broken, Malformed, Unauthenticated
from platforma.keys.model import Pepper

Environment = Literal["live", "test"]

PATTERN = "pk_(?:live|test)_[0-9A-Za-z]{83}"
"""Every API key and, but for the CRC32, nothing else."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTHS = {"pepper_version": 1, "key_id": 22, "secret": 43, "keyed_checksum": 11, "crc32": 6}
MAX_PEPPER_VERSION = len(ALPHABET) - 1
PREFIX_LENGTH = len("pk_live_") + 1 + LENGTHS["key_id"]
LENGTH = len("pk_live_") + sum(LENGTHS.values())

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_FORM = re.compile(PATTERN)


def encode(number: int, length: int) -> str:
    """*number* in base62, zero-padded to *length*."""
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    if number:
        raise ValueError("the number does not fit")
    return digits


def decode(text: str) -> int:
    """The number that base62 *text* stands for."""
    number = 0
    for character in text:
        number = number * 62 + _VALUES[character]
    return number


# The alphabet is in ASCII's order, so texts of one length compare as their numbers do.
_MAX_ID, _MAX_SECRET, _MAX_CHECKSUM = encode((1 << 128) - 1, 22), encode((1 << 256) - 1, 43), encode((1 << 64) - 1, 11)


class UnverifiedKey(NamedTuple):
    """
    A presented text that has a key's form and the right CRC32, which anyone can make.

    *signed* is what the keyed checksum covers, *secret* the 43 characters that are hashed.
    """

    environment: Environment
    pepper_version: int
    number: str
    secret: str
    checksum: str
    signed: bytes

    def __repr__(self) -> str:
        return f"UnverifiedKey({self.id})"

    @property
    def id(self) -> str:
        """The id that the key claims."""
        return ids.from_bytes("key", decode(self.number).to_bytes(16, "big"))


def new_secret() -> str:
    """256 random bits as the 43 characters that a key holds of them."""
    return encode(secrets.randbits(256), LENGTHS["secret"])


def make(environment: Environment, key_id: str, secret: str, pepper: Pepper) -> str:
    """
    The text of a key; shown once, stored nowhere.

    Raises:
        Broken: the pepper's version has no digit in the format.
    """
    if not 1 <= pepper.version <= MAX_PEPPER_VERSION:
        raise Broken("A key can name pepper versions 1 to 61 only.", version=pepper.version)
    number = encode(int.from_bytes(ids.to_bytes(key_id), "big"), LENGTHS["key_id"])
    signed = f"pk_{environment}_{ALPHABET[pepper.version]}{number}{secret}"
    checked = signed + encode(int.from_bytes(_checksum(signed.encode("ascii"), pepper), "big"), LENGTHS["keyed_checksum"])
    return checked + encode(zlib.crc32(checked.encode("ascii")), LENGTHS["crc32"])


def parse(presented: str) -> UnverifiedKey:
    """
    The parts of *presented*; nothing is verified but form and CRC32.

    Raises:
        Malformed: it is no API key, or a mistyped one.
    """
    if len(presented) != LENGTH or _FORM.fullmatch(presented) is None:
        raise Malformed("Not an API key.")
    raw = presented.encode("ascii")
    if decode(presented[85:]) != zlib.crc32(raw[:85]):
        raise Malformed("Not an API key.")
    number, secret, checksum = presented[9:31], presented[31:74], presented[74:85]
    if number > _MAX_ID or secret > _MAX_SECRET or checksum > _MAX_CHECKSUM:
        raise Malformed("Not an API key.")
    return UnverifiedKey(cast("Environment", presented[3:7]), _VALUES[presented[8]], number, secret, checksum, raw[:74])


def check_checksum(key: UnverifiedKey, pepper: Pepper) -> None:
    """
    Make sure that *key* was made under *pepper*, in constant time and without a read.

    It may still be unknown, dead, or have another secret than the one on record.

    Raises:
        Unauthenticated: forged.
    """
    if not hmac.compare_digest(_checksum(key.signed, pepper), decode(key.checksum).to_bytes(8, "big")):
        raise Unauthenticated


def prefix(text: str) -> str:
    """The part of a key that is no secret: `pk_live_`, pepper version and id. No two keys share it."""
    return text[:PREFIX_LENGTH]


def _checksum(signed: bytes, pepper: Pepper) -> bytes:
    return hmac.digest(pepper.key, signed, "sha256")[:8]
