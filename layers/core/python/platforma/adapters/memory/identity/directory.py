"""The users of a tenant in memory."""

from collections.abc import Iterator

from platforma.adapters.memory.identity.store import MemoryIdentity, given_by, page_of
from platforma.identity.email_address import folded
from platforma.identity.errors import EmailTaken, IdentityTaken, UserRemoved
from platforma.identity.model import Page, Standing, User
from platforma.kernel.events import Event


class MemoryDirectory:
    """`Directory`."""

    def __init__(self, store: MemoryIdentity) -> None:
        self._store = store

    def user(self, tenant_id: str, user_id: str) -> User | None:
        """The user."""
        return self._store.users.get((tenant_id, user_id))

    def user_by_email(self, tenant_id: str, email: str) -> User | None:
        """The user with this address."""
        return next((user for user in self._of(tenant_id) if folded(user.email) == folded(email)), None)

    def with_password(self, tenant_id: str, email: str) -> tuple[User, str | None] | None:
        """The user with this address, and its password hash."""
        user = self.user_by_email(tenant_id, email)
        return None if user is None else (user, self.password_hash(tenant_id, user.id))

    def users(
        self, tenant_id: str, *, limit: int, after: str | None, status: str | None, role: str | None, groups: frozenset[str]
    ) -> Page[User]:
        """Users by id."""
        found = (
            user
            for user in self._of(tenant_id)
            if status in (None, user.status) and (role is None or role in user.given or not groups.isdisjoint(user.groups))
        )
        return page_of(found, limit, after)

    def standing(self, tenant_id: str, user_id: str) -> Standing | None:
        """What a decision needs of the user."""
        user = self.user(tenant_id, user_id)
        return None if user is None else _standing(user)

    def identity(self, tenant_id: str, connection_id: str, subject: str) -> str:  # noqa: ARG002  as promised
        """The name of an identity."""
        return f"{connection_id}#{subject}"

    def owner_of(self, tenant_id: str, identity: str) -> str | None:
        """The id of the user whose identity it is, or was."""
        return self._store.identities.get((tenant_id, identity))

    def add(self, user: User, password_hash: str | None, event: Event, *, unless_removed: bool = False) -> None:
        """Add a user."""
        with self._store.lock:
            self._require_free(user)
            places = self._places(user)
            if unless_removed and not self._store.removed.isdisjoint(places):
                raise UserRemoved
            self._store.commit(event)
            self._store.removed -= places
            self._keep_identities(user)
            self._store.users[user.tenant_id, user.id] = given_by(None, user, event)
            if password_hash is not None:
                self._store.passwords[user.tenant_id, user.id] = password_hash

    def replace(self, before: User, after: User, event: Event, *, turn: int | None) -> None:
        """Change a user in all but password and groups."""
        with self._store.lock:
            self._require_free(after)
            self._store.requires(self.user(before.tenant_id, before.id), before)
            self._store.check_turn(after.tenant_id, turn)
            self._store.commit(event)
            self._store.removed -= self._places(after)
            for identity in before.identities:
                self._store.identities.pop((before.tenant_id, identity), None)
            self._keep_identities(after)
            self._store.users[after.tenant_id, after.id] = given_by(before, after, event)
            rights = (before.given, before.attributes) != (after.given, after.attributes)
            if before.status != after.status == "suspended":
                self._store.signs_out(after, event)
            self._store.moves(after.tenant_id, policy=rights or turn is not None, revocation=before.status != after.status)

    def remove(self, user: User, event: Event, *, turn: int | None) -> None:
        """Delete the user and its password."""
        with self._store.lock:
            self._store.requires(self.user(user.tenant_id, user.id), user)
            self._store.check_turn(user.tenant_id, turn)
            self._store.commit(event)
            del self._store.users[user.tenant_id, user.id]
            self._store.removed |= self._places(user)
            self._store.passwords.pop((user.tenant_id, user.id), None)
            self._store.signs_out(user, event)
            self._store.moves(user.tenant_id, policy=True, revocation=True)

    def password_hash(self, tenant_id: str, user_id: str) -> str | None:
        """The user's password hash, if it has one."""
        return self._store.passwords.get((tenant_id, user_id))

    def set_password(
        self, before: User, after: User, password_hash: str, event: Event, *, staying: str | None = None
    ) -> None:
        """Give the user this password hash."""
        with self._store.lock:
            self._store.requires(self.user(before.tenant_id, before.id), before)
            self._store.commit(event)
            self._store.users[after.tenant_id, after.id] = after
            self._store.passwords[after.tenant_id, after.id] = password_hash
            self._store.signs_out(after, event, staying)
            self._store.moves(after.tenant_id, revocation=True)

    def rehash(self, user: User, password_hash: str) -> None:
        """Keep the same password under another profile."""
        with self._store.lock:
            if self.user(user.tenant_id, user.id) == user:
                self._store.passwords[user.tenant_id, user.id] = password_hash

    def turn(self, tenant_id: str) -> int:
        """The tenant's policy version."""
        return self._store.versions[tenant_id].policy

    def holders(self, tenant_id: str, *, roles: frozenset[str], groups: frozenset[str]) -> Iterator[Standing]:
        """Users not suspended who have one of *roles* or are in one of *groups*."""
        for user in self._of(tenant_id):
            has_one = not (roles.isdisjoint(user.given) and groups.isdisjoint(user.groups))
            if has_one and user.status != "suspended":
                yield _standing(user)

    def _of(self, tenant_id: str) -> list[User]:
        with self._store.lock:
            return sorted(
                (user for (tenant, _), user in self._store.users.items() if tenant == tenant_id), key=lambda user: user.id
            )

    def _require_free(self, user: User) -> None:
        holder = self.user_by_email(user.tenant_id, user.email)
        if holder is not None and holder.id != user.id:
            raise EmailTaken
        for identity in user.identities:
            owner = self.owner_of(user.tenant_id, identity)
            if owner not in (None, user.id) and (user.tenant_id, identity) not in self._store.removed:
                raise IdentityTaken

    def _keep_identities(self, user: User) -> None:
        self._store.identities.update({(user.tenant_id, identity): user.id for identity in user.identities})

    def _places(self, user: User) -> set[tuple[str, str]]:
        return {(user.tenant_id, place) for place in (folded(user.email), *user.identities)}


def _standing(user: User) -> Standing:
    return Standing(user.id, user.status, user.has_password, user.given, user.groups, user.attributes)
