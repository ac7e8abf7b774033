"""
What a User and a Group are, as `scim2_models` has them, and their attributes by name.

Of the RFC's User two things differ. An address may be of any domain (`scim2_models` refuses names reserved for tests). And
there is no password: a directory's people sign in at their identity provider, and one that is sent is dropped unread.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from pydantic import ValidationError
from scim2_models import Context, EnterpriseUser
from scim2_models import Group as RFCGroup
from scim2_models import User as RFCUser
from scim2_models.resources.user import Email as RFCEmail

from platforma.sso.scim.errors import InvalidValue

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_COMMON = ("schemas", "id", "externalId", "meta")
_MAX_VALUES = 50

Kind = Literal["User", "Group"]


class Email(RFCEmail):
    """An address, of whatever domain."""

    value: str | None = None


class User(RFCUser[EnterpriseUser]):
    """A User with the enterprise extension (RFC 7643 sections 4.1 and 4.3)."""

    emails: list[Email] | None = None  # type: ignore[assignment]  # looser than the model of the RFC


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute's definition (RFC 7643 section 7). *parts* are its sub-attributes, by name in lower case."""

    name: str
    type: str = "string"
    many: bool = False
    exact: bool = False
    required: bool = False
    read_only: bool = False
    parts: Mapping[str, "Attribute"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A resource type: *attributes* are the core's, *extensions* those of each extension, all by name in lower case."""

    name: Kind
    endpoint: str
    schema: str
    attributes: Mapping[str, Attribute]
    extensions: Mapping[str, Mapping[str, Attribute]] = field(default_factory=dict)

    def named(self, uri: str) -> Mapping[str, Attribute] | None:
        """The attributes of the schema with this URI, in whatever case."""
        if uri.lower() == self.schema.lower():
            return self.attributes
        return next((found for known, found in self.extensions.items() if known.lower() == uri.lower()), None)

    def uris(self) -> tuple[str, ...]:
        """Every schema's URI, the longest first."""
        return tuple(sorted((self.schema, *self.extensions), key=len, reverse=True))


@cache
def kind(name: Kind) -> ResourceKind:
    """The resource type of this name."""
    if name == "User":
        extension = {ENTERPRISE: _attributes(schema_documents()[ENTERPRISE]["attributes"])}
        return ResourceKind("User", "/Users", USER, _core(USER), extension)
    core = _core(GROUP)
    members = core["members"]  # of which nothing but the id is taken: what else is shown of them follows from it
    core["members"] = replace(members, parts={"value": replace(members.parts["value"], required=True)})
    return ResourceKind("Group", "/Groups", GROUP, core)


@cache
def schema_documents() -> Mapping[str, dict[str, Any]]:
    """The schemas as `/Schemas` shows them, by URI (RFC 7643 section 7)."""
    found: dict[str, dict[str, Any]] = {}
    for model in (User, EnterpriseUser, RFCGroup):
        document = model.to_schema().model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
        document["attributes"] = [each for each in document["attributes"] if each["name"] not in (*_COMMON, "password")]
        if document["id"] == GROUP:
            document["attributes"] = [_group_attribute(each) for each in document["attributes"]]
        found[document["id"]] = document
    return found


def validated(name: Kind, document: Mapping[str, Any]) -> None:
    """
    Hold a canonical document to its model.

    Raises:
        InvalidValue: a value is missing or of another kind than its attribute's.
    """
    model: Any = User if name == "User" else RFCGroup
    for attribute, value in document.items():
        if isinstance(value, list) and len(value) > _MAX_VALUES and attribute not in ("members", "schemas"):
            raise InvalidValue(f"{attribute} has more than {_MAX_VALUES} values.")
    try:
        model.model_validate(dict(document), scim_ctx=Context.DEFAULT)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise InvalidValue(f"{where}: {fault['msg']}") from None


def _group_attribute(attribute: dict[str, Any]) -> dict[str, Any]:
    """A group is known by its name, and only users are in it."""
    if attribute["name"] == "displayName":
        return {**attribute, "required": True, "uniqueness": "server"}
    if attribute["name"] != "members":
        return attribute
    parts = [
        {**part, "referenceTypes": ["User"]}
        if part["name"] == "$ref"
        else ({**part, "canonicalValues": ["User"]} if part["name"] == "type" else part)
        for part in attribute["subAttributes"]
        if part["name"] != "display"
    ]
    return {**attribute, "subAttributes": parts}


def _core(uri: str) -> dict[str, Attribute]:
    meta = [Attribute(each, "dateTime") for each in ("created", "lastModified")]
    meta += [Attribute(each, exact=True) for each in ("resourceType", "location", "version")]
    common = (
        Attribute("schemas", many=True, exact=True),
        Attribute("id", exact=True, read_only=True),
        Attribute("externalId", exact=True),
        Attribute("meta", "complex", read_only=True, parts={part.name.lower(): part for part in meta}),
    )
    return {**{each.name.lower(): each for each in common}, **_attributes(schema_documents()[uri]["attributes"])}


def _attributes(documents: Iterable[Mapping[str, Any]]) -> dict[str, Attribute]:
    return {
        document["name"].lower(): Attribute(
            name=document["name"],
            type=document["type"],
            many=document.get("multiValued", False),
            exact=document.get("caseExact", False) or document["type"] in ("reference", "binary"),
            required=document.get("required", False),
            read_only=document.get("mutability") == "readOnly",
            parts=_attributes(document.get("subAttributes") or ()),
        )
        for document in documents
    }
