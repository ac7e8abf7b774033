"""What decides, and what is known for it."""

from functools import cache, partial
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground, identity

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.policies import DynamoPolicies
    from platforma.edge.administration import Administration
    from platforma.edge.call import Call
    from platforma.policy.ports import Holders
    from platforma.policy.protected_api import KnownResource
    from platforma.policy.snapshots import Snapshots


@cache
def policies() -> "DynamoPolicies":
    """Policies, roles, protected APIs and known resources."""
    from platforma.adapters.dynamodb.policies import DynamoPolicies

    return ground.bound(DynamoPolicies(ground.tables(), ground.outbox()))


@cache
def snapshots() -> "Snapshots":
    """Compiled policy, kept warm."""
    from platforma.policy.snapshots import Snapshots

    return Snapshots(policies(), environment.clock)


@cache
def holders() -> "Holders":
    """The people who hold a role."""
    from platforma.edge.principals import members

    return partial(members, directory=identity.directory(), groups=identity.groups())


def known_resource(tenant_id: str, resource_type: str, resource_id: str) -> "KnownResource | None":
    """What is known of a resource that the tenant's services own."""
    return policies().resource(tenant_id, resource_type, resource_id)


def known_roles(call: "Call") -> frozenset[str]:
    """The names of the roles that the caller's tenant has now."""
    return frozenset(snapshots().current(call.tenant_id).policy_set.roles)


def administration_of(tenant_id: str) -> "Administration":
    """Who administers the tenant, by its rules as they stand now."""
    from platforma.edge.administration import Administration
    from platforma.policy.compile import compile_rules

    return Administration(tenant_id, compile_rules(tenant_id, policies().load(tenant_id)))
