"""What this area needs of the outside beside other areas' ports. Every method may raise `Unavailable`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from platforma.identity.factors.model import Factors


class TableState(NamedTuple):
    """A table: the key that encrypts it (None: none of ours), whether it can be put back to a moment of the past *days*."""

    name: str
    key: str | None
    recoverable: bool
    days: int
    protected: bool


class BucketState(NamedTuple):
    """
    A bucket: the key that encrypts it, whether it is closed to the public, how long its objects are locked by default.

    S3 delivers its access logs only to a bucket that is encrypted by a key of its own (*encrypted*, without *key*).
    """

    name: str
    key: str | None
    private: bool
    versioned: bool
    lock: str | None
    lock_years: int
    encrypted: bool
    takes_access_logs: bool = False


class QueueState(NamedTuple):
    """A queue: the key that encrypts it."""

    name: str
    key: str | None


class KeyState(NamedTuple):
    """A key of the cloud's key service, and whether it is rotated by itself."""

    name: str
    rotates: bool


class Alarms(NamedTuple):
    """How many alarms there are, how many tell somebody, and which ring now."""

    known: int
    telling: int
    ringing: tuple[str, ...]


class Lock(NamedTuple):
    """How an object is locked."""

    mode: str
    until: datetime


class EndpointState(NamedTuple):
    """
    What an endpoint agreed to: the *version* of TLS (empty: it refused before), what a client got that speaks nothing as new
    as *least* (*older*; None: it was refused), whether its certificate is *trusted* and until when it is good, and whether a
    request without a client certificate was *answered*.
    """

    address: str
    version: str
    least: str
    older: str | None
    trusted: bool
    certified_until: datetime | None
    answered: bool


class Endpoints(Protocol):
    """The endpoints as their clients meet them."""

    def outside(self) -> EndpointState:
        """The one for everybody."""

    def inside(self) -> EndpointState | None:
        """The one for services, if there is one."""


class Estate(Protocol):
    """The deployed stores as the cloud describes them: of nobody's data, and so the same for every tenant."""

    def tables(self) -> Sequence[TableState]:
        """Every table."""

    def buckets(self) -> Sequence[BucketState]:
        """Every bucket that this function knows."""

    def queues(self) -> Sequence[QueueState]:
        """Every queue."""

    def keys(self) -> Sequence[KeyState]:
        """Every key that tables, buckets and queues name."""

    def alarms(self) -> Alarms:
        """The alarms of this system."""

    def lock(self, name: str) -> Lock | None:
        """The lock of an object of the audit bucket; None where it has none."""


class FactorsOf(Protocol):
    """The factors of all of a tenant's people."""

    def every(self, tenant_id: str) -> Iterator[Factors]:
        """Each person's that has any, lazily."""
