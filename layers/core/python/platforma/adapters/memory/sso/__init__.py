"""Connections, domains and what they ask of DNS and Vault, in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from platforma.adapters.memory.identity.store import page_of
from platforma.identity.model import Page
from platforma.kernel.errors import Conflict, PreconditionFailed, Unavailable
from platforma.kernel.events import Event, entered
from platforma.sso.errors import DomainTaken
from platforma.sso.model import Connection, Domain

Record = Callable[[Event], None]


class MemoryConnections:
    """`Connections`. *record* is told each event in the moment of its write."""

    def __init__(self, record: Record = lambda _: None) -> None:
        self._kept: dict[str, Connection] = {}
        self._record, self._lock = record, Lock()

    def get(self, connection_id: str) -> Connection | None:
        """The connection."""
        return self._kept.get(connection_id)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Connection]:
        """A tenant's connections by id."""
        return page_of((each for each in self._kept.values() if each.tenant_id == tenant_id), limit, after)

    def add(self, connection: Connection, event: Event) -> None:
        """Keep a new connection."""
        with self._lock:
            _commit(self._record, event)
            self._kept[connection.id] = connection

    def replace(self, before: Connection, after: Connection, event: Event | None) -> None:
        """Change a connection."""
        with self._lock:
            self._require(before)
            if event is not None:
                _commit(self._record, event)
            self._kept[after.id] = after

    def remove(self, connection: Connection, event: Event) -> None:
        """Delete a connection."""
        with self._lock:
            self._require(connection)
            _commit(self._record, event)
            del self._kept[connection.id]

    def every(self) -> Iterator[Connection]:
        """Those of all tenants."""
        yield from sorted(self._kept.values(), key=lambda each: each.id)

    def _require(self, before: Connection) -> None:
        stored = self._kept.get(before.id)
        if stored is None or stored.version != before.version:
            raise PreconditionFailed


class MemoryDomains:
    """`Domains`. *record* is told each event in the moment of its write."""

    def __init__(self, record: Record = lambda _: None) -> None:
        self._kept: dict[tuple[str, str], Domain] = {}
        self._record, self._lock = record, Lock()

    def get(self, tenant_id: str, name: str) -> Domain | None:
        """The tenant's claim."""
        return self._kept.get((tenant_id, name))

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Domain]:
        """A tenant's claims, by name."""
        mine = sorted((each for (tenant, _), each in self._kept.items() if tenant == tenant_id), key=lambda each: each.name)
        following = [each for each in mine if after is None or each.name > after]
        more = len(following) > limit
        return Page(tuple(following[:limit]), following[limit - 1].name if more else None)

    def owner(self, name: str) -> str | None:
        """The id of the one tenant whose it is."""
        return next((each.tenant_id for each in self._kept.values() if each.name == name and each.owned), None)

    def add(self, domain: Domain, event: Event) -> None:
        """Keep a new claim."""
        with self._lock:
            if (domain.tenant_id, domain.name) in self._kept:
                raise Conflict
            self._require_free(domain)
            _commit(self._record, event)
            self._kept[domain.tenant_id, domain.name] = domain

    def replace(self, before: Domain, after: Domain, event: Event | None) -> None:
        """Change a claim."""
        with self._lock:
            self._require(before)
            self._require_free(after)
            if event is not None:
                _commit(self._record, event)
            self._kept[after.tenant_id, after.name] = after

    def remove(self, domain: Domain, event: Event) -> None:
        """Give up a claim."""
        with self._lock:
            self._require(domain)
            _commit(self._record, event)
            del self._kept[domain.tenant_id, domain.name]

    def proved(self) -> Iterator[Domain]:
        """The proved claims of all tenants."""
        yield from sorted((each for each in self._kept.values() if each.status == "proved"), key=lambda each: each.name)

    def _require(self, before: Domain) -> None:
        stored = self._kept.get((before.tenant_id, before.name))
        if stored is None or stored.version != before.version:
            raise PreconditionFailed

    def _require_free(self, domain: Domain) -> None:
        if domain.owned and self.owner(domain.name) not in (None, domain.tenant_id):
            raise DomainTaken


@dataclass(slots=True)
class MemoryDNS:
    """`DNS`, with the records given; *gone* imitates a resolver that does not answer."""

    records: dict[str, list[str]] = field(default_factory=dict)
    gone: bool = False

    def texts(self, name: str) -> Sequence[str]:
        """The TXT records at *name*."""
        if self.gone:
            raise Unavailable
        return list(self.records.get(name, ()))


@dataclass(slots=True)
class MemoryProviderSecrets:
    """`ProviderSecrets`; *gone* imitates a Vault that is lost."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)
    gone: bool = False

    def keep_provider_secret(self, tenant_id: str, reference: str, secret: str) -> None:
        """Keep a secret."""
        self._answer()
        self.kept[tenant_id, reference] = secret

    def read_provider_secret(self, tenant_id: str, reference: str) -> str:
        """The secret."""
        self._answer()
        if (tenant_id, reference) not in self.kept:
            raise Unavailable
        return self.kept[tenant_id, reference]

    def forget_provider_secret(self, tenant_id: str, reference: str) -> None:
        """Destroy the secret."""
        self._answer()
        self.kept.pop((tenant_id, reference), None)

    def forget_provider_secrets(self, tenant_id: str) -> None:
        """Destroy all of a tenant's."""
        self._answer()
        for key in [key for key in self.kept if key[0] == tenant_id]:
            del self.kept[key]

    def _answer(self) -> None:
        if self.gone:
            raise Unavailable


def _commit(record: Record, event: Event) -> None:
    record(event)
    entered((event,))
