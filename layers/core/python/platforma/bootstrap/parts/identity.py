"""What identity's use cases are given."""

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.identity import DynamoAttemptCounts, DynamoDirectory, DynamoGroups, DynamoTenants
    from platforma.adapters.dynamodb.identity.factors import DynamoFactors
    from platforma.adapters.dynamodb.links import DynamoLinks
    from platforma.adapters.dynamodb.services import DynamoDBServices
    from platforma.adapters.ses import SESMailer
    from platforma.adapters.sqs import SQSLinkRequests
    from platforma.identity.factors import RelyingParty


@cache
def services() -> "DynamoDBServices":
    """Services on record."""
    from platforma.adapters.dynamodb.services import DynamoDBServices

    return ground.bound(DynamoDBServices(ground.tables(), ground.outbox()))


@cache
def directory() -> "DynamoDirectory":
    """The people of a tenant."""
    from platforma.adapters.dynamodb.identity import DynamoDirectory

    return ground.bound(DynamoDirectory(ground.tables(), ground.outbox(), ground.envelope(), ground.secrets()))


def user_at(tenant_id: str, email: str) -> str | None:
    """The id of the tenant's user of this e-mail address."""
    user = directory().user_by_email(tenant_id, email)
    return None if user is None else user.id


@cache
def attempt_counts() -> "DynamoAttemptCounts":
    """Counts of attempts at passwords."""
    from platforma.adapters.dynamodb.identity import DynamoAttemptCounts

    return ground.bound(DynamoAttemptCounts(ground.tables(), ground.secrets()))


@cache
def links() -> "DynamoLinks":
    """One-time links on record."""
    from platforma.adapters.dynamodb.links import DynamoLinks

    return ground.bound(DynamoLinks(ground.tables(), ground.outbox(), directory()))


@cache
def link_requests() -> "SQSLinkRequests":
    """The queue of links to be mailed."""
    from platforma.adapters.sqs import SQSLinkRequests

    return SQSLinkRequests(environment.settings().mail_queue, environment.settings().region)


@cache
def mailer() -> "SESMailer":
    """What sends mail."""
    from platforma.adapters.ses import SESMailer

    return SESMailer(environment.settings().mail_from, environment.settings().region)


@cache
def groups() -> "DynamoGroups":
    """The groups of a tenant."""
    from platforma.adapters.dynamodb.identity import DynamoGroups

    return ground.bound(DynamoGroups(ground.tables(), ground.outbox()))


@cache
def tenants() -> "DynamoTenants":
    """Every tenant."""
    from platforma.adapters.dynamodb.identity import DynamoTenants

    return ground.bound(DynamoTenants(ground.tables(), ground.outbox(), ground.envelope(), ground.secrets()))


@cache
def factor_store() -> "DynamoFactors":
    """People's passkeys, authenticator apps and recovery codes."""
    from platforma.adapters.dynamodb.identity.factors import DynamoFactors

    return ground.bound(DynamoFactors(ground.tables(), ground.outbox(), ground.envelope()))


def relying_party() -> "RelyingParty":
    """For whom passkeys are made: the host of the stable URL."""
    from platforma.identity.factors import RelyingParty

    return RelyingParty(urlsplit(environment.issuer()).hostname or "", environment.issuer())
