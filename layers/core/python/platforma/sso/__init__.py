"""
Sign-in by other identity providers, and provisioning from them: connections, domains, mapping of groups to roles.

What reads XML is in `saml` and is imported by nobody here: only functions that carry its libraries use it.
"""

from platforma.sso.change_connection import change_connection, delete_connection
from platforma.sso.create_connection import create_connection
from platforma.sso.domains import (
    claim_domain,
    list_domains,
    read_domain,
    recheck_domains,
    release_domain,
    verify_domain,
    vouch_for_domain,
)
from platforma.sso.dry_run import try_mapping
from platforma.sso.model import Connection, Domain
from platforma.sso.read_connection import list_connections, read_connection

__all__ = [
    "Connection",
    "Domain",
    "change_connection",
    "claim_domain",
    "create_connection",
    "delete_connection",
    "list_connections",
    "list_domains",
    "read_connection",
    "read_domain",
    "recheck_domains",
    "release_domain",
    "try_mapping",
    "verify_domain",
    "vouch_for_domain",
]
