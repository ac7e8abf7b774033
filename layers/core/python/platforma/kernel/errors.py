"""
The one tree of errors that all areas use.

An error states what is wrong. How a caller is told (status, wire form) is decided in `platforma.edge.problems` alone.
Areas subclass and set `code`, a stable string that callers may test for, and `public`, a text that is safe to show anyone.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class PlatformaError(Exception):
    """
    Base of everything this system raises on purpose.

    *detail* is shown to the caller (it must hold no secret and no fact of another tenant); *facts* go to our own log only.
    """

    code: ClassVar[str] = "error"
    public: ClassVar[str] = "The request could not be completed."

    def __init__(self, detail: str | None = None, **facts: Any) -> None:
        self.detail = detail or self.public
        self.facts: Mapping[str, Any] = facts
        super().__init__(self.detail)


class Denied(PlatformaError):
    """The caller may not. Always audited."""

    code = "denied"
    public = "Access denied."


class Unauthenticated(Denied):
    """No credential, or an invalid one; the caller is not told which, or why."""

    code = "unauthenticated"
    public = "A valid credential is required."


class Forbidden(Denied):
    """A known caller who lacks the permission."""

    code = "forbidden"
    public = "You are not allowed to do this."


class Invalid(PlatformaError):
    """The request is wrong. *errors* names each place by JSON pointer (RFC 6901)."""

    code = "invalid"
    public = "The request is not valid."

    def __init__(
        self, detail: str | None = None, *, errors: tuple["FieldError", ...] | list["FieldError"] = (), **facts: Any
    ) -> None:
        super().__init__(detail, **facts)
        self.errors = tuple(errors)


class FieldError(dict[str, str]):
    """One fault in a document: `{"pointer": "/a/0", "detail": "..."}`."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(pointer=pointer, detail=detail)


class Malformed(Invalid):
    """It cannot be read at all: bad JSON, bad encoding, contradictory headers."""

    code = "malformed"
    public = "The request could not be read."


class Unprocessable(Invalid):
    """Well formed, and yet not valid."""

    code = "unprocessable"


class TooLarge(Invalid):
    """More than this endpoint takes."""

    code = "too_large"
    public = "The request is too large."


class UnsupportedMediaType(Invalid):
    """A body of a type that this endpoint does not read."""

    code = "unsupported_media_type"
    public = "The content type is not supported here."


class RangeNotSatisfiable(Invalid):
    """No byte of the range is in the object (RFC 9110 section 15.5.17); *size* is how many there are."""

    code = "range_not_satisfiable"
    public = "The range lies outside the object."

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class NotFound(Invalid):
    """It does not exist for this caller; nor does anything of another tenant."""

    code = "not_found"
    public = "Not found."


class Conflict(Invalid):
    """The state of things forbids it."""

    code = "conflict"
    public = "The current state does not allow this."


class AlreadyUsed(Conflict):
    """Something that may be used once was used already."""

    code = "already_used"
    public = "This was already used."


class PreconditionFailed(Invalid):
    """`If-Match` names another version than the current one (RFC 9110 section 13.1.1)."""

    code = "precondition_failed"
    public = "The object has changed since it was read."


class PreconditionRequired(Invalid):
    """A change without `If-Match` (RFC 6585 section 3)."""

    code = "precondition_required"
    public = "This change needs an If-Match header."


class NotAllowed(Invalid):
    """A method that what is asked for does not have; *allow* lists those that it has."""

    code = "method_not_allowed"
    public = "This does not take that method."

    def __init__(self, allow: str) -> None:
        super().__init__()
        self.allow = allow


class NotSupported(Invalid):
    """A part of a standard that is optional and not offered here."""

    code = "not_supported"
    public = "This is not supported."


class RateLimited(PlatformaError):
    """Too much, too soon. *retry_after* is in seconds."""

    code = "rate_limited"
    public = "Too many requests."

    def __init__(self, detail: str | None = None, *, retry_after: int = 1, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.retry_after = retry_after


class Unavailable(PlatformaError):
    """A dependency failed, and nothing was done. *retry_after* is in seconds."""

    code = "unavailable"
    public = "The service is temporarily unavailable."

    def __init__(self, detail: str | None = None, *, retry_after: int = 2, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.retry_after = retry_after


class Broken(PlatformaError):
    """Our own invariant does not hold: a tampered chain, a ciphertext that does not open. Raises an alarm."""

    code = "internal"
    public = "An internal error occurred."
