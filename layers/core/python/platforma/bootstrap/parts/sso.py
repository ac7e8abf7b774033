"""What the use cases of single sign-on are given."""

from functools import cache
from typing import TYPE_CHECKING

from platforma.bootstrap import environment
from platforma.bootstrap.parts import ground

if TYPE_CHECKING:
    from platforma.adapters.dns import ResolverDNS
    from platforma.adapters.dynamodb.sso import DynamoConnections, DynamoDomains
    from platforma.sso.model import IdentityProvider


@cache
def connections() -> "DynamoConnections":
    """Connections to identity providers."""
    from platforma.adapters.dynamodb.sso import DynamoConnections

    return ground.bound(DynamoConnections(ground.tables(), ground.outbox()))


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
