"""What the use cases of directories are given, and what serves them."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap.parts import apikeys, ground, policy

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.sso.provisioned_users import DynamoProvisionedUsers
    from platforma.adapters.dynamodb.sso.scim_tokens import DynamoSCIMTokens
    from platforma.edge.scim import Desk


@cache
def scim_tokens() -> "DynamoSCIMTokens":
    """Tokens of connections' directories."""
    from platforma.adapters.dynamodb.sso.scim_tokens import DynamoSCIMTokens

    return ground.bound(DynamoSCIMTokens(ground.tables(), ground.outbox()))


@cache
def provisioned_users() -> "DynamoProvisionedUsers":
    """The users that directories keep."""
    from platforma.adapters.dynamodb.sso.provisioned_users import DynamoProvisionedUsers

    return ground.bound(DynamoProvisionedUsers(ground.tables(), ground.outbox(), ground.envelope(), ground.secrets()))


@cache
def scim_desk() -> "Desk":
    """What serves directories."""
    from platforma.apikeys.rate_limit import Leases
    from platforma.bootstrap import use_cases
    from platforma.edge.scim import Desk
    from platforma.edge.scim_resources import GroupResources, UserResources

    return Desk(
        directory_behind=use_cases.scim.directory_behind,
        standing=lambda tenant_id: policy.snapshots().of(tenant_id).standing,
        leases=Leases(apikeys.limits()),
        resources=[UserResources(use_cases.scim), GroupResources(use_cases.scim)],
    )
