"""What is known of a destroyed key. Nothing of it is secret, and nothing of it identifies a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

BACKUPS = timedelta(days=35)
"""How long backups are kept: those of the tables hold sealed data so long, those of the keeper of keys hold the key."""


@dataclass(frozen=True, slots=True)
class LogPosition:
    """How far a log had come when nothing of its tenant's waited any more: so many entries, with this root (base64)."""

    id: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Shredding:
    """
    A tenant's key before and after it was destroyed: which versions it had, and where the tenant's logs ended.

    *destroyed_at* is when the key was known to be gone, and *statement* the signed note of it; None until then.
    """

    tenant_id: str
    key_id: str
    versions: tuple[int, ...]
    logs: tuple[LogPosition, ...]
    destroyed_at: datetime | None = None
    statement: str | None = None

    @property
    def backups_until(self) -> datetime | None:
        """From when on no backup holds the key or what was sealed under it."""
        return None if self.destroyed_at is None else self.destroyed_at + BACKUPS
