"""
OAuth clients in the Credential table.

    CLIENT#{client_id} / CLIENT       the client with its secrets; found before its tenant is known
    {tenant_id} / CLIENT#{client_id}  that the tenant has it, for lists

One item holds a client's status and its secrets, so that what ends one of them and what a check writes exclude each other.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from pynamodb.attributes import JSONAttribute, ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import moves_policy, moves_revocation
from platforma.kernel import given
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event
from platforma.keys.stored_secret import StoredSecret
from platforma.oauth.model import Change, Client, ClientSecret

SK = "CLIENT"
TOMBSTONE_KEPT = timedelta(days=90)
"""How long a deleted client's secrets are known as genuine, once, in its tenant's log."""
_BATCH = 100


class ClientItem(Item):
    """A client. *secrets* maps a secret's id to what is kept of it; *metadata* has the rest of what it registered."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    name = UnicodeAttribute()
    type = UnicodeAttribute()
    grant_types: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    redirect_uris: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    scopes: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    token_endpoint_auth_method = UnicodeAttribute(null=True)
    roles: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    status = UnicodeAttribute()
    created_at = UnicodeAttribute()
    version = NumberAttribute()
    metadata: Any = JSONAttribute(null=True)
    registration_token = UnicodeAttribute(null=True)
    givers = UnicodeAttribute(null=True)
    secrets: MapAttribute[str, Any] = MapAttribute()  # type: ignore[no-untyped-call]  # PynamoDB leaves it so


class TenantClientItem(Item):
    """That a tenant has a client."""

    table = "credential"

    class Meta:
        table_name = "unbound"


class DynamoDBClients:
    """`platforma.oauth.ports.Clients`."""

    def __init__(self, tables: Tables, outbox: Outbox, clock: Clock = system_clock) -> None:
        self._tables = tables
        self._outbox = outbox
        self._clock = clock

    def get(self, client_id: str) -> Client | None:
        """The client of this id."""
        with answering():
            try:
                return _client(ClientItem.get(_pk(client_id), SK, consistent_read=True))
            except DoesNotExist:
                return None

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[list[Client], str | None]:
        """A page of the tenant's clients. One that is deleted while it is read is left out."""
        start = None if after is None else {"pk": {"S": tenant_id}, "sk": {"S": _pk(after)}}
        with answering():
            listed = TenantClientItem.query(
                tenant_id,
                TenantClientItem.sk.startswith(_pk("")),
                consistent_read=True,
                limit=limit,
                last_evaluated_key=start,
            )
            ids = [item.sk.removeprefix(_pk("")) for item in listed]
            found: dict[str, Client] = {}
            for first in range(0, len(ids), _BATCH):
                keys = [(_pk(client_id), SK) for client_id in ids[first : first + _BATCH]]
                found |= {client.id: client for client in map(_client, ClientItem.batch_get(keys, consistent_read=True))}
        clients = [found[client_id] for client_id in ids if client_id in found and found[client_id].status != "deleted"]
        return clients, ids[-1] if listed.last_evaluated_key else None

    def add(self, client: Client, event: Event) -> None:
        """Keep a new client."""
        transaction = Transaction(self._tables, self._outbox)
        item = _item(client)
        item.givers = given.written(given.carried({}, (), client.roles, event))
        transaction.put(item, ClientItem.pk.does_not_exist(), refused=Conflict())
        transaction.put(TenantClientItem(client.tenant_id, _pk(client.id)))
        transaction.commit(event)

    def change(self, change: Change, event: Event) -> None:
        """Bring a client from before to after: what differs is written, and no ticket or time of use besides."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.update(
            ClientItem(_pk(change.before.id), SK),
            [*_differences(change), *_givers(change, event), *self._expiry(change.after)],
            ClientItem.version == change.before.version,
            refused=PreconditionFailed(),
        )
        if change.after.status == "deleted":
            transaction.delete(TenantClientItem(change.before.tenant_id, _pk(change.before.id)))
        if change.moves_policy:
            moves_policy(transaction, change.before.tenant_id)
        if change.moves_revocation:
            moves_revocation(transaction, change.before.tenant_id)
        transaction.commit(event)

    def note_use(self, client_id: str, secret: ClientSecret) -> bool:
        """Keep a secret's ticket and time of use."""
        path, kept = Path(["secrets", secret.id]), secret.stored
        condition = (ClientItem.status == "active") & (path["hash"] == kept.hash)
        transaction = Transaction(self._tables)
        actions: list[Action] = [path.set(_kept(secret))]
        transaction.update(ClientItem(_pk(client_id), SK), actions, condition, refused=PreconditionFailed())
        try:
            transaction.commit()
        except PreconditionFailed:
            return False
        return True

    def _expiry(self, client: Client) -> list[Action]:
        if client.status != "deleted":
            return []
        return [ClientItem.expires.set(int((self._clock() + TOMBSTONE_KEPT).timestamp()))]


def _pk(client_id: str) -> str:
    return f"CLIENT#{client_id}"


def _fields(client: Client) -> dict[str, Any]:
    return {
        "name": client.name,
        "grant_types": list(client.grant_types),
        "redirect_uris": list(client.redirect_uris),
        "scopes": list(client.scopes),
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "roles": list(client.roles),
        "status": client.status,
        "version": client.version,
        "metadata": client.metadata(),
        "registration_token": client.registration_token,
    }


def _item(client: Client) -> ClientItem:
    return ClientItem(
        _pk(client.id),
        SK,
        tenant_id=client.tenant_id,
        type=client.type,
        created_at=client.created_at.isoformat(),
        secrets={secret.id: _kept(secret) for secret in client.secrets},
        **_fields(client),
    )


def _differences(change: Change) -> list[Action]:
    before, after = _fields(change.before), _fields(change.after)
    actions: list[Action] = [getattr(ClientItem, name).set(after[name]) for name in after if after[name] != before[name]]
    was, now = ({secret.id: secret for secret in client.secrets} for client in (change.before, change.after))
    paths = {secret_id: Path(["secrets", secret_id]) for secret_id in (*was, *now)}
    actions += [paths[secret_id].remove() for secret_id in was if secret_id not in now]
    actions += [paths[secret_id].set(_kept(now[secret_id])) for secret_id in now if secret_id not in was]
    if change.after.status != "active":
        for secret_id in now.keys() & was.keys():
            actions += [paths[secret_id]["ticket"].set(""), paths[secret_id]["ticket_expires"].set(0)]
    return actions


def _givers(change: Change, event: Event) -> list[Action]:
    before, after = change.before, change.after
    if before.roles == after.roles:
        return []
    text = given.written(given.carried(before.givers, before.roles, after.roles, event))
    return [ClientItem.givers.remove() if text is None else ClientItem.givers.set(text)]


def _kept(secret: ClientSecret) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "selector": secret.selector,
        "hash": secret.stored.hash,
        "pepper": secret.stored.version,
        "ticket": secret.stored.ticket,
        "ticket_expires": secret.stored.ticket_expires,
        "created_at": secret.created_at.isoformat(),
    }
    if secret.last_used_at is not None:
        kept["last_used_at"] = secret.last_used_at.isoformat()
    return kept


def _secret(secret_id: str, kept: dict[str, Any]) -> ClientSecret:
    used = kept.get("last_used_at")
    return ClientSecret(
        id=secret_id,
        selector=kept["selector"],
        stored=StoredSecret(kept["hash"], int(kept["pepper"]), kept["ticket"], int(kept["ticket_expires"])),
        created_at=datetime.fromisoformat(kept["created_at"]),
        last_used_at=datetime.fromisoformat(used) if used else None,
    )


def _client(item: ClientItem) -> Client:
    kept = cast("Any", item.secrets).as_dict()
    metadata: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in (item.metadata or {}).items()
    }
    secrets = [_secret(secret_id, kept[secret_id]) for secret_id in kept]
    return Client(
        id=item.pk.removeprefix(_pk("")),
        tenant_id=item.tenant_id,
        name=item.name,
        type=cast("Any", item.type),
        grant_types=tuple(item.grant_types),
        redirect_uris=tuple(item.redirect_uris),
        scopes=tuple(item.scopes),
        token_endpoint_auth_method=item.token_endpoint_auth_method,
        roles=tuple(item.roles),
        status=cast("Any", item.status),
        created_at=datetime.fromisoformat(item.created_at),
        secrets=tuple(sorted(secrets, key=lambda secret: (secret.created_at, secret.id))),
        version=int(item.version),
        registration_token=item.registration_token,
        givers=given.read(item.givers),
        **metadata,
    )
