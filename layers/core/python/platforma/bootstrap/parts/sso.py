"""What the use cases of single sign-on are given."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import apikeys, edge, ground, identity, policy

if TYPE_CHECKING:
    from platforma.adapters.dns import ResolverDNS
    from platforma.adapters.dynamodb.sso import (
        DynamoConnections,
        DynamoDomains,
        DynamoProviderKeys,
        DynamoProviderSessions,
        DynamoSetupLinks,
        DynamoTraces,
    )
    from platforma.apikeys.rate_limit import Leases
    from platforma.sso.model import IdentityProvider
    from platforma.sso.oidc.provider import Providers
    from platforma.sso.provision import People


@cache
def connections() -> "DynamoConnections":
    """Connections to identity providers."""
    from platforma.adapters.dynamodb.sso import DynamoConnections

    return ground.bound(DynamoConnections(ground.tables(), ground.outbox()))


@cache
def provider_keys() -> "DynamoProviderKeys":
    """The keys that we are connections' service provider with."""
    from platforma.adapters.dynamodb.sso import DynamoProviderKeys

    return ground.bound(DynamoProviderKeys(ground.tables(), ground.envelope()))


@cache
def provider_sessions() -> "DynamoProviderSessions":
    """By which provider sessions began."""
    from platforma.adapters.dynamodb.sso import DynamoProviderSessions

    return ground.bound(DynamoProviderSessions(ground.tables(), ground.envelope()))


@cache
def setup_links() -> "DynamoSetupLinks":
    """Links by which connections are configured."""
    from platforma.adapters.dynamodb.sso import DynamoSetupLinks

    return ground.bound(DynamoSetupLinks(ground.tables(), ground.outbox()))


@cache
def setup_leases() -> "Leases":
    """What those links may still do in this minute."""
    from platforma.apikeys.rate_limit import Leases

    return Leases(apikeys.limits())


def still_there(tenant_id: str, kind: str, principal_id: str) -> bool:
    """Whether the principal that made something is one of the tenant's still, and active."""
    by = edge.subjects()
    subject = by.of_service(principal_id) if kind == "service" else by.of(tenant_id, kind, principal_id)
    return subject is not None and subject.active and subject.tenant_id == tenant_id


@cache
def traces() -> "DynamoTraces":
    """What became of sign-ins by connections."""
    from platforma.adapters.dynamodb.sso import DynamoTraces

    return ground.bound(DynamoTraces(ground.tables(), environment.clock))


@cache
def providers() -> "Providers":
    """OpenID providers, as they describe themselves."""
    from platforma.sso.oidc.provider import Providers

    return Providers(ground.fetch(), environment.clock)


def people_of(tenant_id: str) -> "People":
    """Where a tenant's users are found and made by a sign-in, and the roles that it has."""
    from platforma.sso.provision import People

    return People(
        directory=identity.directory(),
        groups=identity.groups(),
        factors=identity.factor_store(),
        domains=domains(),
        administration=policy.administration_of,
        known_roles=frozenset(policy.snapshots().of(tenant_id).policy_set.roles),
    )


@cache
def domains() -> "DynamoDomains":
    """Claims of domains."""
    from platforma.adapters.dynamodb.sso import DynamoDomains

    return ground.bound(DynamoDomains(ground.tables(), ground.outbox()))


@cache
def dns() -> "ResolverDNS":
    """The machine's resolver."""
    from platforma.adapters.dns import ResolverDNS

    return ResolverDNS()


def read_metadata(document: bytes) -> "IdentityProvider":
    """The identity provider that a SAML metadata document describes."""
    from platforma.sso.saml.metadata import read_metadata

    return read_metadata(document, clock=environment.clock)
