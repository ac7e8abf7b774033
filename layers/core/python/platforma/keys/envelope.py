"""
Envelope encryption of records: AES-256-GCM under a data key that is itself wrapped under the tenant's key.

A ciphertext stands alone:

    version 0x02 | tenant id | purpose | wrapped data key | commitment, 32 | nonce, 12 | ciphertext and tag

(tenant id and purpose with their lengths before them in one byte, the wrapped key with its in two)

HKDF-SHA-256 (RFC 5869) derives the AES key and the commitment from the data key, for tenant, purpose and record. AES-GCM
alone commits to neither key nor associated data: a ciphertext can be made that opens under two keys. Here it opens only
under the key and as the record from which its commitment was made. Tenant, purpose and record are the associated data too.
The wrapped key is not part of it, so that it can be wrapped anew, without any plaintext, when the tenant's key has a new
version; another data key in its place does not fit the commitment.

A data key seals only for the instance that asked for it, at most 2^20 times. Its nonces are numbered: 32 bits count what
the key sealed, 64 are random. So none comes twice while that instance counts, whatever the random source gives. If an
instance were copied with its memory, two nonces of the same number would still differ in 64 random bits.
"""

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Broken, TooLarge
from platforma.keys.errors import DoesNotOpen
from platforma.keys.expiring import Expiring
from platforma.keys.model import KEY_SIZE, DataKey
from platforma.keys.ports import DataKeys

VERSION = 2
KEY_LIFETIME = timedelta(minutes=5)
"""How long a data key is used and kept in memory: so long we work on without its keeper, so soon a destroyed key bites."""
KEY_USES = 2**20
MAX_PLAINTEXT = 4 * 2**20
_SEALING, _OPENING = 256, 2048  # keys kept in memory; some 200 bytes each
_COMMITMENT, _NONCE, _TAG = 32, 12, 16
_DOMAIN = b"platforma envelope 2"


@dataclass(slots=True)
class _InUse:
    key: DataKey = field(repr=False)
    left: int


class _Parts(NamedTuple):
    tenant_id: str
    purpose: str
    wrapped: bytes
    commitment: bytes
    nonce: bytes
    sealed: bytes


class Envelope:
    """Seals and opens records. Holds plaintext data keys, few and for minutes; not for use by several threads at once."""

    def __init__(self, data_keys: DataKeys, clock: Clock = system_clock) -> None:
        self._data_keys = data_keys
        self._sealing: Expiring[tuple[str, str], _InUse] = Expiring(clock, lifetime=KEY_LIFETIME, size=_SEALING)
        self._opening: Expiring[tuple[str, str, bytes], bytes] = Expiring(clock, lifetime=KEY_LIFETIME, size=_OPENING)
        self._rehearsed: Expiring[tuple[str, str, str], bool] = Expiring(clock, lifetime=KEY_LIFETIME, size=_OPENING)

    def seal(self, tenant_id: str, purpose: str, record: str, plaintext: bytes) -> bytes:
        """
        *plaintext* as a ciphertext that opens only for the same tenant, purpose and record (any text, say an id).

        Raises:
            TooLarge: over 4 MiB; what is larger is an object, and chunked.
            NoSuchKey: the tenant has no key.
            Unavailable: no data key is cached, and none can be had.
        """
        if len(plaintext) > MAX_PLAINTEXT:
            raise TooLarge
        key, number = self._sealing_key(tenant_id, purpose)
        binding, nonce = _binding(tenant_id, purpose, record), number.to_bytes(4, "big") + os.urandom(_NONCE - 4)
        return _header(tenant_id, purpose, key.wrapped) + seal_with(key.plaintext, binding, nonce, plaintext)

    def open(self, tenant_id: str, purpose: str, record: str, ciphertext: bytes) -> bytes:
        """
        What was sealed for this tenant, purpose and record. Nothing about *ciphertext* is verified yet.

        Raises:
            DoesNotOpen: it is damaged, or was sealed for another tenant, purpose or record.
            NoSuchKey: the tenant has no key.
            Unavailable: the data key is not cached, and cannot be unwrapped.
        """
        return self.open_all(tenant_id, purpose, [(record, ciphertext)])[0]

    def open_all(self, tenant_id: str, purpose: str, records: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """As `open`, for many (record, ciphertext) at once: the data keys not cached are unwrapped in one call."""
        parts = [_parse(ciphertext) for _, ciphertext in records]
        if any((part.tenant_id, part.purpose) != (tenant_id, purpose) for part in parts):
            raise DoesNotOpen("A ciphertext was made for another tenant or purpose.")
        keys: dict[bytes, bytes] = {}
        missing: dict[bytes, None] = {}
        for part in parts:
            if key := self._opening.get((tenant_id, purpose, part.wrapped)):
                keys[part.wrapped] = key
            else:
                missing[part.wrapped] = None
        if missing:
            for wrapped, key in zip(missing, self._unwrap(tenant_id, purpose, list(missing)), strict=True):
                self._opening.put((tenant_id, purpose, wrapped), key)
                keys[wrapped] = key
        return [
            _open(keys[part.wrapped], _binding(tenant_id, purpose, record), part.commitment, part.nonce, part.sealed)
            for (record, _), part in zip(records, parts, strict=True)
        ]

    def rehearse(self, tenant_id: str, purpose: str, record: str) -> None:
        """
        Ask the keeper of keys as often as `open` would for a record that does not exist: once, and then not for a while. So
        the time that an answer takes does not tell whether there is such a record.

        Raises:
            NoSuchKey, Unavailable: as `open`.
        """
        if not self._rehearsed.get((tenant_id, purpose, record)):
            self._data_keys.generate(tenant_id, purpose)
            self._rehearsed.put((tenant_id, purpose, record), True)

    def _unwrap(self, tenant_id: str, purpose: str, wrapped: list[bytes]) -> list[bytes]:
        if len(wrapped) == 1:
            return [self._data_keys.unwrap(tenant_id, purpose, wrapped[0])]
        return self._data_keys.unwrap_all(tenant_id, purpose, wrapped)

    def _sealing_key(self, tenant_id: str, purpose: str) -> tuple[DataKey, int]:
        """The data key in use, and a number that no other sealing under it has."""
        in_use = self._sealing.get((tenant_id, purpose))
        if in_use is None or in_use.left == 0:
            key = self._data_keys.generate(tenant_id, purpose)
            if len(key.plaintext) != KEY_SIZE or len(key.wrapped) >= 2**16:
                raise Broken("A data key is not of the form it should have.")
            in_use = _InUse(key, KEY_USES)
            self._sealing.put((tenant_id, purpose), in_use)
            self._opening.put((tenant_id, purpose, key.wrapped), key.plaintext)
        in_use.left -= 1
        return in_use.key, in_use.left


def seal_with(data_key: bytes, binding: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    """
    *plaintext* under a key derived from *data_key* for *binding*: commitment, nonce, ciphertext and tag.

    Danger: the same *nonce* (12 bytes) under one key and binding must never come twice.
    """
    encryption_key, commitment = _derive(data_key, binding)
    return commitment + nonce + AESGCM(encryption_key).encrypt(nonce, plaintext, binding)


def open_with(data_key: bytes, binding: bytes, sealed: bytes) -> bytes:
    """
    What `seal_with` made under the same key and binding.

    Raises:
        DoesNotOpen: it is damaged, or of another key or binding.
    """
    if len(sealed) < _COMMITMENT + _NONCE + _TAG:
        raise DoesNotOpen("A ciphertext is cut short.")
    nonce = sealed[_COMMITMENT : _COMMITMENT + _NONCE]
    return _open(data_key, binding, sealed[:_COMMITMENT], nonce, sealed[_COMMITMENT + _NONCE :])


class Wrapping(NamedTuple):
    """Whose a ciphertext says that it is, and its wrapped data key; nothing of it is verified."""

    tenant_id: str
    purpose: str
    wrapped: bytes


def wrapping_of(ciphertext: bytes) -> Wrapping | None:
    """What *ciphertext* says in the clear; None if it is none of an envelope's."""
    try:
        return Wrapping(*_parse(ciphertext)[:3])
    except DoesNotOpen:
        return None


def rewrapped(ciphertext: bytes, wrapped: bytes) -> bytes:
    """*ciphertext* with the same data key wrapped anew."""
    parts = _parse(ciphertext)
    return _header(parts.tenant_id, parts.purpose, wrapped) + parts.commitment + parts.nonce + parts.sealed


def _binding(tenant_id: str, purpose: str, record: str) -> bytes:
    """Tenant, purpose and record, each with its length before it, so that no two triples give one text."""
    parts = (part.encode() for part in (tenant_id, purpose, record))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _derive(data_key: bytes, binding: bytes) -> tuple[bytes, bytes]:
    """The record's AES key and its commitment."""
    derived = HKDF(SHA256(), KEY_SIZE + _COMMITMENT, salt=None, info=_DOMAIN + binding).derive(data_key)
    return derived[:KEY_SIZE], derived[KEY_SIZE:]


def _header(tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
    tenant, use = tenant_id.encode(), purpose.encode()
    return b"".join(
        (bytes([VERSION, len(tenant)]), tenant, bytes([len(use)]), use, len(wrapped).to_bytes(2, "big"), wrapped)
    )


def _parse(ciphertext: bytes) -> _Parts:
    if ciphertext[:1] != bytes([VERSION]):
        raise DoesNotOpen("A ciphertext is not of a known form.")
    named, start = [], 1
    for size in (1, 1, 2):
        end = start + size + int.from_bytes(ciphertext[start : start + size], "big")
        named.append(ciphertext[start + size : end])
        start = end
    commitment, nonce = start + _COMMITMENT, start + _COMMITMENT + _NONCE
    if len(ciphertext) < nonce + _TAG:
        raise DoesNotOpen("A ciphertext is cut short.")
    tenant, purpose = (text.decode("ascii", "replace") for text in named[:2])
    return _Parts(tenant, purpose, named[2], ciphertext[start:commitment], ciphertext[commitment:nonce], ciphertext[nonce:])


def _open(data_key: bytes, binding: bytes, commitment: bytes, nonce: bytes, sealed: bytes) -> bytes:
    encryption_key, expected = _derive(data_key, binding)
    if not hmac.compare_digest(expected, commitment):
        raise DoesNotOpen("A ciphertext was made with another key or for another record.")
    try:
        return AESGCM(encryption_key).decrypt(nonce, sealed, binding)
    except InvalidTag:
        raise DoesNotOpen("A ciphertext is damaged.") from None
