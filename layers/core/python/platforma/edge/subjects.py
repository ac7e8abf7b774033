"""
From a principal's id to the `Subject` that the decision engine sees: status, roles, groups, owner.

What was read is kept until one of the tenant's two counters moves, so that a warm instance decides without a read.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from platforma.apikeys.model import APIKey
from platforma.apikeys.ports import Keys
from platforma.identity.model import Principal
from platforma.identity.service import Services
from platforma.kernel.clock import Clock
from platforma.kernel.ids import is_id
from platforma.oauth.access_token import AccessToken
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients
from platforma.oauth.sessions.ports import Revocations
from platforma.policy.actions import within
from platforma.policy.model import Subject
from platforma.policy.snapshots import Snapshots

_KEPT = 4096

PrincipalOf = Callable[[str, str], Principal | None]


class Subjects:
    """Reads principals, and keeps them while nothing in their tenant moved."""

    def __init__(
        self,
        *,
        principal: PrincipalOf,
        clients: Clients,
        keys: Callable[[], Keys],
        services: Callable[[], Services],
        revocations: Callable[[], Revocations],
        snapshots: Snapshots,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._principal, self._clients, self._keys, self._snapshots = principal, clients, keys, snapshots
        self._services, self._revocations = services, revocations
        self._standing: OrderedDict[str, tuple[int, bool]] = OrderedDict()
        self._kept: OrderedDict[tuple[str, str, str], tuple[tuple[int, int, str], Subject | None]] = OrderedDict()

    def of(self, tenant_id: str, kind: str, principal_id: str) -> Subject | None:
        """The tenant's principal of this type and id, without any credential's cap; None if it has none."""
        if kind == "api_key":
            key = self._keys().find(principal_id) if is_id(principal_id, "key") else None
            return self.asked_of(key) if key is not None and key.tenant_id == tenant_id else None
        subject = self._bare(tenant_id, "user" if kind == "user" else "oauth_client", principal_id)
        return subject and replace(subject, scopes=None)

    def asked_of(self, key: APIKey) -> Subject | None:
        """The key that is only asked about, and was not proved: one that is dead may do nothing."""
        subject, status = self.of_key(key), key.status(self._clock())
        if subject is None or status == "active":
            return subject
        return replace(subject, standing="expired" if status == "expired" else "suspended")

    def asked_of_client(self, client: Client) -> Subject | None:
        """The client that is only asked about, of a tenant that is active; None for one that is deleted."""
        subject = _client_subject(client)
        return subject and replace(subject, scopes=None)

    def of_key(self, key: APIKey) -> Subject | None:
        """The key as its owner, within its scopes. None if its owner is gone."""
        owner = self._bare(key.tenant_id, key.owner_type, key.owner_id)
        if owner is None:
            return None
        return Subject(
            type="api_key",
            id=key.id,
            tenant_id=key.tenant_id,
            standing=owner.standing,
            scopes=key.scopes,
            environment=key.environment,
            owner=replace(owner, scopes=None),
        )

    def of_token(self, token: AccessToken) -> Subject | None:
        """
        The token's subject, within its scopes, through its client.

        None if either is gone or not active, or if the token, its grant or its session was revoked.
        """
        client = self._bare(token.tenant_id, "oauth_client", token.client_id)
        if client is None or not client.active:
            return None
        if self._revoked(token.tenant_id, token.jti, token.revocable_ids, token.sub if token.sid else None):
            return None
        subject = (
            client
            if token.sub == token.client_id
            else self._bare(token.tenant_id, "oauth_client" if is_id(token.sub, "cli") else "user", token.sub)
        )
        # Of the token's scopes, those that its client still has: narrowing a client narrows the tokens it holds.
        scopes = tuple(scope for scope in token.scope if within([scope], client.scopes or ()))
        if subject is None:
            return None
        return replace(subject, scopes=scopes, client_id=token.client_id, mfa=token.mfa, first_party=client.first_party)

    def _revoked(self, tenant_id: str, credential: str, ids: tuple[str, ...], user_id: str | None = None) -> bool:
        """Whether it was ended before its time; looked up once, and again when something of its tenant was revoked."""
        versions = self._snapshots.of(tenant_id).versions
        if versions is None:
            return True
        kept = self._standing.get(credential)
        if kept is not None and kept[0] == versions.revocation:
            self._standing.move_to_end(credential)
            return kept[1]
        revoked = self._revocations().any_of(tenant_id, ids, user_id=user_id)
        self._standing[credential] = (versions.revocation, revoked)
        while len(self._standing) > _KEPT:
            self._standing.popitem(last=False)
        return revoked

    def of_certificate(self, name: str, certificate_id: str) -> Subject | None:
        """The service of this name, as it stands now; None if there is none, or if its tenant denied the certificate."""
        service = self.of_service(name)
        if service is None or self._revoked(service.tenant_id, certificate_id, (certificate_id,)):
            return None
        return service

    def of_service(self, name: str) -> Subject | None:
        """The service of this name, as it stands now; None if there is none."""
        service = self._services().get(name)
        versions = None if service is None else self._snapshots.of(service.tenant_id).versions
        if service is None or versions is None:
            return None
        return Subject(
            type="service",
            id=service.name,
            tenant_id=service.tenant_id,
            standing="active" if service.status == versions.status == "active" else "suspended",
            roles=frozenset(service.roles),
        )

    def _bare(self, tenant_id: str, kind: Literal["user", "oauth_client"], principal_id: str) -> Subject | None:
        """The principal itself; a client's *scopes* are those that it is registered for, the most of its tokens."""
        versions = self._snapshots.of(tenant_id).versions
        if versions is None:
            return None
        stamp = (versions.policy, versions.revocation, versions.status)
        place = (tenant_id, kind, principal_id)
        kept = self._kept.get(place)
        if kept is not None and kept[0] == stamp:
            self._kept.move_to_end(place)
            return kept[1]
        subject = self._read_user(tenant_id, principal_id) if kind == "user" else self._read_client(tenant_id, principal_id)
        if subject is not None and versions.status != "active":
            subject = replace(subject, standing="suspended")
        self._kept[place] = (stamp, subject)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return subject

    def _read_user(self, tenant_id: str, user_id: str) -> Subject | None:
        person = self._principal(tenant_id, user_id)
        return None if person is None else subject_of(person)

    def _read_client(self, tenant_id: str, client_id: str) -> Subject | None:
        client = self._clients.get(client_id) if is_id(client_id, "cli") else None
        return None if client is None or client.tenant_id != tenant_id else _client_subject(client)


def _client_subject(client: Client) -> Subject | None:
    if client.status == "deleted":
        return None
    return Subject(
        type="oauth_client",
        id=client.id,
        tenant_id=client.tenant_id,
        standing="active" if client.status == "active" else "suspended",
        roles=frozenset(client.roles),
        scopes=client.scopes,
        first_party=client.first_party,
    )


def subject_of(person: Principal) -> Subject:
    """The user, of a tenant that is active."""
    return Subject(
        type="user",
        id=person.id,
        tenant_id=person.tenant_id,
        standing="active" if person.active else "suspended",
        roles=frozenset(person.roles),
        groups=frozenset(person.groups),
        attributes=person.attributes,
    )
