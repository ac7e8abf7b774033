"""
Encryption for callers, who keep the ciphertext themselves.

    version 0x02 | day number of the key, 4 bytes | salt, 16 | commitment, 32 | nonce, 12 | ciphertext and tag

(version 0x01, which still opens, has no salt)

The data key is one of the tenant's *keyring*: made for a month, kept sealed under the tenant's key, and moved to its newer
versions with all other sealed records. So what a caller holds goes on opening when old versions are destroyed, and ends with
the tenant's key. The context is bound by key derivation, commitment and associated data, and is not in the ciphertext.

Every ciphertext has a key of its own, derived (HKDF) for its context and 128 random bits of salt: all instances share a
month's key and nobody counts what it seals, so that 96 random bits of nonce alone would not do for any number of texts. Of
2^64 texts two share a salt with a likelihood of 1/2, and would need the same nonce, of 2^96, as well.
"""

import json
import os
from collections.abc import Mapping
from datetime import timedelta

from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import TooLarge
from platforma.keys.encryption.errors import NotOurs
from platforma.keys.encryption.ports import KeyringStore
from platforma.keys.envelope import KEY_LIFETIME, Envelope, open_with, seal_with
from platforma.keys.errors import DoesNotOpen
from platforma.keys.expiring import Expiring
from platforma.keys.model import KEY_SIZE

VERSION = 2
_UNSALTED = 1
PURPOSE = "keyring"
MAX_PLAINTEXT = 1 << 20
_SALT, _NONCE = 16, 12
_LEAST = 1 + 4 + 32 + _NONCE + 16
_MONTH = 30
_DOMAIN = b"platforma data 1"


class Keyring:
    """A tenant's long-lived data keys by name, opened; kept in memory for minutes."""

    def __init__(self, store: KeyringStore, envelope: Envelope, clock: Clock = system_clock) -> None:
        self._store, self._envelope = store, envelope
        self._known: Expiring[tuple[str, str], bytes] = Expiring(clock, lifetime=KEY_LIFETIME, size=256)

    def key(self, tenant_id: str, name: str) -> bytes:
        """
        The tenant's key of this name, made at its first use.

        Raises:
            Unavailable: the table or the keeper of keys is gone.
        """
        return self._opened(tenant_id, name) or self._made(tenant_id, name)

    def known(self, tenant_id: str, name: str) -> bytes | None:
        """The tenant's key of this name, if there is one."""
        return self._opened(tenant_id, name)

    def _opened(self, tenant_id: str, name: str) -> bytes | None:
        if (key := self._known.get((tenant_id, name))) is not None:
            return key
        sealed = self._store.find(tenant_id, name)
        return None if sealed is None else self._open(tenant_id, name, sealed)

    def _made(self, tenant_id: str, name: str) -> bytes:
        fresh = self._envelope.seal(tenant_id, PURPOSE, name, os.urandom(KEY_SIZE))
        return self._open(tenant_id, name, self._store.make(tenant_id, name, fresh))

    def _open(self, tenant_id: str, name: str, sealed: bytes) -> bytes:
        key = self._envelope.open(tenant_id, PURPOSE, name, sealed)
        self._known.put((tenant_id, name), key)
        return key


def encrypt_data(tenant_id: str, plaintext: bytes, context: Mapping[str, str], *, keyring: Keyring, clock: Clock) -> bytes:
    """
    *plaintext* for this tenant and *context* alone, as a ciphertext for the caller to keep.

    Raises:
        TooLarge: over 1 MiB.
        Unavailable: the key is not cached, and cannot be had.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise TooLarge
    day = int(clock().timestamp() // timedelta(days=_MONTH).total_seconds()) * _MONTH
    key = keyring.key(tenant_id, _name(day))
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = seal_with(key, _binding(tenant_id, day, context, salt), nonce, plaintext)
    return bytes([VERSION]) + day.to_bytes(4, "big") + salt + sealed


def decrypt_data(tenant_id: str, ciphertext: bytes, context: Mapping[str, str], *, keyring: Keyring) -> bytes:
    """
    What `encrypt_data` made for the same tenant and context. Nothing about *ciphertext* is verified yet.

    Raises:
        NotOurs: it is damaged, another tenant's, or of another context: one error for all.
        Unavailable: the key is not cached, and cannot be had.
    """
    salted = _SALT if ciphertext[:1] == bytes([VERSION]) else 0
    if len(ciphertext) < _LEAST + salted or ciphertext[0] not in (VERSION, _UNSALTED):
        raise NotOurs
    salt = ciphertext[5 : 5 + salted]
    day = int.from_bytes(ciphertext[1:5], "big")
    # Only names that can be: a made-up day must not fill the cache or make us read for nothing.
    key = keyring.known(tenant_id, _name(day)) if day % _MONTH == 0 else None
    if key is None:
        raise NotOurs
    try:
        return open_with(key, _binding(tenant_id, day, context, salt), ciphertext[5 + salted :])
    except DoesNotOpen:
        raise NotOurs from None


def _name(day: int) -> str:
    return f"DATA#{day:010}"


def _binding(tenant_id: str, day: int, context: Mapping[str, str], salt: bytes) -> bytes:
    """Names in order and JSON's escapes make one text of one context, and of no other; no salt is no part."""
    canonical = json.dumps(dict(context), sort_keys=True, separators=(",", ":")).encode()
    parts = (_DOMAIN, tenant_id.encode(), day.to_bytes(4, "big"), canonical, *([salt] if salt else []))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
