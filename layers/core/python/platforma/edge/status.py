"""The only table from an error's class to its status."""

from platforma.kernel import errors
from platforma.oauth.errors import InsufficientUserAuthentication

STATUS: dict[type[errors.PlatformaError], tuple[int, str]] = {
    errors.Unauthenticated: (401, "Unauthenticated"),
    InsufficientUserAuthentication: (401, "Stronger authentication needed"),
    errors.Forbidden: (403, "Forbidden"),
    errors.Denied: (403, "Forbidden"),
    errors.Malformed: (400, "Malformed request"),
    errors.NotFound: (404, "Not found"),
    errors.Conflict: (409, "Conflict"),
    errors.PreconditionFailed: (412, "Precondition failed"),
    errors.TooLarge: (413, "Content too large"),
    errors.UnsupportedMediaType: (415, "Unsupported media type"),
    errors.RangeNotSatisfiable: (416, "Range not satisfiable"),
    errors.NotAllowed: (405, "Method not allowed"),
    errors.NotSupported: (501, "Not implemented"),
    errors.Unprocessable: (422, "Unprocessable content"),
    errors.Invalid: (422, "Unprocessable content"),
    errors.PreconditionRequired: (428, "Precondition required"),
    errors.RateLimited: (429, "Too many requests"),
    errors.Unavailable: (503, "Service unavailable"),
    errors.Broken: (500, "Internal error"),
    errors.PlatformaError: (500, "Internal error"),
}


def status_of(error: errors.PlatformaError) -> tuple[int, str]:
    """Status and title of *error*: those of the nearest class in the table."""
    for cls in type(error).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return 500, "Internal error"
