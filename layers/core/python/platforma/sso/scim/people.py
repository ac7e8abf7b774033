"""
From what a directory says of a person to the user that we keep: address, name, whether active. Pure steps.

The address is what signs a person in, and is always of a domain that the connection may speak for: the primary e-mail (else
the one for work, else the first) if it is of one; else `userName`, which must be; and a `userName` that is no address at all
is one of the connection's first domain. Other addresses are kept as the directory's data, and stand for nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from platforma.identity.email_address import parse_email
from platforma.identity.fields import MAX_NAME, parse_name
from platforma.kernel.errors import Unprocessable
from platforma.sso.domain_name import domain_of
from platforma.sso.scim.errors import InvalidValue


def address_of(document: Mapping[str, Any], domains: Sequence[str]) -> str:
    """
    The address by which the person is known here; *domains* are those that the connection may speak for.

    Raises:
        InvalidValue: there is none of these domains.
    """
    if not domains:
        raise InvalidValue("No domain of this connection is proved or vouched for: it cannot provision anybody.")
    for value in _addresses(document):
        address = _parsed(value)
        if address is not None and domain_of(address) in domains:
            return address
    name = str(document["userName"])
    address = _parsed(name if "@" in name else f"{name}@{domains[0]}")
    if address is None:
        raise InvalidValue("userName is no address, and cannot be part of one.")
    if domain_of(address) not in domains:
        raise InvalidValue("The person is of no domain that is proved or vouched for, and this connection's.")
    return address


def name_of(document: Mapping[str, Any]) -> str:
    """The name that the person is shown by."""
    name = document.get("name") or {}
    parts = " ".join(str(name[part]) for part in ("givenName", "familyName") if name.get(part))
    for text in (document.get("displayName"), name.get("formatted"), parts, document["userName"]):
        if text and (shown := "".join(each for each in str(text) if each.isprintable()).strip()[:MAX_NAME]):
            try:
                return parse_name(shown)
            except Unprocessable:
                continue
    raise InvalidValue("There is no name that could be shown.")


def is_active(document: Mapping[str, Any]) -> bool:
    """Whether the directory says so; it does where it says nothing."""
    return bool(document.get("active", True))


def _addresses(document: Mapping[str, Any]) -> list[str]:
    """The one e-mail that stands for the person, if there is one."""
    emails = [each for each in document.get("emails", []) if each.get("value")]
    chosen = (
        next((each for each in emails if each.get("primary")), None)
        or next((each for each in emails if str(each.get("type", "")).lower() == "work"), None)
        or next(iter(emails), None)
    )
    return [] if chosen is None else [str(chosen["value"])]


def _parsed(text: str) -> str | None:
    try:
        return parse_email(text)
    except Unprocessable:
        return None
