"""
What directories keep of users, in the Identity table: in the users' own items, and in three of its own.

| pk | sk | |
|---|---|---|
| tenant id | `SCIM#{connection id}#USER#{user id}` | that the directory has the user, for lists |
| tenant id | `SCIM#{connection id}#NAME#{HMAC of the folded userName}` | whose `userName` it is: finds the user |
| tenant id | `SCIM#{connection id}#EXTERNAL#{HMAC of the externalId}` | whose `externalId` it is |

A user who was deleted by hand leaves these behind: what they name is then found nowhere, and whoever wants the name has it.
"""

import hmac
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from platforma.adapters.dynamodb.identity.directory import DynamoDirectory
from platforma.adapters.dynamodb.identity.items import OwnedItem, UserItem, managed_text, read, read_page, reading
from platforma.adapters.dynamodb.identity.people import PURPOSE, People
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.identity.email_address import folded
from platforma.identity.model import Managed, Page
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope
from platforma.keys.ports import Secrets
from platforma.sso.scim.errors import NotUnique
from platforma.sso.scim.model import ProvisionedUser

_USER = "USER#"
_PAGE = 100


class ListedItem(Item):
    """That a directory has a user or a group."""

    table = "identity"

    class Meta:
        table_name = "unbound"


class DynamoProvisionedUsers:
    """`platforma.sso.scim.ports.ProvisionedUsers`."""

    def __init__(self, tables: Tables, outbox: Outbox, envelope: Envelope, secrets: Secrets) -> None:
        self._tables, self._outbox, self._envelope, self._secrets = tables, outbox, envelope, secrets
        self._people = People(envelope, secrets)
        self._directory = DynamoDirectory(tables, outbox, envelope, secrets)

    def user(self, tenant_id: str, connection_id: str, user_id: str) -> ProvisionedUser | None:
        """The directory's user of this id."""
        item = read(UserItem, tenant_id, _USER + user_id)
        return next(iter(self._opened([item], connection_id)), None) if item is not None else None

    def user_named(self, tenant_id: str, connection_id: str, user_name: str) -> ProvisionedUser | None:
        """The directory's user of this `userName`."""
        return self._owner(tenant_id, connection_id, self._name(tenant_id, connection_id, user_name))

    def user_known_as(self, tenant_id: str, connection_id: str, external_id: str) -> ProvisionedUser | None:
        """The directory's user with this `externalId`."""
        return self._owner(tenant_id, connection_id, self._external(tenant_id, connection_id, external_id))

    def user_ids(self, tenant_id: str, connection_id: str) -> Iterator[str]:
        """The ids of all the directory's users, a megabyte of them at once."""
        prefix = f"SCIM#{connection_id}#{_USER}"
        with reading():
            for page in ListedItem.query(tenant_id, ListedItem.sk.startswith(prefix), consistent_read=True).page_iter:
                yield from (raw["sk"]["S"].removeprefix(prefix) for raw in page["Items"])

    def several_users(self, tenant_id: str, connection_id: str, user_ids: Sequence[str]) -> list[ProvisionedUser]:
        """Those of the users that are the directory's."""
        found: list[ProvisionedUser] = []
        for first in range(0, len(user_ids), _PAGE):
            keys = [(tenant_id, _USER + user_id) for user_id in user_ids[first : first + _PAGE]]
            with reading():
                items = list(UserItem.batch_get(keys, consistent_read=True))
            found += self._opened(items, connection_id)
        return sorted(found, key=lambda each: each.user.id)

    def user_ids_after(self, tenant_id: str, connection_id: str, *, limit: int, after: str | None) -> Page[str]:
        """A page of the ids of the directory's users."""
        prefix = f"SCIM#{connection_id}#{_USER}"
        return read_page(
            *(ListedItem, tenant_id, prefix),
            limit=limit,
            after=after,
            make=lambda items: [item.sk.removeprefix(prefix) for item in items],
        )

    def every_user(self, tenant_id: str, connection_id: str, *, after: str | None = None) -> Iterator[ProvisionedUser]:
        """All the directory's users, or those after one, opened a hundred at once."""
        only = UserItem.managed == managed_text(Managed("scim", connection_id))
        batch: list[UserItem] = []
        start = None if after is None else {"pk": {"S": tenant_id}, "sk": {"S": _USER + after}}
        with reading():
            for item in UserItem.query(
                tenant_id, UserItem.sk.startswith(_USER), only, consistent_read=True, last_evaluated_key=start
            ):
                batch.append(item)
                if len(batch) == _PAGE:
                    yield from self._opened(batch, connection_id)
                    batch = []
            yield from self._opened(batch, connection_id)

    def add_user(self, user: ProvisionedUser, event: Event) -> None:
        """Keep a new user."""
        t = Transaction(self._tables, self._outbox)
        self._directory.put_new(t, user.user, None, event, provisioned=self._sealed(user))
        self._claim(t, None, user)
        t.commit(event)

    def change_user(self, before: ProvisionedUser, after: ProvisionedUser, event: Event, *, turn: int | None) -> None:
        """Change a user; one who is managed no more loses what its directory said."""
        t = Transaction(self._tables, self._outbox)
        kept = after.user.managed == before.user.managed
        more = UserItem.provisioned.set(self._sealed(after)) if kept else UserItem.provisioned.remove()
        self._directory.put_changes(t, before.user, after.user, event, turn=turn, more=[more])
        self._claim(t, before, after if kept else None)
        t.commit(event)

    def remove_user(self, user: ProvisionedUser, event: Event, *, turn: int | None) -> None:
        """Delete the user."""
        t = Transaction(self._tables, self._outbox)
        self._directory.put_removal(t, user.user, event, turn=turn)
        self._claim(t, user, None)
        t.commit(event)

    def _claim(self, t: Transaction, before: ProvisionedUser | None, after: ProvisionedUser | None) -> None:
        """Let *t* have the names of *after* be its own, and free those of *before*."""
        old, new = (self._names(each) for each in (before, after))
        somebody = after or before
        assert somebody is not None
        tenant_id = somebody.user.tenant_id
        for sk in sorted(old - new):
            t.delete(OwnedItem(tenant_id, sk))
        for sk in sorted(new - old):
            free = OwnedItem.pk.does_not_exist()
            stale = self._stale(tenant_id, somebody, sk)
            if stale is not None:
                free |= OwnedItem.owner == stale
            t.put(OwnedItem(tenant_id, sk, owner=somebody.user.id), free, refused=NotUnique(_TAKEN[sk.split("#")[2]]))
        pointer = ListedItem(tenant_id, f"SCIM#{_connection(somebody, before)}#{_USER}{somebody.user.id}")
        if after is None:
            t.delete(pointer)
        elif before is None:
            t.put(pointer)

    def _names(self, user: ProvisionedUser | None) -> set[str]:
        if user is None or user.user.connection_id is None:
            return set()
        tenant_id, connection_id = user.user.tenant_id, user.user.connection_id
        names = {self._name(tenant_id, connection_id, user.user_name)}
        if user.external_id is not None:
            names.add(self._external(tenant_id, connection_id, user.external_id))
        return names

    def _stale(self, tenant_id: str, user: ProvisionedUser, sk: str) -> str | None:
        """Who has the name and is no user of the directory's any more."""
        owned = read(OwnedItem, tenant_id, sk)
        if owned is None:
            return None
        there = self.user(tenant_id, str(user.user.connection_id), owned.owner)
        return owned.owner if there is None or sk not in self._names(there) else None

    def _owner(self, tenant_id: str, connection_id: str, sk: str) -> ProvisionedUser | None:
        owned = read(OwnedItem, tenant_id, sk)
        found = None if owned is None else self.user(tenant_id, connection_id, owned.owner)
        return found if found is not None and sk in self._names(found) else None

    def _name(self, tenant_id: str, connection_id: str, user_name: str) -> str:
        return f"SCIM#{connection_id}#NAME#{self._hidden(tenant_id, connection_id, folded(user_name))}"

    def _external(self, tenant_id: str, connection_id: str, external_id: str) -> str:
        return f"SCIM#{connection_id}#EXTERNAL#{self._hidden(tenant_id, connection_id, external_id)}"

    def _hidden(self, *parts: str) -> str:
        return hmac.digest(self._secrets.secret("lookup"), "\0".join(("scim", *parts)).encode(), sha256).hex()

    def _sealed(self, user: ProvisionedUser) -> bytes:
        said: dict[str, Any] = {"document": dict(user.document), "modified_at": rfc3339(user.modified_at)}
        plaintext = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        return self._envelope.seal(user.user.tenant_id, PURPOSE, f"{user.user.id}/provisioned", plaintext)

    def _opened(self, items: Sequence[UserItem], connection_id: str) -> list[ProvisionedUser]:
        mine = managed_text(Managed("scim", connection_id))
        kept = [item for item in items if item.managed == mine and item.provisioned is not None]
        if not kept:
            return []
        users = self._people.users(kept)
        boxes = [(f"{user.id}/provisioned", item.provisioned) for user, item in zip(users, kept, strict=True)]
        said = [json.loads(text) for text in self._envelope.open_all(kept[0].pk, PURPOSE, boxes)]
        return [
            ProvisionedUser(user, each["document"], parse_rfc3339(each["modified_at"]))
            for user, each in zip(users, said, strict=True)
        ]


_TAKEN = {
    "NAME": "Another user of this directory has the userName.",
    "EXTERNAL": "Another user of this directory has the externalId.",
}


def _connection(user: ProvisionedUser, before: ProvisionedUser | None) -> str:
    return str((before or user).user.connection_id)
