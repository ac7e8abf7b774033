"""
What decisions follow, in the Policy table under the tenant's id.

    POLICY#{id}                          a policy as it stands
    REVISION#{id}#{version, 10 digits}   each of its versions
    ROLE#{name}                          a role of the tenant's own
    API#{id}, AUDIENCE#{hash}            a protected API, and that its audience is taken
    RESOURCE#{length of type}#{type}#{id}  what is known of a resource
    VERSIONS                             the tenant's counters and status

Bodies are JSON text, so that what was written comes back to the digit. The four ports stand in one file since they are one
way of keeping things, and a tenant's rules are loaded across them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import sha256
from typing import Any, TypeVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import SK as VERSIONS_SK
from platforma.adapters.dynamodb.versions import VersionsItem, moves_policy
from platforma.kernel.errors import Conflict, PlatformaError, PreconditionFailed
from platforma.kernel.events import Event
from platforma.policy.api_document import route_of
from platforma.policy.errors import Moved
from platforma.policy.model import Attachment, Policy, Role, Versions
from platforma.policy.ports import Page, Rules
from platforma.policy.protected_api import KnownResource, ProtectedAPI

T = TypeVar("T")

_POLICY, _REVISION, _ROLE, _API, _AUDIENCE, _RESOURCE = "POLICY#", "REVISION#", "ROLE#", "API#", "AUDIENCE#", "RESOURCE#"


class RuleItem(Item):
    """One of what decisions follow, at its version."""

    table = "policy"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    body = UnicodeAttribute()


class DynamoPolicies:
    """`PolicyStore`, `RoleStore`, `ProtectedAPIStore` and `ResourceStore` of `platforma.policy.ports`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables = tables
        self._outbox = outbox

    def versions(self, tenant_id: str) -> Versions | None:
        """The tenant's counters and status."""
        with answering():
            try:
                item = VersionsItem.get(tenant_id, VERSIONS_SK, consistent_read=True)
            except DoesNotExist:
                return None
        return Versions(int(item.policy_version), int(item.revocation_version), item.status)

    def load(self, tenant_id: str) -> Rules:
        """Everything that the tenant's decisions follow."""
        return Rules(
            roles=tuple(self._all(tenant_id, _ROLE, _role)),
            policies=tuple(self._all(tenant_id, _POLICY, _policy)),
            apis=tuple(self._all(tenant_id, _API, _api)),
        )

    def create(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """Keep a new policy."""
        self._put_policy(policy, RuleItem.pk.does_not_exist(), Conflict(), event, unmoved)

    def get(self, tenant_id: str, policy_id: str) -> Policy | None:
        """The policy as it stands."""
        return self._get(tenant_id, _POLICY + policy_id, _policy)

    def page(self, tenant_id: str, *, after: str | None = None, limit: int = 50) -> Page[Policy]:
        """Policies by id."""
        return self._page(tenant_id, _POLICY, _policy, after=after, limit=limit)

    def replace(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """Keep *policy* in place of the version before."""
        self._put_policy(policy, RuleItem.version == policy.version - 1, PreconditionFailed(), event, unmoved)

    def delete(self, policy: Policy, event: Event, *, unmoved: Versions | None = None) -> None:
        """Take away *policy*; its versions stay."""
        self._delete(policy.tenant_id, _POLICY + policy.id, policy.version, event, unmoved)

    def revisions(self, tenant_id: str, policy_id: str, *, after: str | None = None, limit: int = 50) -> Page[Policy]:
        """The versions of a policy, newest first."""
        return self._page(tenant_id, f"{_REVISION}{policy_id}#", _policy, after=after, limit=limit, forward=False)

    def role(self, tenant_id: str, name: str) -> Role | None:
        """The role as it stands."""
        return self._get(tenant_id, _ROLE + name, _role)

    def roles(self, tenant_id: str) -> tuple[Role, ...]:
        """All of the tenant's own roles, by name."""
        return tuple(self._all(tenant_id, _ROLE, _role))

    def put_role(self, role: Role, event: Event, *, unmoved: Versions | None = None) -> None:
        """Keep *role* in place of the version before."""
        transaction = Transaction(self._tables, self._outbox)
        _put(transaction, RuleItem(role.tenant_id, _ROLE + role.name, version=role.version, body=_json(role)))
        _moves(transaction, role.tenant_id, unmoved)
        transaction.commit(event)

    def delete_role(self, role: Role, event: Event, *, unmoved: Versions | None = None) -> None:
        """Take away *role*."""
        self._delete(role.tenant_id, _ROLE + role.name, role.version, event, unmoved)

    def api(self, tenant_id: str, api_id: str) -> ProtectedAPI | None:
        """The API as it stands."""
        return self._get(tenant_id, _API + api_id, _api)

    def apis(self, tenant_id: str, *, after: str | None = None, limit: int = 50) -> Page[ProtectedAPI]:
        """APIs by id."""
        return self._page(tenant_id, _API, _api, after=after, limit=limit)

    def put_api(self, api: ProtectedAPI, event: Event) -> None:
        """Keep *api* in place of the version before. Its audience is its own for as long as it stands."""
        before = self.api(api.tenant_id, api.id) if api.version > 1 else None
        transaction = Transaction(self._tables, self._outbox)
        _put(transaction, RuleItem(api.tenant_id, _API + api.id, version=api.version, body=_json(api)))
        if before is None or before.audience != api.audience:
            taken = RuleItem(api.tenant_id, _audience_sk(api), version=1, body=json.dumps(api.id))
            transaction.put(taken, RuleItem.pk.does_not_exist(), refused=Conflict("Another API has this audience."))
            if before is not None:
                transaction.delete(RuleItem(api.tenant_id, _audience_sk(before)))
        moves_policy(transaction, api.tenant_id)
        transaction.commit(event)

    def delete_api(self, api: ProtectedAPI, event: Event) -> None:
        """Take away *api*."""
        transaction = Transaction(self._tables, self._outbox)
        _drop(transaction, RuleItem(api.tenant_id, _API + api.id), api.version)
        transaction.delete(RuleItem(api.tenant_id, _audience_sk(api)))
        moves_policy(transaction, api.tenant_id)
        transaction.commit(event)

    def resource(self, tenant_id: str, resource_type: str, resource_id: str) -> KnownResource | None:
        """What is known of this resource."""
        return self._get(tenant_id, _resource_sk(resource_type, resource_id), _resource)

    def resources(
        self, tenant_id: str, resource_type: str, *, after: str | None = None, limit: int = 50
    ) -> Page[KnownResource]:
        """What is known of the resources of this type, by id."""
        return self._page(tenant_id, _resource_sk(resource_type, ""), _resource, after=after, limit=limit)

    def put_resource(self, resource: KnownResource, event: Event) -> None:
        """Keep *resource* in place of the version before."""
        transaction = Transaction(self._tables, self._outbox)
        sk = _resource_sk(resource.type, resource.id)
        item = RuleItem(resource.tenant_id, sk, version=resource.version, body=_json(resource))
        _put(transaction, item, exists=PreconditionFailed())
        transaction.commit(event)

    def delete_resource(self, resource: KnownResource, event: Event) -> None:
        """Forget *resource*."""
        transaction = Transaction(self._tables, self._outbox)
        _drop(transaction, RuleItem(resource.tenant_id, _resource_sk(resource.type, resource.id)), resource.version)
        transaction.commit(event)

    def _put_policy(
        self, policy: Policy, condition: Condition, refused: PlatformaError, event: Event, unmoved: Versions | None
    ) -> None:
        body = _json(policy)
        transaction = Transaction(self._tables, self._outbox)
        item = RuleItem(policy.tenant_id, _POLICY + policy.id, version=policy.version, body=body)
        transaction.put(item, condition, refused=refused)
        revision = f"{_REVISION}{policy.id}#{policy.version:010}"
        transaction.put(RuleItem(policy.tenant_id, revision, version=policy.version, body=body))
        _moves(transaction, policy.tenant_id, unmoved)
        transaction.commit(event)

    def _delete(self, tenant_id: str, sk: str, version: int, event: Event, unmoved: Versions | None) -> None:
        transaction = Transaction(self._tables, self._outbox)
        _drop(transaction, RuleItem(tenant_id, sk), version)
        _moves(transaction, tenant_id, unmoved)
        transaction.commit(event)

    def _get(self, tenant_id: str, sk: str, read: Callable[[dict[str, Any]], T]) -> T | None:
        with answering():
            try:
                return read(json.loads(RuleItem.get(tenant_id, sk, consistent_read=True).body))
            except DoesNotExist:
                return None

    def _all(self, tenant_id: str, prefix: str, read: Callable[[dict[str, Any]], T]) -> Iterator[T]:
        with answering():
            for item in RuleItem.query(tenant_id, RuleItem.sk.startswith(prefix), consistent_read=True):
                yield read(json.loads(item.body))

    def _page(
        self,
        tenant_id: str,
        prefix: str,
        read: Callable[[dict[str, Any]], T],
        *,
        after: str | None,
        limit: int,
        forward: bool = True,
    ) -> Page[T]:
        """A page of the items whose sort key begins with *prefix*; a position is what follows it."""
        start = None if after is None else {"pk": {"S": tenant_id}, "sk": {"S": prefix + after}}
        with answering():
            listed = RuleItem.query(
                tenant_id,
                RuleItem.sk.startswith(prefix),
                consistent_read=True,
                limit=limit,
                last_evaluated_key=start,
                scan_index_forward=forward,
            )
            items = list(listed)
        more = items[-1].sk.removeprefix(prefix) if items and listed.last_evaluated_key else None
        return Page(tuple(read(json.loads(item.body)) for item in items), more)


def _put(transaction: Transaction, item: RuleItem, exists: PlatformaError | None = None) -> None:
    """Put *item* in place of its version before; version 1 is new, and *exists* (a conflict) what it means if it is not."""
    if item.version == 1:
        transaction.put(item, RuleItem.pk.does_not_exist(), refused=exists or Conflict())
    else:
        transaction.put(item, RuleItem.version == item.version - 1, refused=PreconditionFailed())


def _drop(transaction: Transaction, item: RuleItem, version: int) -> None:
    transaction.delete(item, RuleItem.version == version, refused=PreconditionFailed())


def _moves(transaction: Transaction, tenant_id: str, unmoved: Versions | None) -> None:
    if unmoved is None:
        moves_policy(transaction, tenant_id)
        return
    still = (VersionsItem.policy_version == unmoved.policy) & (VersionsItem.revocation_version == unmoved.revocation)
    transaction.update(VersionsItem(tenant_id, VERSIONS_SK), [VersionsItem.policy_version.add(1)], still, refused=Moved())


def _resource_sk(resource_type: str, resource_id: str) -> str:
    return f"{_RESOURCE}{len(resource_type)}#{resource_type}#{resource_id}"


def _audience_sk(api: ProtectedAPI) -> str:
    return _AUDIENCE + sha256(api.audience.encode()).hexdigest()


def _json(value: Policy | Role | ProtectedAPI | KnownResource) -> str:
    content = (
        value.as_json() | {"tenant_id": value.tenant_id} if isinstance(value, (Policy, ProtectedAPI)) else asdict(value)
    )
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _policy(body: dict[str, Any]) -> Policy:
    return Policy(**{**body, "attachments": tuple(Attachment(**one) for one in body["attachments"])})


def _role(body: dict[str, Any]) -> Role:
    return Role(**{**body, "actions": tuple(body["actions"])})


def _api(body: dict[str, Any]) -> ProtectedAPI:
    routes = tuple(route_of(route) for route in body["routes"])
    return ProtectedAPI(**{**body, "domains": tuple(body["domains"]), "routes": routes})


def _resource(body: dict[str, Any]) -> KnownResource:
    return KnownResource(**body)
