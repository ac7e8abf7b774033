"""What a directory's request is refused for, by RFC 7644 section 3.12: each class is one `scimType`."""

from typing import ClassVar

from platforma.kernel.errors import Conflict, Malformed


class SCIMRefused(Malformed):
    """A request that is at fault; *scim_type* is the RFC's word for how."""

    code = "scim_refused"
    scim_type: ClassVar[str] = "invalidSyntax"


class InvalidSyntax(SCIMRefused):
    """The body is not of the shape that the request has."""

    code = "scim_invalid_syntax"
    public = "The body is not of the shape that this request has."


class InvalidFilter(SCIMRefused):
    """No filter of section 3.4.2.2, or one of what no resource has."""

    code = "scim_invalid_filter"
    public = "This is no filter."
    scim_type = "invalidFilter"


class TooMany(SCIMRefused):
    """More resources would have to be looked at than a request may."""

    code = "scim_too_many"
    public = "Too many resources would have to be looked at."
    scim_type = "tooMany"


class InvalidCursor(SCIMRefused):
    """No cursor of this list and query (RFC 9865 section 2.1)."""

    code = "scim_invalid_cursor"
    public = "This cursor is none of this query's."
    scim_type = "invalidCursor"


class InvalidPath(SCIMRefused):
    """The path of a PATCH operation names nothing that a resource has."""

    code = "scim_invalid_path"
    public = "This path names no attribute."
    scim_type = "invalidPath"


class NoTarget(SCIMRefused):
    """The path of a PATCH operation finds nothing in this resource."""

    code = "scim_no_target"
    public = "The path finds nothing to change."
    scim_type = "noTarget"


class InvalidValue(SCIMRefused):
    """A value is missing, or of another kind than its attribute's."""

    code = "scim_invalid_value"
    public = "A value is missing or not valid."
    scim_type = "invalidValue"


class NotMutable(SCIMRefused):
    """What is read-only was to be changed, or what is required to be taken away."""

    code = "scim_mutability"
    public = "This cannot be changed."
    scim_type = "mutability"


class NotUnique(Conflict):
    """Another resource has the value."""

    code = "scim_uniqueness"
    public = "The value is taken."
    scim_type: ClassVar[str] = "uniqueness"
