"""
From the attributes of an assertion, or the claims of an ID token, to who somebody is: address, name, groups.

An attribute mapping names the claim that each comes from; without one the usual names are tried in order. A claim holds a
text or several; what is neither is refused, so that nothing is guessed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platforma.kernel.errors import FieldError, Unprocessable
from platforma.sso.mapping import MAX_GROUPS

_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
ADDRESS_AS_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
"""Under this name attributes have the NameID, where that is an address: Okta sends nothing else unless it is told to."""
USUAL: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "mail", f"{_CLAIMS}emailaddress", "urn:oid:0.9.2342.19200300.100.1.3", ADDRESS_AS_NAME),
    "name": (
        *("name", "displayName", "http://schemas.microsoft.com/identity/claims/displayname", f"{_CLAIMS}name"),
        *("urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.3"),
    ),
    "groups": (
        *("groups", "roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"),
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
        *("http://schemas.xmlsoap.org/claims/Group", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"),
    ),
}
"""Where each is found when the connection does not say: Okta's and Google's names, Entra ID's, and eduPerson's."""
OVERAGE = ("_claim_names", "http://schemas.microsoft.com/claims/groups.link", "hasgroups")
"""What Entra ID sends in place of the groups of somebody who is in more than it lists."""
Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """What the identity provider says of somebody. Nothing of it has been checked against a domain."""

    email: str | None
    name: str | None
    groups: tuple[str, ...]


def read_profile(attributes: Attributes, attribute_mapping: Mapping[str, str]) -> Profile:
    """
    Who *attributes* are about.

    Raises:
        Unprocessable: one that is looked for is neither text nor texts, there are too many groups, or the provider left the
            groups out because they are many (Entra ID's overage): nobody loses roles without being told.
    """
    if any(_told(attributes.get(name)) for name in OVERAGE):
        raise _refused(
            "/attributes", "The provider left the groups out because there are too many. Send only assigned groups."
        )
    found = {what: _values(attributes, what, attribute_mapping.get(what)) for what in USUAL}
    if len(found["groups"]) > MAX_GROUPS:
        raise _refused("/groups", f"More than {MAX_GROUPS} groups.")
    first = {what: values[0] if values else None for what, values in found.items()}
    return Profile(first["email"], first["name"], tuple(dict.fromkeys(found["groups"])))


def _told(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "groups" in value
    return value is not None and value not in (False, "false", ["false"], [])


def _values(attributes: Attributes, what: str, mapped: str | None) -> Sequence[str]:
    names = USUAL[what] if mapped is None else (mapped,)
    value = next((attributes[name] for name in names if attributes.get(name) is not None), ())
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
        raise _refused("/attributes", f"What holds the {what} is neither a text nor a list of texts.")
    return [text for each in values if (text := each.strip())]


def _refused(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(errors=[FieldError(pointer, detail)])
