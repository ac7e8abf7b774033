"""
A witness that was chosen, and how it stands between it and each log.

Whom a tenant chose (`ChosenWitness`) and how offering goes (`Offered`) are kept apart, as with streams. The platform's own
witnesses are offered every log's checkpoints, a tenant's those of its own logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from platforma.audit.cosignature import WitnessKey, parse_witness_key
from platforma.audit.model import tenant_of
from platforma.kernel.tenancy import PLATFORM

Status = Literal["new", "healthy", "failing", "contradicted"]
MOST = 10
"""Witnesses of one tenant."""
_BACKOFF, _SLOWEST = timedelta(minutes=1), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ChosenWitness:
    """Whom checkpoints are offered to: its verifier *key* (C2SP tlog-cosignature) and its submission prefix, *url*."""

    id: str
    tenant_id: str
    key: str
    url: str
    created_at: str
    created_by: str
    version: int = 1

    @property
    def verifier(self) -> WitnessKey:
        """Its key."""
        return parse_witness_key(self.key)

    def is_for(self, log_id: str) -> bool:
        """Whether this log's checkpoints are offered to it."""
        return self.tenant_id in (PLATFORM, tenant_of(log_id))

    def told(self) -> dict[str, Any]:
        """What an event says of it; of its URL no more than whose it is, since a path may be a secret."""
        parts = urlsplit(self.url)
        return {"verifier_key": self.key, "url": f"{parts.scheme}://{parts.netloc}"}


@dataclass(frozen=True, slots=True)
class Offered:
    """
    How it stands between a witness and a log: the *size* of the newest checkpoint that it cosigned, and when it was noted.

    *failing_since* is since when it gives none, *tries* how often it was asked since, *next_try* (epoch seconds) when it is
    again, *error* why. *contradicts* says that what it saw of the log is not what the log is.
    """

    size: int = 0
    cosigned_at: str | None = None
    failing_since: str | None = None
    tries: int = 0
    next_try: int = 0
    error: str | None = None
    contradicts: bool = False

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def status_of(offered: Mapping[str, Offered]) -> Status:
    """How it stands with a witness, by the logs that it was offered."""
    if any(one.contradicts for one in offered.values()):
        return "contradicted"
    if any(one.failing_since for one in offered.values()):
        return "failing"
    return "healthy" if offered else "new"


def later(tries: int) -> timedelta:
    """How long to wait after so many tries in vain."""
    return min(_BACKOFF * (1 << min(tries - 1, 10)), _SLOWEST)
