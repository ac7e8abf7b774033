"""
Nobody gives more than they hold: what a caller may put into roles, scopes, clients, keys and policies.

A holder of `settings:manage` may give anything that the tenant has. Everyone else may give only what they hold themselves,
whether by role, scope, policy or client, and may remove no rule that restrains others from what they lack themselves. A key
never reaches further than the credential through which it was made.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from platforma.apikeys.issue import UNBOUND, Bound, KeyRequest, bound_by
from platforma.apikeys.model import APIKey, OwnerType, RateLimit
from platforma.apikeys.validation import Faults, valid_patterns
from platforma.edge.authorization import may
from platforma.edge.call import Call
from platforma.edge.holding import Holding
from platforma.edge.schemas.apikeys import KeyCreate, Owner
from platforma.edge.subjects import Subjects
from platforma.identity.model import Group, User
from platforma.identity.ports import Groups
from platforma.identity.service import Service
from platforma.kernel.errors import FieldError, Forbidden, Unprocessable
from platforma.policy.actions import within
from platforma.policy.attributes import scalar_type
from platforma.policy.document import parse_document, read_document
from platforma.policy.protected_api import KnownResource
from platforma.policy.snapshots import Snapshot

_NOT_ACTIONS = frozenset({"openid", "profile", "email", "offline_access"})


class Giving:
    """What the caller of this call may give."""

    def __init__(self, call: Call, snapshot: Snapshot, subjects: Subjects, now: datetime) -> None:
        self._caller, self._subjects = call.caller, subjects
        subject = call.caller.subject
        self._holding = Holding(snapshot.policy_set, subject)
        self._looked_at = snapshot.policy_set.looked_at
        self._manages = may(snapshot, subject, "settings:manage", now=now, ip_address=call.attempt.ip_address)

    def check(self, *, scopes: Iterable[str] | None = None, roles: Iterable[str] | None = None) -> None:
        """
        Require that the caller holds all of *scopes*, and all that *roles* grant and that is attached to them.

        Raises:
            Forbidden: it lacks some of it, and `settings:manage`.
        """
        given = tuple(roles or ())
        self._require([scope for scope in scopes or () if scope not in _NOT_ACTIONS])
        self._require(self._holding.grants_of(given) + self._holding.attached_to("role", given))

    def check_roles(self, before: Iterable[str], after: Iterable[str]) -> None:
        """
        Require that the caller may give the roles that only *after* has, and take those that only *before* has: a statement
        that is attached to a role may hold its bearer back.

        Raises:
            Forbidden: it lacks something that a statement on them speaks of, and `settings:manage`.
        """
        had, has = frozenset(before), frozenset(after)
        self.check(roles=has - had)
        self._require(self._holding.attached_to("role", had - has))

    def check_group(self, group: Group) -> None:
        """
        Require that the caller holds all that being in *group*, or out of it, may give.

        Raises:
            Forbidden: it lacks some of it, and `settings:manage`.
        """
        self.check(roles=group.roles)
        self._require(self._holding.attached_to("group", [group.id]))

    def check_change(self, before: User | Group, after: User | Group) -> None:
        """
        As `check_roles`, of a user or group before and after.

        Raises:
            Forbidden: the caller may not give or take what differs.
        """
        self.check_roles(before.roles, after.roles)

    def check_service(self, before: Service, after: Service) -> None:
        """
        As `check_roles`; and that the caller holds all that a service may do which is taken into use again.

        Raises:
            Forbidden: it does not.
        """
        self.check_roles(before.roles, after.roles)
        if (before.status, after.status) == ("suspended", "active"):
            self.check(roles=after.roles)

    def check_account(self, user: User, _after: User, *, groups: Groups) -> None:
        """
        Require that the caller holds all that a user's account may do, by itself and by its groups.

        Raises:
            Forbidden: it lacks some of it, and `settings:manage`.
        """
        self.check(roles=user.given)
        for group in groups.several(user.tenant_id, user.groups):
            self.check_group(group)
        self._require(self._holding.attached_to("user", [user.id]))

    def require_manage(self, what: str) -> None:
        """
        Require `settings:manage` for *what*, because it cannot be told how much it gives.

        Raises:
            Forbidden: the caller lacks it.
        """
        if not self._manages:
            raise Forbidden(f"You lack settings:manage, which {what} needs.")

    def check_resource(self, before: KnownResource | None, after: Mapping[str, Any], environment: str | None) -> None:
        """
        Require `settings:manage` for telling of a resource what decisions go by: an attribute that a statement in force
        looks at, or its environment.

        Raises:
            Forbidden: the caller lacks it.
        """
        had = {} if before is None else before.attributes
        moved = {name for name in {*had, *after} if name not in had or name not in after or _differ(had[name], after[name])}
        if moved & self._looked_at or environment != (None if before is None else before.environment):
            self.require_manage("telling of a resource what policies go by")

    def check_new_key(self, scopes: Sequence[str]) -> None:
        """
        Require that the caller holds all of a new key's *scopes*, and that they lie within those of the credential that it
        is made through.

        Raises:
            Unprocessable: one is no action pattern.
            Forbidden: they reach further.
        """
        _require_patterns(scopes)
        self.check(scopes=scopes)
        if self._caller.subject.scopes is not None and not within(scopes, self._caller.subject.scopes):
            raise Forbidden("A key's scopes lie within those of the credential that it is made through.")

    def check_document(self, document: Any) -> None:
        """
        Require that the caller holds all that a policy *document* allows.

        Raises:
            Unprocessable: it is no policy document.
            Forbidden: it lacks some of it, and `settings:manage`.
        """
        statements = parse_document(document, "/document")
        self._require([action for each in statements if each.effect == "allow" for action in each.actions])

    def check_lifted(self, document: Any) -> None:
        """
        Require that the caller holds all that a policy *document* speaks of, which is to be in force no more: a deny held
        back, and an allow may have narrowed a grant.

        Raises:
            Forbidden: it lacks some of it, and `settings:manage`.
        """
        self._require([action for each in read_document(document) for action in each.actions])

    def check_key_change(self, key: APIKey, fields: Mapping[str, Any]) -> None:
        """
        Require that the caller holds all that *key* reaches, unless *fields* only rename it, narrow it or switch it off.

        Raises:
            Unprocessable: a scope is no action pattern.
            Forbidden: it lacks some of it, and `settings:manage`.
        """
        _require_patterns(fields.get("scopes") or ())
        self.check(scopes=fields.get("scopes"))
        if any(name not in ("name", "scopes") and (name, value) != ("enabled", False) for name, value in fields.items()):
            self.check(scopes=key.scopes)

    def narrows(self, held: tuple[str, ...], asked: tuple[str, ...]) -> bool:
        """Whether a key's scopes may go from *held* to *asked*: always narrower, wider only up to the caller's own."""
        if within(asked, held):
            return True
        own = self._caller.subject.scopes
        return self._manages and (own is None or within(asked, own))

    def key_owner(self, wanted: Owner | None) -> tuple[OwnerType, str]:
        """
        On whose behalf a new key acts: the caller's own, unless *wanted* names another of the tenant.

        Raises:
            Forbidden: another, and the caller lacks `settings:manage`.
            Unprocessable: there is no such user or client, or the caller is a service, which can own none, and names nobody.
        """
        caller = self._caller
        if wanted is None and caller.subject.type == "service":
            raise Unprocessable(errors=[FieldError("/owner", "A service names the user or client that the key acts for.")])
        own: tuple[OwnerType, str] = ("user" if caller.user_id == caller.acting_id else "oauth_client", caller.acting_id)
        if wanted is None or (wanted.type, wanted.id) == own:
            return own
        if not self._manages:
            raise Forbidden("You lack settings:manage, which giving a key to another owner needs.")
        owner = self._subjects.of(caller.tenant_id, wanted.type, wanted.id)
        if owner is None or not owner.active:
            fault = FieldError("/owner", "There is no such active user or client.")
            raise Unprocessable("The owner is not known.", errors=[fault])
        return wanted.type, wanted.id

    def bound(self) -> Bound:
        """How long a key made by this call may live: no longer than the credential that it was made through."""
        caller = self._caller
        if caller.key is not None:
            return bound_by(caller.key)
        return Bound(not_after=caller.expires_at, token_id=caller.token_id) if caller.token_id else UNBOUND

    def _require(self, actions: Iterable[str]) -> None:
        if not (self._manages or self._holding.covers(actions)):
            raise Forbidden("You cannot give more than you hold.")


def _require_patterns(scopes: Sequence[str]) -> None:
    """What is no action pattern is not looked for among what the caller holds."""
    faults = Faults()
    valid_patterns(scopes, faults)
    faults.raise_if_any()


def _differ(one: Any, other: Any) -> bool:
    """Whether two scalars are told apart by conditions: `1` is not `true`."""
    return (scalar_type(one), one) != (scalar_type(other), other)


def key_request(body: KeyCreate) -> KeyRequest:
    """A new key's fields, as the use case takes them."""
    limit = body.rate_limit
    return KeyRequest(
        name=body.name,
        environment=body.environment,
        scopes=tuple(body.scopes),
        expires_at=body.expires_at,
        expires_in=body.expires_in,
        ip_range=tuple(body.ip_range),
        rate_limit=RateLimit(limit.limit, limit.period_seconds) if limit else None,
    )


def key_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """A key's changed fields, as the use case takes them."""
    changed: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    if isinstance(limit := fields.get("rate_limit"), dict):
        changed["rate_limit"] = RateLimit(**limit)
    return changed
