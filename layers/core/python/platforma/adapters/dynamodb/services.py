"""
Services in the Credential table.

    SERVICE#{name} / SERVICE        the service; found before its tenant is known
    {tenant_id} / SERVICE#{name}    that the tenant has it, for lists
"""

from typing import Any, cast

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.single import answering, read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.identity.model import Page
from platforma.identity.service import Service
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event

SK = "SERVICE"


class ServiceItem(Item):
    """A service."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    roles: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    status = UnicodeAttribute()
    version = NumberAttribute()


class TenantServiceItem(Item):
    """That a tenant has a service."""

    table = "credential"

    class Meta:
        table_name = "unbound"


class DynamoDBServices:
    """`platforma.identity.service.Services`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables = tables
        self._outbox = outbox

    def get(self, name: str) -> Service | None:
        """The service of this name."""
        item = read(ServiceItem, _pk(name), SK)
        return None if item is None else _service(item)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Service]:
        """The tenant's services, by name. One that is deleted while it is read is left out."""
        start = None if after is None else {"pk": {"S": tenant_id}, "sk": {"S": _pk(after)}}
        with answering():
            prefix = TenantServiceItem.sk.startswith(_pk(""))
            listed = TenantServiceItem.query(tenant_id, prefix, consistent_read=True, limit=limit, last_evaluated_key=start)
            names = [item.sk.removeprefix(_pk("")) for item in listed]
        found = (self.get(name) for name in names)
        mine = tuple(each for each in found if each is not None and each.tenant_id == tenant_id)
        return Page(mine, names[-1] if listed.last_evaluated_key else None)

    def add(self, service: Service, event: Event) -> None:
        """Keep a new service."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(service), ServiceItem.pk.does_not_exist(), refused=Conflict("The service's name is taken."))
        transaction.put(TenantServiceItem(service.tenant_id, _pk(service.name)))
        transaction.commit(event)

    def replace(self, before: Service, after: Service, event: Event) -> None:
        """Change a service."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(after), ServiceItem.version == before.version, refused=PreconditionFailed())
        transaction.put(TenantServiceItem(after.tenant_id, _pk(after.name)))
        transaction.commit(event)

    def remove(self, service: Service, event: Event) -> None:
        """Delete a service."""
        transaction = Transaction(self._tables, self._outbox)
        item = ServiceItem(_pk(service.name), SK)
        transaction.delete(item, ServiceItem.version == service.version, refused=PreconditionFailed())
        transaction.delete(TenantServiceItem(service.tenant_id, _pk(service.name)))
        transaction.commit(event)


def _service(item: ServiceItem) -> Service:
    status = cast("Any", item.status)
    return Service(item.pk.removeprefix(_pk("")), item.tenant_id, tuple(item.roles), status, int(item.version))


def _pk(name: str) -> str:
    return f"SERVICE#{name}"


def _item(service: Service) -> ServiceItem:
    return ServiceItem(
        _pk(service.name),
        SK,
        tenant_id=service.tenant_id,
        roles=list(service.roles),
        status=service.status,
        version=service.version,
    )
