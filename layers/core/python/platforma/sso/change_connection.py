"""A connection's settings change; what is left out stays."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from platforma.identity.fields import parse_name
from platforma.identity.lockout import AdministrationOf
from platforma.identity.ports import Directory, Groups
from platforma.kernel.errors import FieldError, PlatformaError, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.sso.changes import connection_event
from platforma.sso.create_connection import forget_secrets, kept_secret
from platforma.sso.enforcement import require_enforceable
from platforma.sso.model import Connection, OIDCSettings, SAMLSettings
from platforma.sso.ports import Connections, Fetch, ProviderSecrets
from platforma.sso.read_connection import read_connection
from platforma.sso.settings import (
    ReadMetadata,
    parse_attribute_mapping,
    parse_domains,
    parse_group_mappings,
    parse_https_url,
    parse_provisioning,
    provider_of,
)

_TRIED = frozenset({"saml", "oidc", "domains", "attribute_mapping"})
"""What a trial was of: after a change of it there is none."""


def change_connection(
    connection_id: str,
    fields: Mapping[str, Any],
    *,
    tenant_id: str,
    if_match: int | None,
    known_roles: frozenset[str],
    connections: Connections,
    provider_secrets: ProviderSecrets,
    read_metadata: ReadMetadata,
    fetch: Fetch,
    attempt: Attempt,
    directory: Directory,
    groups: Groups,
    administration: AdministrationOf,
) -> Connection:
    """
    The connection after *fields*. *if_match* None means any version.

    Whoever lets *fields* through must have checked that the caller may give the roles in them, and that the connection
    gives already if its provider, its domains or its mapping of attributes change.

    Raises:
        NotFound: this tenant has no connection of this id.
        PreconditionFailed: it has another version.
        Unprocessable: a field is not valid.
        MetadataRefused: the identity provider's metadata cannot be had, or not be used.
        TestFirst, BreakGlassNeeded: people cannot be made to sign in by it yet.
        Unavailable: nothing was changed.
    """
    allowed = partial(require_enforceable, directory=directory, groups=groups, administration=administration)
    before = read_connection(connection_id, tenant_id=tenant_id, connections=connections)
    if if_match not in (None, before.version):
        raise PreconditionFailed
    changed = _parsed(before, fields, known_roles)
    if "saml" in fields:
        changed["saml"] = _saml(before.saml, fields["saml"], attempt, read_metadata, fetch)
    if "oidc" not in fields:
        return _replaced(before, changed, connections, attempt, allowed)
    given, fresh = fields["oidc"], kept_secret(tenant_id, fields["oidc"].get("client_secret"), provider_secrets)
    old = None if before.oidc is None else before.oidc.secret_ref
    try:
        changed["oidc"] = _oidc(before.oidc, given, fresh)
        after = _replaced(before, changed, connections, attempt, allowed)
    except PlatformaError:
        forget_secrets(tenant_id, [fresh] if fresh else [], provider_secrets)
        raise
    if old is not None and after.oidc is not None and after.oidc.secret_ref != old:
        forget_secrets(tenant_id, [old], provider_secrets)
    return after


def delete_connection(
    connection_id: str,
    *,
    tenant_id: str,
    if_match: int | None,
    connections: Connections,
    provider_secrets: ProviderSecrets,
    attempt: Attempt,
) -> None:
    """
    Delete a connection: nobody signs in by it any more, and its directory's tokens are good for nothing. Users stay.

    Raises:
        NotFound: this tenant has no connection of this id.
        PreconditionFailed: it has another version.
    """
    before = read_connection(connection_id, tenant_id=tenant_id, connections=connections)
    if if_match not in (None, before.version):
        raise PreconditionFailed
    connections.remove(before, connection_event(attempt, before, None))
    if before.oidc is not None and before.oidc.secret_ref is not None:
        forget_secrets(tenant_id, [before.oidc.secret_ref], provider_secrets)


def _parsed(before: Connection, fields: Mapping[str, Any], known_roles: frozenset[str]) -> dict[str, Any]:
    """What changes of all but the provider's own settings."""
    for other in {"saml", "oidc"} - {before.type}:
        if other in fields:
            raise Unprocessable(errors=[FieldError(f"/{other}", "A connection's type does not change.")])
    parsers: Mapping[str, Callable[[Any], Any]] = {
        "name": parse_name,
        "enabled": bool,
        "enforced": bool,
        "break_glass": lambda users: tuple(sorted(set(users))),
        "domains": parse_domains,
        "attribute_mapping": parse_attribute_mapping,
        "group_mappings": partial(parse_group_mappings, known_roles=known_roles),
        "provisioning": partial(parse_provisioning, before.provisioning, known_roles=known_roles),
    }
    return {name: parse(fields[name]) for name, parse in parsers.items() if name in fields}


def _replaced(
    before: Connection,
    changed: Mapping[str, Any],
    connections: Connections,
    attempt: Attempt,
    allowed: Callable[[Connection], None],
) -> Connection:
    tried = before.tested_at if changed.keys().isdisjoint(_TRIED) else None
    after = replace(before, version=before.version + 1, tested_at=tried, **changed)
    if after.enforced and (not before.enforced or "break_glass" in changed):
        allowed(after)
    connections.replace(before, after, connection_event(attempt, before, after))
    return after


def _saml(
    before: SAMLSettings | None, given: Mapping[str, Any], attempt: Attempt, read_metadata: ReadMetadata, fetch: Fetch
) -> SAMLSettings:
    options = {name: given[name] for name in ("idp_initiated", "allow_cbc") if name in given}
    if before is not None and given.keys().isdisjoint({"metadata_xml", "metadata_url"}):
        return replace(before, **options)
    provider = provider_of(given, read_metadata=read_metadata, fetch=fetch)
    now = attempt.clock()
    if before is None:
        return SAMLSettings(provider, given.get("metadata_url"), now, **options)
    return replace(before, provider=provider, metadata_url=given.get("metadata_url"), refreshed_at=now, **options)


def _oidc(before: OIDCSettings | None, given: Mapping[str, Any], fresh: str | None) -> OIDCSettings:
    if before is None:
        if missing := [name for name in ("issuer", "client_id") if name not in given]:
            raise Unprocessable(errors=[FieldError(f"/oidc/{name}", "A draft has none yet: give it.") for name in missing])
        issuer = parse_https_url(given["issuer"], pointer="/oidc/issuer", query=False)
        return OIDCSettings(issuer, given["client_id"], fresh)
    issuer = parse_https_url(given.get("issuer", before.issuer), pointer="/oidc/issuer", query=False)
    moved, kept = issuer != before.issuer, None if "client_secret" in given else before.secret_ref
    if moved and kept is not None:
        # Whoever moves the issuer would be sent the secret that another provider gave.
        raise Unprocessable(errors=[FieldError("/oidc/client_secret", "A new issuer needs a client_secret of its own.")])
    return OIDCSettings(issuer, given.get("client_id", before.client_id), fresh or kept)
