"""Keys in memory, for fast tests: the same promises, and the same wrapping, by a keeper that forgets."""

import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from platforma.kernel.errors import Unavailable
from platforma.kernel.events import Event, entered
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.errors import DoesNotOpen, NoSuchKey, SigningKeysMoved, UnknownPepper
from platforma.keys.model import KEY_SIZE, DataKey, Pepper, key_context
from platforma.keys.ports import SecretName
from platforma.keys.signing_key import SigningKey


class MemoryDataKeys:
    """`DataKeys`; the platform has its key from the start. *gone* imitates a keeper that is sealed, *calls* counts uses."""

    def __init__(self, *tenant_ids: str) -> None:
        self._keys = {tenant_id: os.urandom(KEY_SIZE) for tenant_id in (PLATFORM, *tenant_ids)}
        self.gone = False
        self.calls = 0

    def generate(self, tenant_id: str, purpose: str) -> DataKey:
        """A fresh data key."""
        cipher = self._cipher(tenant_id)
        plaintext, nonce = os.urandom(KEY_SIZE), os.urandom(12)
        return DataKey(plaintext, nonce + cipher.encrypt(nonce, plaintext, key_context(tenant_id, purpose)))

    def unwrap(self, tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
        """The key behind *wrapped*."""
        return self.unwrap_all(tenant_id, purpose, [wrapped])[0]

    def unwrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes]:
        """The keys behind *wrapped*."""
        cipher = self._cipher(tenant_id)
        context = key_context(tenant_id, purpose)
        try:
            return [cipher.decrypt(one[:12], one[12:], context) for one in wrapped]
        except (InvalidTag, ValueError):
            raise DoesNotOpen("A wrapped key does not open.") from None

    def create_tenant_key(self, tenant_id: str) -> None:
        """Make the tenant's key if there is none."""
        self._answer()
        self._keys.setdefault(tenant_id, os.urandom(KEY_SIZE))

    def destroy_tenant_key(self, tenant_id: str) -> None:
        """Forget the tenant's key; none left is success too."""
        self._answer()
        self._keys.pop(tenant_id, None)

    def _cipher(self, tenant_id: str) -> AESGCM:
        self._answer()
        if tenant_id not in self._keys:
            raise NoSuchKey("A tenant has no key.", tenant_id=tenant_id)
        return AESGCM(self._keys[tenant_id])

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

    def read_secret(self, name: Literal["peppers", "secrets"]) -> Mapping[str, str]:
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
