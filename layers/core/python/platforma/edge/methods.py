"""
What a path answers to each method: a row of the table, a HEAD as its GET would, anything else a 405 with `Allow`.

The gateway sends a method that no row names to the function that `keeper` names.
"""

from platforma.edge.endpoints import BY_PATH, BY_ROUTE, Endpoint
from platforma.kernel.errors import NotAllowed, NotFound, PlatformaError

REFUSED = "gateway.requests.refused"
"""What an event calls a request that no row answers."""
_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def row_for(method: str, path: str) -> Endpoint | None:
    """The row that answers *method* at *path* (a template of the table). A HEAD without its own row gets that of GET."""
    row = BY_ROUTE.get((method, path))
    if row is None and method == "HEAD":
        read = BY_ROUTE.get(("GET", path))
        return read if read is not None and read.reads else None
    return row


def keeper(path: str) -> Endpoint:
    """The row whose function and error form answer methods of *path* that have no row: GET's, if there is one."""
    return BY_ROUTE.get(("GET", path)) or BY_PATH[path][0]


def taken(path: str) -> tuple[str, ...]:
    """The methods that *path* takes; none if all its rows answer 404."""
    rows = {method: row for method in _ORDER if (row := row_for(method, path)) is not None}
    return () if all(row.status == 404 for row in rows.values()) else tuple(rows)


def refusal(path: str) -> PlatformaError:
    """The error for a method that *path* does not take (RFC 9110 section 15.5.6)."""
    allowed = taken(path)
    return NotAllowed(", ".join(allowed)) if allowed else NotFound("There is no such endpoint.")
