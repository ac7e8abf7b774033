"""
Connections in the Credential table.

    SSO#{id} / SSO            the connection; found before its tenant is known
    SSO#{id} / KEYS           our keys for it (`provider_keys`), which go with it
    {tenant} / SSO#{id}       that the tenant has it, for lists
    {PLATFORM}#SSO / {id}     that it is there, for the schedule that keeps connections current
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.identity.items import read_page
from platforma.adapters.dynamodb.single import answering, read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import moves_revocation
from platforma.identity.model import Page
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Broken, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM
from platforma.sso.model import Connection, GroupMapping, IdentityProvider, OIDCSettings, Provisioning, SAMLSettings

SK = "SSO"
_EVERY = f"{PLATFORM}#SSO"
_BATCH = 100


class ConnectionItem(Item):
    """A connection; *state* is all of it but its keys."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    version = NumberAttribute()
    state: Any = JSONAttribute()


class PointerItem(Item):
    """That a connection is there."""

    table = "credential"

    class Meta:
        table_name = "unbound"


class DynamoConnections:
    """`platforma.sso.ports.Connections`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def get(self, connection_id: str) -> Connection | None:
        """The connection."""
        item = read(ConnectionItem, connection_pk(connection_id), SK)
        return None if item is None else _connection(item)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Connection]:
        """A tenant's connections by id; one that is deleted while they are read is left out."""
        return read_page(PointerItem, tenant_id, connection_pk(""), limit=limit, after=after, make=self._several)

    def add(self, connection: Connection, event: Event) -> None:
        """Keep a new connection."""
        t = Transaction(self._tables, self._outbox)
        t.put(_item(connection), ConnectionItem.pk.does_not_exist(), refused=Broken("An id was made twice."))
        for pointer in _pointers(connection):
            t.put(pointer)
        t.commit(event)

    def replace(self, before: Connection, after: Connection, event: Event | None) -> None:
        """Change a connection."""
        t = Transaction(self._tables, self._outbox)
        t.put(_item(after), ConnectionItem.version == before.version, refused=PreconditionFailed())
        if before.enabled and not after.enabled:
            moves_revocation(t, after.tenant_id)
        t.commit(*(() if event is None else (event,)))

    def remove(self, connection: Connection, event: Event) -> None:
        """Delete a connection."""
        t = Transaction(self._tables, self._outbox)
        keys = ConnectionItem(connection_pk(connection.id), SK)
        t.delete(keys, ConnectionItem.version == connection.version, refused=PreconditionFailed())
        for pointer in _pointers(connection):
            t.delete(pointer)
        t.delete(ConnectionItem(connection_pk(connection.id), "KEYS"))
        moves_revocation(t, connection.tenant_id)
        t.commit(event)

    def every(self) -> Iterator[Connection]:
        """Those of all tenants."""
        with answering():
            for item in PointerItem.query(_EVERY, consistent_read=True):
                if (connection := self.get(item.sk)) is not None:
                    yield connection

    def _several(self, pointers: Sequence[PointerItem]) -> list[Connection]:
        ids = [pointer.sk.removeprefix(connection_pk("")) for pointer in pointers]
        found: dict[str, Connection] = {}
        with answering():
            for first in range(0, len(ids), _BATCH):
                keys = [(connection_pk(connection_id), SK) for connection_id in ids[first : first + _BATCH]]
                items = ConnectionItem.batch_get(keys, consistent_read=True)
                found |= {connection.id: connection for connection in map(_connection, items)}
        return [found[connection_id] for connection_id in ids if connection_id in found]


def connection_pk(connection_id: str) -> str:
    """Where a connection is, and what belongs to it."""
    return f"SSO#{connection_id}"


def _pointers(connection: Connection) -> tuple[PointerItem, PointerItem]:
    return PointerItem(connection.tenant_id, connection_pk(connection.id)), PointerItem(_EVERY, connection.id)


def _item(connection: Connection) -> ConnectionItem:
    saml, oidc = connection.saml, connection.oidc
    state = {
        "name": connection.name,
        "type": connection.type,
        "domains": list(connection.domains),
        "created_at": rfc3339(connection.created_at),
        "enabled": connection.enabled,
        "tested_at": None if connection.tested_at is None else rfc3339(connection.tested_at),
        "enforced": connection.enforced,
        "break_glass": list(connection.break_glass),
        "attribute_mapping": dict(connection.attribute_mapping),
        "group_mappings": [[mapping.group, mapping.role, mapping.match] for mapping in connection.group_mappings],
        "provisioning": _flat(connection.provisioning),
        "saml": None if saml is None else {**_flat(saml), "provider": _flat(saml.provider)},
        "oidc": None if oidc is None else _flat(oidc),
    }
    return ConnectionItem(
        connection_pk(connection.id), SK, tenant_id=connection.tenant_id, version=connection.version, state=state
    )


def _connection(item: ConnectionItem) -> Connection:
    state = item.state
    saml, oidc = state["saml"], state["oidc"]
    return Connection(
        id=item.pk.removeprefix(connection_pk("")),
        tenant_id=item.tenant_id,
        name=state["name"],
        type=state["type"],
        domains=tuple(state["domains"]),
        created_at=parse_rfc3339(state["created_at"]),
        saml=None if saml is None else _saml(saml),
        oidc=None if oidc is None else OIDCSettings(**oidc),
        attribute_mapping=state["attribute_mapping"],
        group_mappings=tuple(GroupMapping(*each) for each in state["group_mappings"]),
        provisioning=Provisioning(**_tuples(state["provisioning"])),
        enabled=state["enabled"],
        tested_at=parse_rfc3339(state["tested_at"]) if state.get("tested_at") else None,
        enforced=state.get("enforced", False),
        break_glass=tuple(state.get("break_glass", ())),
        version=int(item.version),
    )


def _saml(state: Mapping[str, Any]) -> SAMLSettings:
    provider = IdentityProvider(**_tuples(state["provider"]))
    at = state["refreshed_at"]
    return SAMLSettings(**{**state, "provider": provider, "refreshed_at": None if at is None else parse_rfc3339(at)})


def _flat(value: Any) -> dict[str, Any]:
    """The fields of a frozen value as JSON has them."""
    shown = {field.name: getattr(value, field.name) for field in fields(value)}
    times = {name: rfc3339(each) for name, each in shown.items() if name == "refreshed_at" and each is not None}
    return {name: list(each) if isinstance(each, tuple) else each for name, each in shown.items()} | times


def _tuples(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(each) if isinstance(each, list) else each for name, each in state.items()}
