"""The directory behind a token: its connection, and the domains that it may speak for."""

from platforma.kernel.clock import Clock
from platforma.keys.ports import Secrets
from platforma.sso.ports import Connections, Domains
from platforma.sso.scim.model import Directory
from platforma.sso.scim.ports import SCIMTokens
from platforma.sso.scim.tokens import verify_scim_token


def directory_behind(
    presented: str, *, connections: Connections, domains: Domains, scim_tokens: SCIMTokens, secrets: Secrets, clock: Clock
) -> Directory:
    """
    The directory that a presented token stands for, with those of the connection's domains that are its tenant's.

    Raises:
        Unauthenticated: as `verify_scim_token`.
        Unavailable: it could not be checked.
    """
    connection = verify_scim_token(presented, connections=connections, scim_tokens=scim_tokens, secrets=secrets, clock=clock)
    claims = [(name, domains.get(connection.tenant_id, name)) for name in connection.domains]
    return Directory(connection, tuple(name for name, claim in claims if claim is not None and claim.owned))
