"""
API keys in the Credential table: one item a key, found by its id before its tenant is known, and two pointers to list by.

    KEY#{key id}   KEY                            the key; tenant_id is an attribute
    {tenant id}    KEY#{key id}                   pointer
    {tenant id}    OWNER#{owner id}#KEY#{key id}  pointer

A key that is over stays readable for 90 days and is then swept with its pointers. Lists (scopes, ranges, ancestors) are
stored joined by spaces, which none of their elements can hold; times are RFC 3339 text in one precision, so they compare.
"""

from datetime import datetime, timedelta
from typing import Any

from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.apikeys_items import (
    KEPT_AFTER_END,
    KeyItem,
    KeyPointer,
    fields_of,
    key_of,
    pointers_of,
)
from platforma.adapters.dynamodb.expiry_notices import put_notice
from platforma.adapters.dynamodb.single import answering, read, written
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.apikeys.model import APIKey
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import AlreadyUsed, Conflict, NotFound, PreconditionFailed, Unavailable
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope
from platforma.keys.stored_secret import StoredSecret

PURPOSE = "credential"
_MINUTE = timedelta(minutes=1)


class DynamoDBKeys:
    """`Keys` in DynamoDB."""

    def __init__(self, tables: Tables, outbox: Outbox, envelope: Envelope) -> None:
        self._tables = tables
        self._outbox = outbox
        self._envelope = envelope

    def find(self, key_id: str) -> APIKey | None:
        """See `Keys.find`."""
        item = read(KeyItem, f"KEY#{key_id}", "KEY")
        return None if item is None else key_of(item)

    def get(self, tenant_id: str, key_id: str) -> APIKey:
        """See `Keys.get`."""
        item = read(KeyItem, f"KEY#{key_id}", "KEY")
        if item is None or item.tenant_id != tenant_id:
            raise NotFound
        return self._opened(tenant_id, [item])[0]

    def page(
        self, tenant_id: str, *, limit: int, after: str | None = None, owner_id: str | None = None
    ) -> tuple[tuple[APIKey, ...], str | None]:
        """See `Keys.page`."""
        prefix = "KEY#" if owner_id is None else f"OWNER#{owner_id}#KEY#"
        start = None if after is None else {"pk": {"S": tenant_id}, "sk": {"S": prefix + after}}
        with answering():
            pointers = KeyPointer.query(
                tenant_id,
                KeyPointer.sk.startswith(prefix),
                consistent_read=True,
                limit=limit + 1,
                last_evaluated_key=start,
            )
            ids = [pointer.key_id for pointer in pointers]
            found = {
                item.pk: item
                for item in KeyItem.batch_get([(f"KEY#{key_id}", "KEY") for key_id in ids[:limit]], consistent_read=True)
            }
        items = [found[pk] for key_id in ids[:limit] if (pk := f"KEY#{key_id}") in found]
        return tuple(self._opened(tenant_id, items)), ids[limit - 1] if len(ids) > limit else None

    def add(self, key: APIKey, event: Event) -> None:
        """See `Keys.add`."""
        transaction = Transaction(self._tables, self._outbox)
        _put(transaction, key)
        transaction.commit(event)

    def change(self, before: APIKey, after: APIKey, event: Event) -> None:
        """See `Keys.change`."""
        transaction = Transaction(self._tables, self._outbox)
        update_key(transaction, before, after, event)
        transaction.commit(event)

    def rotate(self, before: APIKey, after: APIKey, successor: APIKey, event: Event) -> None:
        """See `Keys.rotate`."""
        transaction = Transaction(self._tables, self._outbox)
        update_key(transaction, before, after, event)
        _put(transaction, successor)
        transaction.commit(event)

    def renew_ticket(self, key: APIKey, secret: StoredSecret) -> None:
        """See `Keys.renew_ticket`."""
        actions = [
            KeyItem.ticket.set(secret.ticket),
            KeyItem.ticket_version.set(secret.version),
            KeyItem.ticket_expires.set(secret.ticket_expires),
        ]
        if not written(KeyItem(f"KEY#{key.id}", "KEY"), actions, _unchanged(key)):
            raise Conflict

    def note_use(self, key: APIKey, *, used_at: datetime, ip_address: str | None) -> None:
        """See `Keys.note_use`."""
        old = KeyItem.last_used_at.does_not_exist() | (KeyItem.last_used_at <= rfc3339(used_at - _MINUTE))
        written(KeyItem(f"KEY#{key.id}", "KEY"), self._use(key, used_at, ip_address), _unchanged(key) & old)

    def end_predecessor(self, key: APIKey, at: datetime, event: Event) -> None:
        """See `Keys.end_predecessor`."""
        this, ended = KeyItem(f"KEY#{key.id}", "KEY"), KeyItem(f"KEY#{key.predecessor_id}", "KEY")
        moment = rfc3339(at)
        transaction = Transaction(self._tables, self._outbox)
        transaction.update(this, [KeyItem.ends_predecessor.remove()], KeyItem.pk.exists(), refused=AlreadyUsed())
        transaction.update(
            ended,
            [
                KeyItem.expires_at.set(moment),
                KeyItem.expires.set(int((at + KEPT_AFTER_END).timestamp())),
                KeyItem.ticket.remove(),
                KeyItem.ticket_expires.set(0),
                KeyItem.version.add(1),
            ],
            (KeyItem.successor_id == key.id)
            & KeyItem.revoked_at.does_not_exist()
            & (KeyItem.expires_at.does_not_exist() | (KeyItem.expires_at > moment)),
            refused=AlreadyUsed(),
        )
        try:
            transaction.commit(event)
        except AlreadyUsed:
            written(this, [KeyItem.ends_predecessor.remove()], KeyItem.pk.exists())

    def forget(self, key: APIKey) -> None:
        """See `Keys.forget`."""
        transaction = Transaction(self._tables)
        transaction.delete(KeyItem(f"KEY#{key.id}", "KEY"))
        for sk in pointers_of(key):
            transaction.delete(KeyPointer(key.tenant_id, sk))
        transaction.commit()

    def _use(self, key: APIKey, used_at: datetime, ip_address: str | None) -> list[Any]:
        used: list[Any] = [KeyItem.last_used_at.set(rfc3339(used_at))]
        try:
            sealed = ip_address and self._envelope.seal(key.tenant_id, PURPOSE, key.id, ip_address.encode())
        except Unavailable:  # the time alone, rather than asking again at every check of this minute
            sealed = None
        return [*used, KeyItem.last_used_ip.set(sealed) if sealed else KeyItem.last_used_ip.remove()]

    def _opened(self, tenant_id: str, items: list[KeyItem]) -> list[APIKey]:
        sealed = [(item, item.last_used_ip) for item in items if item.last_used_ip is not None]
        records = [(item.pk.removeprefix("KEY#"), box) for item, box in sealed]
        opened = self._envelope.open_all(tenant_id, PURPOSE, records) if records else []
        addresses = {item.pk: address.decode() for (item, _), address in zip(sealed, opened, strict=True)}
        return [key_of(item, addresses.get(item.pk)) for item in items]


def _put(transaction: Transaction, key: APIKey) -> None:
    taken = Conflict("A key with this id is there already.")
    fields = fields_of(key)
    transaction.put(KeyItem(f"KEY#{key.id}", "KEY", **fields), KeyItem.pk.does_not_exist(), refused=taken)
    for sk in pointers_of(key):
        transaction.put(KeyPointer(key.tenant_id, sk, key_id=key.id, expires=fields["expires"]))
    put_notice(transaction, key, key.created_at)


def update_key(transaction: Transaction, before: APIKey, after: APIKey, event: Event) -> None:
    """Let *transaction* put *after* in the place of *before*; `PreconditionFailed` if it is at another version."""
    old, new = fields_of(before), fields_of(after)
    moved = {name: value for name, value in new.items() if value != old[name]}
    attributes = KeyItem.get_attributes()
    actions = [attributes[name].remove() if value is None else attributes[name].set(value) for name, value in moved.items()]
    transaction.update(
        KeyItem(f"KEY#{before.id}", "KEY"), actions, KeyItem.version == before.version, refused=PreconditionFailed()
    )
    if "expires_at" in moved:
        put_notice(transaction, after, parse_rfc3339(event.timestamp))
    if "expires" in moved:
        for sk in pointers_of(before):
            transaction.put(KeyPointer(before.tenant_id, sk, key_id=before.id, expires=new["expires"]))


def _unchanged(key: APIKey) -> Condition:
    enabled: Condition = KeyItem.enabled == True  # noqa: E712  a condition, not a comparison
    unchanged: Condition = enabled & (KeyItem.hash == key.secret.hash) & KeyItem.revoked_at.does_not_exist()
    return unchanged
