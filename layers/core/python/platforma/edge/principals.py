"""Everyone in a tenant, as decisions see them, without any credential's cap: for searches, and for what changes for whom."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from platforma.apikeys.ports import Keys
from platforma.edge.subjects import Subjects, subject_of
from platforma.identity.model import Principal
from platforma.identity.ports import Directory, Groups
from platforma.identity.principals import read_holders
from platforma.oauth.ports import Clients
from platforma.policy.analysis import TooComplex
from platforma.policy.compile import Target
from platforma.policy.model import Subject
from platforma.policy.ports import Member

MAX_PRINCIPALS = 10_000
_PAGE = 200


def members(tenant_id: str, roles: frozenset[str], *, directory: Directory, groups: Groups) -> Iterator[Member]:
    """The people who hold one of *roles*, as the policy area asks for them (`Holders`) and the identity area knows them."""
    for principal, able in read_holders(tenant_id, roles, directory=directory, groups=groups):
        yield Member(subject_of(principal), able)


class UsersOf(Protocol):
    """Some of a tenant's users, by age, and where to go on."""

    def __call__(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[list[Principal], str | None]:
        """At most *limit*, from behind *after*."""


class Principals:
    """The users, clients and keys of tenants."""

    def __init__(self, *, users: UsersOf, clients: Clients, keys: Callable[[], Keys], subjects: Subjects) -> None:
        self._users, self._clients, self._keys, self._subjects = users, clients, keys, subjects

    def page(self, tenant_id: str, kind: str, *, limit: int, after: str | None) -> tuple[list[Subject], str | None]:
        """Some of the tenant's principals of this type, by id, and where to go on; a type that has none is empty."""
        if kind == "user":
            users, after = self._users(tenant_id, limit=limit, after=after)
            return [subject_of(user) for user in users], after
        if kind == "oauth_client":
            clients, after = self._clients.page(tenant_id, limit=limit, after=after)
            found = [self._subjects.asked_of_client(client) for client in clients]
        elif kind == "api_key":
            keys, after = self._keys().page(tenant_id, limit=limit, after=after)
            found = [self._subjects.asked_of(key) for key in keys]
        else:
            return [], None
        return [subject for subject in found if subject is not None], after

    def concerned(self, tenant_id: str, targets: frozenset[Target]) -> Iterator[Subject]:
        """
        Whoever something is in force for that is attached to one of *targets*; users also as they act through a client.

        Raises:
            TooComplex: they are to be found among more than 10,000.
        """
        named = sorted(target for target in targets if target[0] in ("user", "api_key", "oauth_client"))
        for kind, identity in named:
            if (subject := self._subjects.of(tenant_id, kind, identity)) is not None:
                yield subject
        through = [identity for kind, identity in named if kind == "oauth_client"]
        if through or any(kind in ("tenant", "role", "group") for kind, _ in targets):
            yield from self._among(self._everyone(tenant_id), targets, through)

    def _among(self, everyone: Iterable[Subject], targets: frozenset[Target], through: list[str]) -> Iterator[Subject]:
        for subject in everyone:
            own = {("tenant", subject.tenant_id)} | {("role", role) for role in subject.roles}
            if not targets.isdisjoint(own | {("group", group) for group in subject.groups}):
                yield subject
            if subject.type == "user":
                yield from (replace(subject, client_id=client) for client in through)

    def _everyone(self, tenant_id: str) -> Iterator[Subject]:
        seen = 0
        for kind in ("user", "oauth_client"):
            after: str | None = None
            while True:
                some, after = self.page(tenant_id, kind, limit=_PAGE, after=after)
                seen += len(some)
                if seen > MAX_PRINCIPALS:
                    raise TooComplex("More than 10,000 principals would have to be looked at.")
                yield from some
                if after is None:
                    break
