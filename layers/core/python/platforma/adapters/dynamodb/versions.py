"""
The two counters of a tenant that tell warm instances what to drop, and whether the tenant is in use.

They stand in the Policy table, which every function that authenticates may read.
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from platforma.adapters.dynamodb.tables import Item, cause_of, code_of
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.kernel.errors import Unavailable

SK = "VERSIONS"


class VersionsItem(Item):
    """One a tenant. *status* is the tenant's: active, suspended or pending_deletion."""

    table = "policy"

    class Meta:
        table_name = "unbound"

    status = UnicodeAttribute(default="active")
    policy_version = NumberAttribute(default=1)
    revocation_version = NumberAttribute(default=1)


def moves_policy(transaction: Transaction, tenant_id: str) -> None:
    """Let *transaction* also say that roles, groups, memberships or policies of the tenant moved."""
    transaction.update(VersionsItem(tenant_id, SK), [VersionsItem.policy_version.add(1)])


def moves_revocation(transaction: Transaction, tenant_id: str) -> None:
    """Let *transaction* also say that something of the tenant was suspended, revoked or ended."""
    transaction.update(VersionsItem(tenant_id, SK), [VersionsItem.revocation_version.add(1)])


def make_versions(tenant_id: str) -> None:
    """
    Have the tenant's counters; those that it has stay as they are.

    Raises:
        Unavailable: DynamoDB would not.
    """
    try:
        VersionsItem(tenant_id, SK).save(VersionsItem.pk.does_not_exist())
    except PutError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise Unavailable(cause=cause_of(error)) from error
