"""The ports of this area: what wraps data keys, keeps secrets, and stores signing keys."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal, Protocol

from platforma.kernel.events import Event
from platforma.keys.model import DataKey, Pepper, TenantKey
from platforma.keys.signing_key import SigningKey

SecretName = Literal["lookup", "cursor"]
"""`lookup` keys the hashes by which personal values are found again, `cursor` authenticates the cursors of lists."""


class DataKeys(Protocol):
    """
    Data keys, wrapped under a key of the tenant's that never leaves its keeper.

    The platform's own are under the tenant id `tenancy.PLATFORM`. Every method may raise `Unavailable`.
    """

    def generate(self, tenant_id: str, purpose: str) -> DataKey:
        """
        A fresh data key that only this tenant and purpose can unwrap.

        Raises:
            NoSuchKey: the tenant has no key.
        """

    def unwrap(self, tenant_id: str, purpose: str, wrapped: bytes) -> bytes:
        """
        The 32 bytes behind *wrapped*.

        Raises:
            DoesNotOpen: *wrapped* is damaged or was made for another tenant or purpose.
            NoSuchKey: the tenant has no key.
        """

    def unwrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes]:
        """As `unwrap`, for many in one call; in order, and all or none."""

    def create_tenant_key(self, tenant_id: str) -> None:
        """Make the tenant's key, unless it has one: then that one stays as it is."""


class TenantKeyVersions(Protocol):
    """The versions of tenants' keys, and their moving on. Every method may raise `NoSuchKey` and `Unavailable`."""

    def describe(self, tenant_id: str) -> TenantKey:
        """The tenant's key as it stands."""

    def rotate(self, tenant_id: str) -> None:
        """Give the tenant's key a new version; the older ones go on opening."""

    def rotate_every(self, tenant_id: str, period: timedelta) -> None:
        """Give the tenant's key a new version whenever the newest is this old."""

    def version_of(self, wrapped: bytes) -> int:
        """The version of the tenant's key that *wrapped* was wrapped under; 0 if it is of no form of this keeper's."""

    def rewrap_all(self, tenant_id: str, purpose: str, wrapped: Sequence[bytes]) -> list[bytes | None]:
        """The same data keys wrapped under the newest version, in order; None for one that does not open."""

    def retire(self, tenant_id: str, below: int) -> None:
        """Let no version older than *below* open anything any more; the versions are still there."""

    def trim(self, tenant_id: str, below: int) -> None:
        """Destroy the versions older than *below*, which were retired; nothing brings them back."""


class SecretSource(Protocol):
    """Documents of secrets as their keeper holds them."""

    def read_secret(self, name: Literal["peppers", "secrets", "acme"]) -> Mapping[str, str]:
        """
        The current version of the document: `{"current": "1", "1": base64}` or `{name: base64}`.

        Raises:
            Unavailable: its keeper does not answer, or has no such document.
        """


class Secrets(Protocol):
    """The platform's own symmetric secrets. Every method may raise `Unavailable`."""

    def pepper(self, version: int | None = None) -> Pepper:
        """
        The pepper of this version, or the current one.

        Raises:
            UnknownPepper: there is none of this version.
        """

    def secret(self, name: SecretName) -> bytes:
        """The 32 bytes of this name."""


class SigningKeyStore(Protocol):
    """Token signing keys, private halves sealed. Every method may raise `Unavailable`."""

    def all(self) -> Sequence[SigningKey]:
        """Every stored key, read consistently, in no order."""

    def add(self, key: SigningKey, *, drop: Sequence[str] = (), event: Event) -> None:
        """
        Store *key* and remove the keys *drop*, together with *event*.

        Raises:
            SigningKeysMoved: the last key that was made has another number than the one before *key*'s; nothing was written.
        """
