"""
What a row of the table says.

*access* says who may call:
  public      anyone; a public document, recorded from the access log only
  client      an OAuth client that authenticates to this very endpoint (RFC 6749 section 2.3)
  self        any authenticated caller; what it shows or does concerns the caller
  own         any authenticated caller for what is theirs, those with the permission for all of the tenant's
  permission  those whom the decision engine grants the operation
*may_wait* says that the answer may be a 202 with `Retry-After`, *secret* that it shows a secret once. *body* and *answer*
name models in `platforma.edge.schemas` as `module.Model`. *resource* is the type of what `{id}` names.
"""

from dataclasses import dataclass
from typing import Literal

Access = Literal["public", "client", "self", "own", "permission"]
_READING = frozenset(["get", "list", "read", "search", "describe", "head", "export", "download", "verify"])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row: what is asked for, who answers, and what a caller must hold."""

    method: str
    path: str
    operation: str
    function: str
    access: Access
    summary: str
    resource: str | None = None
    body: str | None = None
    answer: str | None = None
    status: int = 200
    query: str | None = None
    if_match: bool = False
    may_wait: bool = False
    secret: bool = False

    @property
    def permission(self) -> str | None:
        """`domain:read` or `domain:manage`; None where no permission is looked at (policy.md, Words)."""
        if self.access not in ("own", "permission"):
            return None
        domain, _, verb = self.operation.split(".")
        return f"{domain}:{'read' if verb in _READING else 'manage'}"

    @property
    def public(self) -> bool:
        """Whether it is answered without any credential."""
        return self.access == "public"

    @property
    def changes(self) -> bool:
        """Whether it may change state."""
        return self.method not in ("GET", "HEAD") and self.operation.rsplit(".", 1)[1] not in _READING


def row(method: str, path: str, operation: str, function: str, access: Access, summary: str, **more: object) -> Endpoint:
    """A row of the table, its first six columns by place."""
    return Endpoint(method, path, operation, function, access, summary, **more)  # type: ignore[arg-type]
