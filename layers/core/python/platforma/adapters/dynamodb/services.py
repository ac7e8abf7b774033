"""
Services in the Credential table.

    SERVICE#{name} / SERVICE    the service; found before its tenant is known
"""

from typing import Any, cast

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.identity.service import Service
from platforma.kernel.errors import Conflict, PreconditionFailed, Unavailable
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


class DynamoDBServices:
    """`platforma.identity.service.Services`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables = tables
        self._outbox = outbox

    def get(self, name: str) -> Service | None:
        """The service of this name."""
        try:
            item = ServiceItem.get(_pk(name), SK, consistent_read=True)
        except DoesNotExist:
            return None
        except PynamoDBException as error:
            raise Unavailable(cause=error.cause_response_code or type(error.cause).__name__) from error
        status = cast("Any", item.status)
        return Service(name, item.tenant_id, tuple(item.roles), status, int(item.version))

    def add(self, service: Service, event: Event) -> None:
        """Keep a new service."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(service), ServiceItem.pk.does_not_exist(), refused=Conflict("The service's name is taken."))
        transaction.commit(event)

    def replace(self, before: Service, after: Service, event: Event) -> None:
        """Change a service."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(after), ServiceItem.version == before.version, refused=PreconditionFailed())
        transaction.commit(event)


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
