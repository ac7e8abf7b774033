"""What the use cases of directories are given."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap.parts import ground

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.sso.provisioned_users import DynamoProvisionedUsers
    from platforma.adapters.dynamodb.sso.scim_tokens import DynamoSCIMTokens


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
