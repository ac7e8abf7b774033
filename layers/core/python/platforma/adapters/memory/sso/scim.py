"""Tokens of directories and what these keep, in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from platforma.adapters.memory.identity.directory import MemoryDirectory
from platforma.adapters.memory.identity.store import MemoryIdentity
from platforma.adapters.memory.sso import MemoryConnections
from platforma.identity.email_address import folded
from platforma.identity.model import Page
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Event, entered
from platforma.keys.stored_secret import StoredSecret
from platforma.sso.scim.errors import NotUnique
from platforma.sso.scim.model import ProvisionedUser, SCIMToken


class MemorySCIMTokens:
    """`SCIMTokens`. *record* is told each event in the moment of its write."""

    def __init__(self, connections: MemoryConnections, record: Callable[[Event], None] = lambda _: None) -> None:
        self._connections, self._record = connections, record
        self._kept: dict[str, SCIMToken] = {}

    def of_connection(self, connection_id: str) -> tuple[SCIMToken, ...]:
        """Those of a connection."""
        mine = (each for each in self._kept.values() if each.connection_id == connection_id)
        return tuple(sorted(mine, key=lambda each: each.id))

    def add(self, token: SCIMToken, event: Event) -> None:
        """Keep a new token."""
        if self._connections.get(token.connection_id) is None:
            raise NotFound
        self._commit(event)
        self._kept[token.id] = token

    def remove(self, token: SCIMToken, event: Event) -> None:
        """Forget a token."""
        if token.id not in self._kept:
            raise NotFound
        self._commit(event)
        del self._kept[token.id]

    def note_use(self, token: SCIMToken, stored: StoredSecret, used_at: datetime) -> None:
        """Keep a fresh ticket and the time of a use."""
        there = self._kept.get(token.id)
        if there is not None and there.stored.hash == token.stored.hash:
            self._kept[token.id] = replace(there, stored=stored, last_used_at=used_at)

    def _commit(self, event: Event) -> None:
        self._record(event)
        entered((event,))


class MemoryProvisionedUsers:
    """`ProvisionedUsers`, on the same store as the directory of people."""

    def __init__(self, store: MemoryIdentity) -> None:
        self._store, self._directory = store, MemoryDirectory(store)
        self._said: dict[tuple[str, str], ProvisionedUser] = {}

    def user(self, tenant_id: str, connection_id: str, user_id: str) -> ProvisionedUser | None:
        """The directory's user of this id."""
        user, said = self._directory.user(tenant_id, user_id), self._said.get((tenant_id, user_id))
        if user is None or said is None or user.managed_by != "scim" or user.connection_id != connection_id:
            return None
        return replace(said, user=user)

    def user_named(self, tenant_id: str, connection_id: str, user_name: str) -> ProvisionedUser | None:
        """The directory's user of this `userName`."""
        wanted = folded(user_name)
        return next((u for u in self.every_user(tenant_id, connection_id) if folded(u.user_name) == wanted), None)

    def user_known_as(self, tenant_id: str, connection_id: str, external_id: str) -> ProvisionedUser | None:
        """The directory's user with this `externalId`."""
        return next((u for u in self.every_user(tenant_id, connection_id) if u.external_id == external_id), None)

    def user_ids(self, tenant_id: str, connection_id: str) -> Iterator[str]:
        """The ids of all the directory's users."""
        return (each.user.id for each in self.every_user(tenant_id, connection_id))

    def several_users(self, tenant_id: str, connection_id: str, user_ids: Sequence[str]) -> list[ProvisionedUser]:
        """Those of the users that are the directory's."""
        found = (self.user(tenant_id, connection_id, user_id) for user_id in sorted(user_ids))
        return [each for each in found if each is not None]

    def user_ids_after(self, tenant_id: str, connection_id: str, *, limit: int, after: str | None) -> Page[str]:
        """A page of the ids of the directory's users."""
        following = (each.user.id for each in self.every_user(tenant_id, connection_id, after=after))
        found = tuple(islice(following, limit + 1))
        return Page(found[:limit], found[limit - 1] if len(found) > limit else None)

    def every_user(self, tenant_id: str, connection_id: str, *, after: str | None = None) -> Iterator[ProvisionedUser]:
        """All the directory's users, or those after one."""
        ids = sorted(user_id for tenant, user_id in self._said if tenant == tenant_id and user_id > (after or ""))
        found = (self.user(tenant_id, connection_id, user_id) for user_id in ids)
        yield from (each for each in found if each is not None)

    def add_user(self, user: ProvisionedUser, event: Event) -> None:
        """Keep a new user."""
        with self._store.lock:
            self._require_unique(user)
            self._directory.add(user.user, None, event)
            self._said[user.user.tenant_id, user.user.id] = user

    def change_user(self, before: ProvisionedUser, after: ProvisionedUser, event: Event, *, turn: int | None) -> None:
        """Change a user."""
        with self._store.lock:
            if after.user.managed == before.user.managed:
                self._require_unique(after)
            self._directory.replace(before.user, after.user, event, turn=turn)
            self._said[after.user.tenant_id, after.user.id] = after

    def remove_user(self, user: ProvisionedUser, event: Event, *, turn: int | None) -> None:
        """Delete the user."""
        with self._store.lock:
            self._directory.remove(user.user, event, turn=turn)
            del self._said[user.user.tenant_id, user.user.id]

    def _require_unique(self, user: ProvisionedUser) -> None:
        who = (user.user.tenant_id, str(user.user.connection_id))
        named = self.user_named(*who, user.user_name)
        known = None if user.external_id is None else self.user_known_as(*who, user.external_id)
        if any(other is not None and other.user.id != user.user.id for other in (named, known)):
            raise NotUnique
