"""
Domains in the Credential table.

    {tenant} / DOMAIN#{domain}   the tenant's claim
    DOMAIN#{domain} / OWNER      whose it is; found before the tenant is known, written conditionally, so that one has it
    {PLATFORM}#DOMAINS / {domain} that it is proved, for the schedule that looks at it again
"""

from collections.abc import Iterator
from typing import Any, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.identity.items import read_page
from platforma.adapters.dynamodb.single import answering, read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.identity.model import Page
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken, Conflict, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM
from platforma.sso.errors import DomainTaken
from platforma.sso.model import Domain

_PREFIX = "DOMAIN#"
_OWNER = "OWNER"
_PROVED = f"{PLATFORM}#DOMAINS"


class DomainItem(Item):
    """A claim."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    token = UnicodeAttribute()
    status = UnicodeAttribute()
    created_at = UnicodeAttribute()
    proved_at = UnicodeAttribute(null=True)
    checked_at = UnicodeAttribute(null=True)
    failed_since = UnicodeAttribute(null=True)
    version = NumberAttribute()


class DomainOwnerItem(Item):
    """Whose a domain is; also that it is proved, under `_PROVED`."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()


class DynamoDomains:
    """`platforma.sso.ports.Domains`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def get(self, tenant_id: str, name: str) -> Domain | None:
        """The tenant's claim."""
        item = read(DomainItem, tenant_id, _PREFIX + name)
        return None if item is None else _domain(item)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Domain]:
        """A tenant's claims, by name."""
        return read_page(
            DomainItem, tenant_id, _PREFIX, limit=limit, after=after, make=lambda items: [_domain(item) for item in items]
        )

    def owner(self, name: str) -> str | None:
        """The id of the one tenant whose it is."""
        item = read(DomainOwnerItem, _PREFIX + name, _OWNER)
        return None if item is None else item.tenant_id

    def add(self, domain: Domain, event: Event) -> None:
        """Keep a new claim."""
        t = Transaction(self._tables, self._outbox)
        t.put(_item(domain), DomainItem.pk.does_not_exist(), refused=Conflict("This domain was claimed before."))
        self._own(t, domain)
        t.commit(event)

    def replace(self, before: Domain, after: Domain, event: Event | None) -> None:
        """Change a claim, and whose the domain is with it."""
        t = Transaction(self._tables, self._outbox)
        t.put(_item(after), DomainItem.version == before.version, refused=PreconditionFailed())
        if before.status != after.status:
            if after.owned:
                self._own(t, after)
            else:
                self._free(t, before)
            if after.status == "vouched" and before.status == "proved":
                t.delete(DomainOwnerItem(_PROVED, before.name))
        t.commit(*([] if event is None else [event]))

    def remove(self, domain: Domain, event: Event) -> None:
        """Give up a claim, and the domain if it was owned."""
        t = Transaction(self._tables, self._outbox)
        keys = DomainItem(domain.tenant_id, _PREFIX + domain.name)
        t.delete(keys, DomainItem.version == domain.version, refused=PreconditionFailed())
        if domain.owned:
            self._free(t, domain)
        t.commit(event)

    def proved(self) -> Iterator[Domain]:
        """The proved claims of all tenants."""
        with answering():
            for item in DomainOwnerItem.query(_PROVED, consistent_read=True):
                domain = self.get(item.tenant_id, item.sk)
                if domain is not None and domain.status == "proved":
                    yield domain

    def _own(self, t: Transaction, domain: Domain) -> None:
        if domain.owned:
            free = DomainOwnerItem.pk.does_not_exist() | (DomainOwnerItem.tenant_id == domain.tenant_id)
            t.put(DomainOwnerItem(_PREFIX + domain.name, _OWNER, tenant_id=domain.tenant_id), free, refused=DomainTaken())
        if domain.status == "proved":
            t.put(DomainOwnerItem(_PROVED, domain.name, tenant_id=domain.tenant_id))

    def _free(self, t: Transaction, domain: Domain) -> None:
        mine = DomainOwnerItem.tenant_id == domain.tenant_id
        refused = Broken("A domain was owned by two tenants.", domain=domain.name)
        t.delete(DomainOwnerItem(_PREFIX + domain.name, _OWNER), mine, refused=refused)
        t.delete(DomainOwnerItem(_PROVED, domain.name))


def _item(domain: Domain) -> DomainItem:
    times = ("created_at", "proved_at", "checked_at", "failed_since")
    written = {name: rfc3339(at) for name in times if (at := getattr(domain, name)) is not None}
    return DomainItem(
        domain.tenant_id,
        _PREFIX + domain.name,
        token=domain.token,
        status=domain.status,
        version=domain.version,
        **cast("dict[str, Any]", written),
    )


def _domain(item: DomainItem) -> Domain:
    return Domain(
        tenant_id=item.pk,
        name=item.sk.removeprefix(_PREFIX),
        token=item.token,
        created_at=parse_rfc3339(item.created_at),
        status=cast("Any", item.status),
        proved_at=None if item.proved_at is None else parse_rfc3339(item.proved_at),
        checked_at=None if item.checked_at is None else parse_rfc3339(item.checked_at),
        failed_since=None if item.failed_since is None else parse_rfc3339(item.failed_since),
        version=int(item.version),
    )
