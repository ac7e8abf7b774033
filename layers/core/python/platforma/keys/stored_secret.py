"""
Secrets that we only verify: API keys', OAuth clients', SCIM tokens'. 256 random bits each, never a human's choice.

What is stored is a bcrypt hash, which costs a quarter second to check. Beside it stands a *verification ticket*: an HMAC of
the secret under a key derived from the pepper, good for an hour and bound to the hash and to the owner of the secret. It
costs microseconds to check, is worthless to anyone who has the table but not the pepper, and ends with the hash. For that,
the ticket that `verify` returns must be written only on condition that status and hash are unchanged since they were read.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import NoReturn

import bcrypt

from platforma.kernel.errors import Broken, Unauthenticated
from platforma.keys.errors import UnknownPepper
from platforma.keys.model import Pepper
from platforma.keys.ports import Secrets

BCRYPT_COST = 12
TICKET_SECONDS = 3600
_MAX_BYTES = 72  # bcrypt reads no further
_TICKET_KEY = b"platforma verification ticket 1"
_NOBODY = b"$2b$12$8VYOYu3e658dI9bY62I0/OoK2s0d5JxVF50hwtMJcyr5pjxjW6u72"


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """What is kept of a secret. *version* is the pepper's that the ticket was made with, *ticket_expires* epoch seconds."""

    hash: str = field(repr=False)
    version: int
    ticket: str = field(repr=False)
    ticket_expires: int


def store(secret: str, *, bound_to: str, pepper: Pepper, now: datetime) -> StoredSecret:
    """
    What to keep of *secret*, a text of at least 256 random bits and at most 72 bytes; *bound_to* is whose it is.

    Raises:
        ValueError: longer than bcrypt reads.
    """
    raw = secret.encode()
    if not 0 < len(raw) <= _MAX_BYTES:
        raise ValueError("a stored secret has 1 to 72 bytes")
    hashed = bcrypt.hashpw(raw, bcrypt.gensalt(BCRYPT_COST)).decode()
    return _with_ticket(StoredSecret(hashed, pepper.version, "", 0), raw, bound_to=bound_to, pepper=pepper, now=now)


def verify(presented: str, stored: StoredSecret, *, bound_to: str, secrets: Secrets, now: datetime) -> StoredSecret | None:
    """
    Whether *presented* is the secret: it returns if so. Nothing about *presented* is verified yet.

    Returns None if the ticket proved it. If bcrypt did, returns the same with a fresh ticket, to be written if status and
    hash are unchanged. A wrong secret always costs a bcrypt, whether or not there is a ticket.

    Raises:
        Unauthenticated: it is not.
        Unavailable: the pepper cannot be had.
        Broken: what is stored is no hash.
    """
    raw = presented.encode(errors="surrogatepass")
    if now.timestamp() < stored.ticket_expires and _has_ticket(raw, stored, bound_to=bound_to, secrets=secrets):
        return None
    if not _matches(raw, stored.hash.encode()):
        raise Unauthenticated
    return _with_ticket(stored, raw, bound_to=bound_to, pepper=secrets.pepper(), now=now)


def refuse(presented: str) -> NoReturn:
    """
    Refuse a secret whose owner does not exist; it takes as long as a wrong secret.

    Raises:
        Unauthenticated: always.
    """
    _matches(presented.encode(errors="surrogatepass"), _NOBODY)
    raise Unauthenticated


def _has_ticket(raw: bytes, stored: StoredSecret, *, bound_to: str, secrets: Secrets) -> bool:
    try:
        pepper = secrets.pepper(stored.version)
    except UnknownPepper:  # withdrawn, and the ticket with it; the hash needs none
        return False
    expected = _ticket(stored, raw, bound_to=bound_to, pepper=pepper)
    return hmac.compare_digest(expected.encode(), stored.ticket.encode())


def _matches(raw: bytes, hashed: bytes) -> bool:
    try:
        known = bcrypt.checkpw(raw[:_MAX_BYTES], hashed)
    except ValueError:
        raise Broken("A stored hash is none of bcrypt's.") from None
    return known and 0 < len(raw) <= _MAX_BYTES


def _with_ticket(stored: StoredSecret, raw: bytes, *, bound_to: str, pepper: Pepper, now: datetime) -> StoredSecret:
    dated = replace(stored, version=pepper.version, ticket_expires=int(now.timestamp()) + TICKET_SECONDS)
    return replace(dated, ticket=_ticket(dated, raw, bound_to=bound_to, pepper=pepper))


@lru_cache(maxsize=64)
def _ticket_key(pepper: bytes) -> bytes:
    return hmac.digest(pepper, _TICKET_KEY, "sha256")


def _ticket(stored: StoredSecret, raw: bytes, *, bound_to: str, pepper: Pepper) -> str:
    """Every part has its length before it, so that no two lists of parts give one message."""
    parts = (bound_to.encode(), b"%d" % stored.version, b"%d" % stored.ticket_expires, stored.hash.encode(), raw)
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return urlsafe_b64encode(hmac.digest(_ticket_key(pepper.key), message, "sha256")).rstrip(b"=").decode()
