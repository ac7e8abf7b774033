"""
What SAML providers publish about themselves is read again each day, and their administrators are told of what ends.

A new certificate is taken over, another entity id never is: that would be another provider. Who reads nothing changes
nothing, and the next run tries again.
"""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import AlreadyUsed, PreconditionFailed, Unavailable
from platforma.kernel.events import Attempt
from platforma.oauth.errors import Unfetched
from platforma.sso.changes import connection_event
from platforma.sso.errors import MetadataRefused
from platforma.sso.model import Connection, IdentityProvider, SAMLSettings
from platforma.sso.ports import Connections, Fetch
from platforma.sso.settings import ReadMetadata

READ_EVERY = timedelta(days=1)
TOLD_BEFORE = (timedelta(days=3), timedelta(days=14), timedelta(days=30))
"""How long before the last certificate of a provider ends it is told, once each."""


def refresh_connections(
    *,
    connections: Connections,
    read_metadata: ReadMetadata,
    fetch: Fetch,
    attempt_for: Callable[[str, str], Attempt],
) -> dict[str, int]:
    """
    Read what is due, and tell of what ends; how many providers changed (`refreshed`), could not be read (`unread`), and
    whose last certificate ends (`ending`). *attempt_for* makes the attempt of an operation in a tenant's name.
    """
    counted = {"refreshed": 0, "unread": 0, "ending": 0}
    for connection in connections.every():
        if connection.saml is None or not connection.enabled:
            continue
        try:
            current = _read_again(connection, counted, connections, read_metadata, fetch, attempt_for)
            _told(current, counted, connections, attempt_for)
        except (Unavailable, PreconditionFailed, AlreadyUsed):
            continue  # it is looked at again by the next run
    return counted


def _read_again(
    connection: Connection,
    counted: dict[str, int],
    connections: Connections,
    read_metadata: ReadMetadata,
    fetch: Fetch,
    attempt_for: Callable[[str, str], Attempt],
) -> Connection:
    saml = connection.saml
    assert saml is not None
    attempt = attempt_for(connection.tenant_id, "settings.sso_connections.refresh")
    now = attempt.clock()
    if saml.metadata_url is None or (saml.refreshed_at is not None and now - saml.refreshed_at < READ_EVERY):
        return connection
    try:
        provider = read_metadata(fetch.get(saml.metadata_url))
    except (Unfetched, MetadataRefused):
        provider = None
    if provider is None or provider.entity_id != saml.provider.entity_id:
        counted["unread"] += 1
        return connection
    if provider == saml.provider:
        seen = replace(connection, saml=replace(saml, refreshed_at=now))
        connections.replace(connection, seen, None)
        return seen
    after = _with(connection, replace(saml, provider=provider, refreshed_at=now))
    connections.replace(connection, after, connection_event(attempt, connection, after))
    counted["refreshed"] += 1
    return after


def _told(
    connection: Connection,
    counted: dict[str, int],
    connections: Connections,
    attempt_for: Callable[[str, str], Attempt],
) -> None:
    saml = connection.saml
    assert saml is not None
    attempt = attempt_for(connection.tenant_id, "settings.sso_connections.announce_expiry")
    end = last_end(saml.provider)
    left = end - attempt.clock()
    before = next((each for each in TOLD_BEFORE if left <= each), None)
    if before is None:
        return
    counted["ending"] += 1
    told = f"{rfc3339(end)} {before.days}"
    if saml.announced == told:
        return
    after = _with(connection, replace(saml, announced=told))
    changes = {"after": {"certificate_ends_at": rfc3339(end), "days": before.days}}
    event = attempt.event("success", resource=connection.id, resource_type="sso_connection", changes=changes)
    connections.replace(connection, after, event)


def last_end(provider: IdentityProvider) -> datetime:
    """When the last of the provider's certificates ends: from then on nothing that it signs is believed."""
    known = (x509.load_der_x509_certificate(b64decode(each)) for each in provider.certificates)
    return max(certificate.not_valid_after_utc for certificate in known)


def _with(connection: Connection, saml: SAMLSettings) -> Connection:
    return replace(connection, saml=saml, version=connection.version + 1)
