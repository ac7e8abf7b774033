"""
Challenges of WebAuthn: made without being kept, and used up in the record of the person who answers.

    nonce, 16 bytes | expiry, 8 | HMAC-SHA-256 over both, the purpose and the subject, 32

The subject is the user who enrols, or the browser that signs in: another's challenge is good for nobody else.
"""

import hmac
import secrets as entropy
from datetime import datetime
from hashlib import sha256
from typing import Literal

from platforma.identity.factors.errors import WrongPasskey
from platforma.identity.factors.model import CHALLENGE_LIFETIME, Factors

Purpose = Literal["enrol", "sign-in"]


def new_challenge(key: bytes, purpose: Purpose, tenant_id: str, subject: str, now: datetime) -> bytes:
    """A challenge, good for five minutes."""
    head = entropy.token_bytes(16) + int((now + CHALLENGE_LIFETIME).timestamp()).to_bytes(8, "big")
    return head + _mac(key, head, purpose, tenant_id, subject)


def check_challenge(shown: bytes, key: bytes, purpose: Purpose, tenant_id: str, subject: str, now: datetime) -> None:
    """
    Require one of ours, for this purpose, tenant and subject, that has not expired.

    Raises:
        WrongPasskey: it is not.
    """
    head, mac = shown[:24], shown[24:]
    good = hmac.compare_digest(mac, _mac(key, head, purpose, tenant_id, subject))
    if not good or int.from_bytes(head[16:], "big") <= now.timestamp():
        raise WrongPasskey


def require_unspent(shown: bytes, factors: Factors) -> str:
    """
    The name under which *shown* is used up.

    Raises:
        WrongPasskey: it was.
    """
    if (name := sha256(shown).hexdigest()) in factors.spent:
        raise WrongPasskey
    return name


def _mac(key: bytes, head: bytes, *about: str) -> bytes:
    parts = (part.encode() for part in about)
    binding = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, b"webauthn challenge\0" + head + binding, sha256)
