"""What the use cases of OAuth are given."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground, identity, policy

if TYPE_CHECKING:
    from platforma.adapters.dynamodb.authorizations import DynamoDBAuthorizations
    from platforma.adapters.dynamodb.clients import DynamoDBClients
    from platforma.adapters.dynamodb.consents import DynamoDBConsents
    from platforma.adapters.dynamodb.devices import DynamoDBDevices
    from platforma.adapters.dynamodb.grants import DynamoDBGrants
    from platforma.adapters.dynamodb.logouts import DynamoDBLogouts
    from platforma.adapters.dynamodb.revocations import DynamoDBRevocations
    from platforma.adapters.dynamodb.sessions import DynamoDBSessions
    from platforma.adapters.sqs import SQSLogoutQueue
    from platforma.oauth.client_keys import ClientKeys
    from platforma.oauth.grants.granting import Granting


@cache
def clients() -> "DynamoDBClients":
    """OAuth clients on record."""
    from platforma.adapters.dynamodb.clients import DynamoDBClients

    return ground.bound(DynamoDBClients(ground.tables(), ground.outbox(), environment.clock))


@cache
def client_keys() -> "ClientKeys":
    """The public keys of clients."""
    from platforma.oauth.client_keys import ClientKeys

    return ClientKeys(ground.fetch(), environment.clock)


@cache
def sessions() -> "DynamoDBSessions":
    """Sign-ins."""
    from platforma.adapters.dynamodb.sessions import DynamoDBSessions

    return ground.bound(DynamoDBSessions(ground.tables(), ground.outbox(), logout_queue))


@cache
def logouts() -> "DynamoDBLogouts":
    """Clients to be told of sessions' ends."""
    from platforma.adapters.dynamodb.logouts import DynamoDBLogouts

    return ground.bound(DynamoDBLogouts(ground.tables(), ground.outbox()))


@cache
def logout_queue() -> "SQSLogoutQueue":
    """What hands out the telling of clients."""
    from platforma.adapters.sqs import SQSLogoutQueue

    return SQSLogoutQueue(environment.settings().logout_queue, environment.settings().region)


@cache
def revocations() -> "DynamoDBRevocations":
    """What was ended before its time."""
    from platforma.adapters.dynamodb.revocations import DynamoDBRevocations

    return ground.bound(DynamoDBRevocations(ground.tables(), ground.outbox()))


@cache
def authorizations() -> "DynamoDBAuthorizations":
    """Authorization requests that wait, and codes."""
    from platforma.adapters.dynamodb.authorizations import DynamoDBAuthorizations

    return ground.bound(DynamoDBAuthorizations(ground.tables(), ground.outbox(), ground.envelope()))


@cache
def grants() -> "DynamoDBGrants":
    """What people granted clients."""
    from platforma.adapters.dynamodb.grants import DynamoDBGrants

    return ground.bound(DynamoDBGrants(ground.tables(), ground.outbox()))


@cache
def consents() -> "DynamoDBConsents":
    """What people allowed clients."""
    from platforma.adapters.dynamodb.consents import DynamoDBConsents

    return ground.bound(DynamoDBConsents(ground.tables(), ground.outbox()))


@cache
def devices() -> "DynamoDBDevices":
    """What devices ask for."""
    from platforma.adapters.dynamodb.devices import DynamoDBDevices

    return ground.bound(DynamoDBDevices(ground.tables(), ground.outbox()))


@cache
def granting() -> "Granting":
    """What it takes to turn what people granted into tokens."""
    from platforma.oauth.grants.granting import Granting

    return Granting(
        authorizations=authorizations(),
        grants=grants(),
        devices=devices(),
        revocations=revocations(),
        directory=identity.directory(),
        groups=identity.groups(),
        secrets=ground.secrets(),
        signing_keys=ground.signing_keys(),
        issuer=environment.issuer(),
        clock=environment.clock,
    )


def redirect_uris_of(client_id: str) -> tuple[str, ...]:
    """The redirect URIs of an active client."""
    client = clients().get(client_id)
    return client.redirect_uris if client is not None and client.status == "active" else ()


def form_key() -> bytes:
    """The secret that pages' forms are bound to browsers with."""
    return ground.secrets().secret("lookup")


def audiences_of(tenant_id: str) -> frozenset[str]:
    """The audiences of the tenant's protected APIs."""
    return frozenset(policy.snapshots().of(tenant_id).policy_set.apis)


def in_use(tenant_id: str) -> bool:
    """Whether the tenant is in use: neither suspended nor about to be deleted."""
    return policy.snapshots().of(tenant_id).standing == "active"
