"""
What a caller may put into a connection, held to its rules; each fault is named by its JSON pointer.

The shapes (which members there are, and of which JSON type) were checked before; what they mean is checked here.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from platforma.identity.fields import parse_roles
from platforma.kernel.errors import FieldError, Unprocessable
from platforma.oauth.errors import Unfetched
from platforma.sso.domain_name import parse_domain
from platforma.sso.errors import MetadataRefused
from platforma.sso.model import GroupMapping, IdentityProvider, Provisioning
from platforma.sso.ports import Fetch

MAX_DOMAINS = 50
MAX_MAPPINGS = 200
MAX_URL = 2048
ATTRIBUTES = frozenset({"email", "name", "groups"})

ReadMetadata = Callable[[bytes], IdentityProvider]
"""From a SAML metadata document, of which nothing is trusted, to the one identity provider that it describes."""


def parse_domains(value: Sequence[str]) -> tuple[str, ...]:
    """
    The domains of a connection, sorted, each once.

    Raises:
        Unprocessable: one is none, or there are too many.
    """
    if len(value) > MAX_DOMAINS:
        raise _refused("/domains", f"At most {MAX_DOMAINS} domains.")
    return tuple(sorted({parse_domain(name, pointer=f"/domains/{index}") for index, name in enumerate(value)}))


def parse_group_mappings(value: Sequence[Mapping[str, Any]], *, known_roles: frozenset[str]) -> tuple[GroupMapping, ...]:
    """
    Group mappings as given, group names in NFC as they are compared.

    Raises:
        Unprocessable: a role does not exist, a name is empty, or there are too many.
    """
    if len(value) > MAX_MAPPINGS:
        raise _refused("/group_mappings", f"At most {MAX_MAPPINGS} mappings.")
    faults = []
    mappings = []
    for index, each in enumerate(value):
        group = unicodedata.normalize("NFC", each["group"])
        if each["role"] not in known_roles:
            faults.append(FieldError(f"/group_mappings/{index}/role", "There is no such role."))
        if not group.strip() or group != group.strip():
            faults.append(
                FieldError(f"/group_mappings/{index}/group", "Must begin and end with something else than a space.")
            )
        mappings.append(GroupMapping(group, each["role"], each.get("match", "exact")))
    if faults:
        raise Unprocessable(errors=faults)
    return tuple(dict.fromkeys(mappings))


def parse_provisioning(before: Provisioning, value: Mapping[str, Any], *, known_roles: frozenset[str]) -> Provisioning:
    """
    *before* with what *value* sets.

    Raises:
        Unprocessable: a default role does not exist.
    """
    roles = value.get("default_roles", before.default_roles)
    return Provisioning(
        jit=value.get("jit", before.jit),
        default_roles=parse_roles(list(roles), known_roles=known_roles, pointer="/provisioning/default_roles"),
        deprovision_on_group_loss=value.get("deprovision_on_group_loss", before.deprovision_on_group_loss),
    )


def parse_attribute_mapping(value: Mapping[str, str]) -> dict[str, str]:
    """
    Which claim holds each attribute.

    Raises:
        Unprocessable: an attribute that is not one of `ATTRIBUTES`.
    """
    if unknown := [
        FieldError(f"/attribute_mapping/{name}", "Not an attribute.") for name in value if name not in ATTRIBUTES
    ]:
        raise Unprocessable(errors=unknown)
    return dict(value)


def parse_https_url(text: str, *, pointer: str, query: bool = True) -> str:
    """
    An absolute https URL without user information or fragment, and where not *query* without a query.

    Raises:
        Unprocessable: it is none.
    """
    try:
        parts = urlsplit(text)
        good = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        good = False
    printable = text.isascii() and text.isprintable() and " " not in text
    if not (good and printable and len(text) <= MAX_URL and "#" not in text and (query or "?" not in text)):
        raise _refused(pointer, "Must be an absolute https URL.")
    return text


def provider_of(saml: Mapping[str, Any], *, read_metadata: ReadMetadata, fetch: Fetch) -> IdentityProvider:
    """
    The identity provider whose metadata is given as `metadata_xml`, or stands behind `metadata_url`.

    Raises:
        Unprocessable: neither or both.
        MetadataRefused: it cannot be had, or not be used.
    """
    xml, url = saml.get("metadata_xml"), saml.get("metadata_url")
    if (xml is None) == (url is None):
        raise _refused("/saml", "Give either metadata_xml or metadata_url.")
    if url is None:
        return read_metadata(str(xml).encode("utf-8", "replace"))
    try:
        document = fetch.get(parse_https_url(url, pointer="/saml/metadata_url"))
    except Unfetched:
        detail = "Nothing could be read there: it must be a public https address that answers in time, without a redirect."
        raise MetadataRefused(errors=[FieldError("/saml/metadata_url", detail)]) from None
    return read_metadata(document)


def _refused(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(errors=[FieldError(pointer, detail)])
