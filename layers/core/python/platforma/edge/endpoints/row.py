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

*wire* says how its errors are told: RFC 9457 problem details, RFC 6749 section 5.2, RFC 6750 section 3, a page, RFC 7644
section 3.12, or AuthZEN. *consumes* is what its body is: JSON held to *body*, a form, bytes, or a JSON document whose
standard says to ignore what is not known, of at most *max_body* bytes. *produces* is the media type of a good answer,
*also* the further statuses that one may have, and *refuses* those of refusals that nothing else here tells. `{key+}` in a
path takes slashes too. Where a JSON body *may_be_empty*, none stands for `{}`.
*token_in_body* says that a form may carry the token (RFC 6750 section 2.2).
*or_else* are the media types that `Accept` may ask for in place of *produces*.
*readable_by* says whose pages may read the answer in a browser (`edge.cross_origin`).
"""

from dataclasses import dataclass
from typing import Any, Literal

from platforma.policy.actions import permission_of

Access = Literal["public", "client", "self", "own", "permission"]
Wire = Literal["problem", "oauth", "bearer", "page", "authzen", "scim"]
Consumes = Literal["json", "form", "bytes", "document"]
ReadableBy = Literal["its own site", "any site", "the client's sites"]


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
    wire: Wire = "problem"
    consumes: Consumes = "json"
    produces: str = "application/json"
    or_else: tuple[str, ...] = ()
    max_body: int = 1 << 20
    token_in_body: bool = False
    also: tuple[int, ...] = ()
    refuses: tuple[int, ...] = ()
    may_be_empty: bool = False
    readable_by: ReadableBy = "its own site"

    @property
    def permission(self) -> str | None:
        """`domain:read` or `domain:manage`; None where no permission is looked at (policy.md, Words)."""
        if self.access not in ("own", "permission"):
            return None
        return permission_of(self.operation)

    @property
    def creates(self) -> bool:
        """Whether it makes something, now or in the background: done once for each `Idempotency-Key`."""
        return self.method == "POST" and self.status in (201, 202) and self.access not in ("public", "client")

    @property
    def reads(self) -> bool:
        """
        Whether HEAD may ask about it too (RFC 9110 section 9.3.2): a GET, but none that leads a browser on, since by those
        people are signed in and out.
        """
        return self.method == "GET" and self.status // 100 != 3

    @property
    def public(self) -> bool:
        """Whether it is answered without any credential."""
        return self.access == "public"

    @property
    def changes(self) -> bool:
        """Whether it may change state."""
        return self.method not in ("GET", "HEAD") and permission_of(self.operation).endswith(":manage")


def row(method: str, path: str, operation: str, function: str, access: Access, summary: str, **more: Any) -> Endpoint:
    """A row of the table, its first six columns by place."""
    return Endpoint(method, path, operation, function, access, summary, **more)
