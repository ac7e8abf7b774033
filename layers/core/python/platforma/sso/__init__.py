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
from platforma.sso.enforcement import requires_provider
from platforma.sso.find_connection import enabled_connections, find_home
from platforma.sso.health import read_health
from platforma.sso.key_pairs import current_pairs
from platforma.sso.model import Connection, Domain
from platforma.sso.provider_session import end_provider_sessions, open_sign_out_link, sign_out_link, signs_out_at
from platforma.sso.read_connection import connection_in_use, list_connections, read_connection
from platforma.sso.refresh import refresh_connections
from platforma.sso.return_to import parse_return_to
from platforma.sso.setup_links import (
    create_setup_link,
    find_setup_link,
    finish_setup,
    held_setup_link,
    list_setup_links,
    open_setup_link,
    revoke_setup_link,
)
from platforma.sso.sign_in import finish_sign_in, note_failure
from platforma.sso.trial import note_trial, spend_trial_link, trial_link, try_sign_in

__all__ = [
    "Connection",
    "Domain",
    "change_connection",
    "claim_domain",
    "connection_in_use",
    "create_connection",
    "create_setup_link",
    "current_pairs",
    "delete_connection",
    "enabled_connections",
    "end_provider_sessions",
    "find_home",
    "find_setup_link",
    "finish_setup",
    "finish_sign_in",
    "held_setup_link",
    "list_connections",
    "list_domains",
    "list_setup_links",
    "note_failure",
    "note_trial",
    "open_setup_link",
    "open_sign_out_link",
    "parse_return_to",
    "read_connection",
    "read_domain",
    "read_health",
    "recheck_domains",
    "refresh_connections",
    "release_domain",
    "requires_provider",
    "revoke_setup_link",
    "sign_out_link",
    "signs_out_at",
    "spend_trial_link",
    "trial_link",
    "try_mapping",
    "try_sign_in",
    "verify_domain",
    "vouch_for_domain",
]
