"""The values of this area. Whatever holds key material keeps it out of its `repr`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from platforma.kernel.errors import Broken

KEY_SIZE = 32
"""Bytes of every symmetric key here: AES-256, and HMAC-SHA-256 at its full strength."""

_PURPOSE = re.compile(r"\A[a-z][a-z_]{0,31}\Z")


class DataKey(NamedTuple):
    """A fresh AES-256 key, and the same wrapped under the tenant's key: only *wrapped* may be stored."""

    plaintext: bytes
    wrapped: bytes

    def __repr__(self) -> str:
        return f"DataKey(plaintext=..., wrapped={self.wrapped!r})"


@dataclass(frozen=True, slots=True)
class Pepper:
    """A secret that credentials are checked with besides what is stored; old versions stay for old credentials."""

    version: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TenantKey:
    """
    A tenant's key as its keeper describes it: when each version was made, and which versions still open.

    *min_decryption_version* is the oldest that opens, *rotated_every* None where nothing makes a new version by itself.
    *renewed_next* is set where the keeper renews what is inside the newest version instead of making another.
    """

    tenant_id: str
    versions: Mapping[int, datetime]
    min_decryption_version: int
    rotated_every: timedelta | None
    renewed_next: datetime | None = None

    @property
    def latest_version(self) -> int:
        """The version that new data keys are wrapped under."""
        return max(self.versions)

    @property
    def next_rotation(self) -> datetime | None:
        """When the next version is due, or what is inside the newest is renewed."""
        return self.renewed_at + self.rotated_every if self.rotated_every else None

    @property
    def renewed_at(self) -> datetime:
        """Since when the key has been what new data keys are wrapped under."""
        made = self.versions[self.latest_version]
        inside = self.renewed_next - self.rotated_every if self.renewed_next and self.rotated_every else made
        return max(made, inside)


def key_context(tenant_id: str, purpose: str) -> bytes:
    """
    What a wrapped key is bound to, `tenant|purpose`: the context of Vault's derived key.

    Raises:
        Broken: a name that would make this text ambiguous.
    """
    if not tenant_id or "|" in tenant_id or not _PURPOSE.match(purpose):
        raise Broken("A data key is bound to a tenant and a purpose.", tenant_id=tenant_id, purpose=purpose)
    return f"{tenant_id}|{purpose}".encode()
