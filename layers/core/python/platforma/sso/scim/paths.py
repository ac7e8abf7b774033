"""
Names of attributes as requests write them (RFC 7644 section 3.10), found in a resource type.

Names are compared without regard to case; what is found has the schema's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platforma.sso.scim.schema import Attribute, ResourceKind


@dataclass(frozen=True, slots=True)
class Place:
    """
    An attribute, or a part of one. *extension* is the URI of the schema that it is of, where that is not the core's.

    An *attribute* of None is the extension itself.
    """

    attribute: Attribute | None
    extension: str | None = None
    part: Attribute | None = None

    @property
    def last(self) -> Attribute:
        """What the path leads to."""
        assert self.attribute is not None
        return self.part or self.attribute

    def holder(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        """What of *resource* has the attribute."""
        return resource if self.extension is None else resource.get(self.extension) or {}

    def values(self, resource: Mapping[str, Any]) -> list[Any]:
        """Every value at this place, those of a multi-valued attribute one by one."""
        assert self.attribute is not None
        found = listed(self.holder(resource).get(self.attribute.name))
        return found if self.part is None else [value for each in found for value in listed(part_of(each, self.part.name))]


def part_of(value: Any, name: str) -> Any:
    """A complex value's part; of anything else none."""
    return value.get(name) if isinstance(value, Mapping) else None


def listed(value: Any) -> list[Any]:
    """*value* as a list: none for None."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def find(text: str, of: ResourceKind) -> Place | None:
    """The place that *text* names; None if there is none: `userName`, `name.familyName`, `urn:...:User:department`."""
    uri, rest = split_uri(text, of)
    known = of.attributes if uri is None else of.named(uri)
    if known is None:
        return None
    extension = None if uri is None or uri == of.schema else uri
    if not rest:
        return Place(None, extension) if extension is not None else None
    name, _, sub = rest.partition(".")
    attribute = known.get(name.lower())
    if attribute is None:
        return None
    if not sub:
        return Place(attribute, extension)
    part = attribute.parts.get(sub.lower())
    return None if part is None else Place(attribute, extension, part)


def split_uri(text: str, of: ResourceKind) -> tuple[str | None, str]:
    """The schema's URI before an attribute's name, in its own case, and the rest."""
    for uri in of.uris():
        if text.lower() == uri.lower():
            return uri, ""
        if text.lower().startswith(uri.lower() + ":"):
            return uri, text[len(uri) + 1 :]
    return None, text
