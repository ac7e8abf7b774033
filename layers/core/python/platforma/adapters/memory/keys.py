"""Keys in memory, for fast tests: the same promises, and the same wrapping, by a keeper that forgets."""

import os
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Event, entered
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import DoesNotOpen, NoSuchKey, SigningKeysMoved, UnknownPepper
from platforma.keys.model import KEY_SIZE, DataKey, Pepper, TenantKey, key_context
from platforma.keys.ports import SecretName
from platforma.keys.signing_key import SigningKey

_WRAPPED = re.compile(rb"\Amemory:v([1-9][0-9]{0,8}):")


class MemoryDataKeys:
    """
    `DataKeys` and `TenantKeyVersions`; the platform has its key from the start.

    *gone* imitates a keeper that is sealed, *calls* counts uses.
    """

    def __init__(self, *tenant_ids: str, clock: Clock = system_clock) -> None:
        self.clock = clock
        self._keys: dict[str, dict[int, tuple[bytes, datetime]]] = {}
        self._least: dict[str, int] = {}
        self._periods: dict[str, timedelta] = {}
        self.gone, self.calls = False, 0
        for tenant_id in (PLATFORM, *tenant_ids):
            self._keys[tenant_id] = {1: (os.urandom(KEY_SIZE), clock())}

    def generate(self, tenant_id: str, purpose: str) -> DataKey:
        """A fresh data key."""
        self._versions(tenant_id)
        plaintext = os.urandom(KEY_SIZE)
        return DataKey(plaintext, self._wrap(tenant_id, purpose, plaintext))

    def unwrap(self, tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
        """The key behind *wrapped*."""
        return self.unwrap_all(tenant_id, purpose, [wrapped])[0]

    def unwrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes]:
        """The keys behind *wrapped*."""
        self._versions(tenant_id)
        return [self._unwrap(tenant_id, purpose, one) for one in wrapped]

    def create_tenant_key(self, tenant_id: str) -> None:
        """Make the tenant's key if there is none."""
        self._answer()
        self._keys.setdefault(tenant_id, {1: (os.urandom(KEY_SIZE), self.clock())})

    def destroy_tenant_key(self, tenant_id: str) -> None:
        """Forget the tenant's key; none left is success too."""
        self._answer()
        self._keys.pop(tenant_id, None)

    def describe(self, tenant_id: str) -> TenantKey:
        """The tenant's key as it stands."""
        made = {version: at for version, (_, at) in self._versions(tenant_id).items()}
        return TenantKey(tenant_id, made, self._least.get(tenant_id, 1), self._periods.get(tenant_id, timedelta(days=30)))

    def rotate(self, tenant_id: str) -> None:
        """Give the tenant's key a new version."""
        versions = self._versions(tenant_id)
        versions[max(versions) + 1] = (os.urandom(KEY_SIZE), self.clock())

    def rotate_every(self, tenant_id: str, period: timedelta) -> None:
        """Note how often; nothing here rotates by itself."""
        self._versions(tenant_id)
        self._periods[tenant_id] = period

    def version_of(self, wrapped: bytes) -> int:
        """The version that *wrapped* names."""
        named = _WRAPPED.match(wrapped)
        return int(named[1]) if named else 0

    def rewrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes | None]:
        """The same data keys under the newest version."""
        self._versions(tenant_id)
        again: list[bytes | None] = []
        for one in wrapped:
            try:
                again.append(self._wrap(tenant_id, purpose, self._unwrap(tenant_id, purpose, one)))
            except DoesNotOpen:
                again.append(None)
        return again

    def retire(self, tenant_id: str, below: int) -> None:
        """Refuse the versions older than *below*."""
        self._versions(tenant_id)
        self._least[tenant_id] = below

    def trim(self, tenant_id: str, below: int) -> None:
        """Forget the versions older than *below*."""
        versions = self._versions(tenant_id)
        for version in [old for old in versions if old < below]:
            del versions[version]

    def _wrap(self, tenant_id: str, purpose: str, plaintext: bytes) -> bytes:
        version = max(self._keys[tenant_id])
        nonce = os.urandom(12)
        cipher = AESGCM(self._keys[tenant_id][version][0])
        return b"memory:v%d:" % version + nonce + cipher.encrypt(nonce, plaintext, key_context(tenant_id, purpose))

    def _unwrap(self, tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
        named, context = _WRAPPED.match(wrapped), key_context(tenant_id, purpose)
        versions = self._keys[tenant_id]
        if named is None or int(named[1]) not in versions or int(named[1]) < self._least.get(tenant_id, 1):
            raise DoesNotOpen("A wrapped key is of no version that opens.")
        box = wrapped[named.end() :]
        try:
            return AESGCM(versions[int(named[1])][0]).decrypt(box[:12], box[12:], context)
        except (InvalidTag, ValueError):
            raise DoesNotOpen("A wrapped key does not open.") from None

    def _versions(self, tenant_id: str) -> dict[int, tuple[bytes, datetime]]:
        self._answer()
        if tenant_id not in self._keys:
            raise NoSuchKey("A tenant has no key.", tenant_id=tenant_id)
        return self._keys[tenant_id]

    def _answer(self) -> None:
        if self.gone:
            raise Unavailable
        self.calls += 1


class MemorySecrets:
    """`Secrets` and `SecretSource`, with pepper 1 and the named secrets. *gone* imitates a keeper that is lost."""

    def __init__(self) -> None:
        self._peppers = {1: os.urandom(KEY_SIZE)}
        self._secrets: dict[SecretName, bytes] = {"lookup": os.urandom(KEY_SIZE), "cursor": os.urandom(KEY_SIZE)}
        self.gone = False
        self.calls = 0

    def pepper(self, version: int | None = None) -> Pepper:
        """The pepper of this version, or the current one."""
        self._answer()
        version = max(self._peppers) if version is None else version
        if version not in self._peppers:
            raise UnknownPepper
        return Pepper(version, self._peppers[version])

    def secret(self, name: SecretName) -> bytes:
        """The 32 bytes of this name."""
        self._answer()
        return self._secrets[name]

    def rotate_pepper(self) -> Pepper:
        """Add a pepper, which is then the current one."""
        self._peppers[max(self._peppers) + 1] = os.urandom(KEY_SIZE)
        return self.pepper()

    def read_secret(self, name: Literal["peppers", "secrets", "acme"]) -> Mapping[str, str]:
        """The document, as Vault would hold it."""
        self._answer()
        if name == "secrets":
            return {key: b64encode(value).decode() for key, value in self._secrets.items()}
        peppers = {str(version): b64encode(value).decode() for version, value in self._peppers.items()}
        return {"current": str(max(self._peppers)), **peppers}

    def _answer(self) -> None:
        if self.gone:
            raise Unavailable
        self.calls += 1


class MemorySigningKeyStore:
    """`SigningKeyStore`; *events* are those that were written with the keys, *reads* counts readings."""

    def __init__(self) -> None:
        self._keys: dict[str, SigningKey] = {}
        self._last = 0
        self._lock = Lock()
        self.events: list[Event] = []
        self.reads = 0

    def all(self) -> Sequence[SigningKey]:
        """Every stored key."""
        self.reads += 1
        return list(self._keys.values())

    def add(self, key: SigningKey, *, drop: Sequence[str] = (), event: Event) -> None:
        """Store *key*, remove *drop*."""
        with self._lock:
            if key.number != self._last + 1:
                raise SigningKeysMoved
            self._last = key.number
            self._keys[key.kid] = key
            for kid in drop:
                self._keys.pop(kid, None)
            self.events.append(event)
        entered((event,))
