"""A tenant comes to trust an identity provider."""

from collections.abc import Mapping
from typing import Any

from platforma.identity.fields import parse_name
from platforma.kernel.errors import FieldError, PlatformaError, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.sso.changes import connection_event
from platforma.sso.model import Connection, OIDCSettings, Provisioning, SAMLSettings
from platforma.sso.ports import Connections, Fetch, ProviderSecrets
from platforma.sso.settings import (
    ReadMetadata,
    parse_attribute_mapping,
    parse_domains,
    parse_group_mappings,
    parse_https_url,
    parse_provisioning,
    provider_of,
)


def create_connection(
    tenant_id: str,
    fields: Mapping[str, Any],
    *,
    known_roles: frozenset[str],
    connections: Connections,
    provider_secrets: ProviderSecrets,
    read_metadata: ReadMetadata,
    fetch: Fetch,
    attempt: Attempt,
) -> Connection:
    """
    A new connection. Whoever lets *fields* through must have checked that the caller may give the roles in them.

    One that is made as a `draft` gets the settings of its provider later, by a change or by a setup link.

    Its domains may be anybody's yet: it signs in people of one only while this tenant owns it.

    Raises:
        Unprocessable: a field is not valid.
        MetadataRefused: the identity provider's metadata cannot be had, or not be used.
        Unavailable: nothing was made.
    """
    kind, draft = fields["type"], fields.get("draft", False)
    if draft and any(fields.get(each) is not None for each in ("saml", "oidc")):
        raise Unprocessable(errors=[FieldError("/draft", "A draft has no settings of a provider yet.")])
    if not draft and _mismatched(fields, kind):
        raise Unprocessable(errors=[FieldError(f"/{kind}", f"A connection of type {kind} has settings of just this name.")])
    now = attempt.clock()
    saml = oidc = None
    if kind == "saml" and not draft:
        given = fields["saml"]
        saml = SAMLSettings(
            provider_of(given, read_metadata=read_metadata, fetch=fetch),
            metadata_url=given.get("metadata_url"),
            refreshed_at=now,
            idp_initiated=given.get("idp_initiated", False),
            allow_cbc=given.get("allow_cbc", False),
        )
    common: dict[str, Any] = {
        "name": parse_name(fields["name"]),
        "domains": parse_domains(fields.get("domains", ())),
        "attribute_mapping": parse_attribute_mapping(fields.get("attribute_mapping", {})),
        "group_mappings": parse_group_mappings(fields.get("group_mappings", ()), known_roles=known_roles),
        "provisioning": parse_provisioning(Provisioning(), fields.get("provisioning", {}), known_roles=known_roles),
    }
    reference = None
    if kind == "oidc" and not draft:
        given = fields["oidc"]
        issuer = parse_https_url(given["issuer"], pointer="/oidc/issuer", query=False)
        reference = kept_secret(tenant_id, given.get("client_secret"), provider_secrets)
        oidc = OIDCSettings(issuer, given["client_id"], reference)
    connection = Connection(id=new_id("sso"), tenant_id=tenant_id, type=kind, saml=saml, oidc=oidc, created_at=now, **common)
    with_secret = [reference] if reference is not None else []
    try:
        connections.add(connection, connection_event(attempt, None, connection))
    except PlatformaError:
        forget_secrets(tenant_id, with_secret, provider_secrets)
        raise
    return connection


def _mismatched(fields: Mapping[str, Any], kind: str) -> bool:
    return fields.get(kind) is None or fields.get("oidc" if kind == "saml" else "saml") is not None


def kept_secret(tenant_id: str, secret: str | None, provider_secrets: ProviderSecrets) -> str | None:
    """
    The reference under which *secret* is kept from now on, a fresh one, so that what names the old one still finds it.

    Raises:
        Unavailable: it could not be kept.
    """
    if secret is None:
        return None
    reference = new_id("sso")
    provider_secrets.keep_provider_secret(tenant_id, reference, secret)
    return reference


def forget_secrets(tenant_id: str, references: list[str], provider_secrets: ProviderSecrets) -> None:
    """Destroy secrets that nothing names any more; one that could not be is unreachable by us anyhow."""
    for reference in references:
        try:
            provider_secrets.forget_provider_secret(tenant_id, reference)
        except PlatformaError:
            continue
