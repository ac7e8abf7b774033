"""
That access was reviewed: who did, when, what they found, and what stood then.

A review is bound to the moment by the tenant's policy version and by how many principals there were, so that nobody can say
later that something else was looked at. Its id is its event's: the log proves it like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Attempt, Event

Outcome = Literal["confirmed", "changes_made", "changes_needed"]


class NotAsReviewed(Conflict):
    """Rights changed since what was reviewed was read."""

    code = "not_as_reviewed"
    public = "Rights have changed since the review was read: read it again."


@dataclass(frozen=True, slots=True)
class Review:
    """A completed access review. *policy_version* counts the changes of rights in the tenant up to it."""

    id: str
    tenant_id: str
    completed_at: datetime
    principal_type: str
    principal_id: str
    user_id: str | None
    outcome: Outcome
    note: str
    policy_version: int

    def as_json(self) -> dict[str, Any]:
        """As its readers see it."""
        by = {"type": self.principal_type, "id": self.principal_id}
        return {
            "id": self.id,
            "completed_at": rfc3339(self.completed_at),
            "completed_by": by,
            "outcome": self.outcome,
            "note": self.note,
            "policy_version": self.policy_version,
        }


class Reviews(Protocol):
    """Completed reviews, kept for good. Every method may raise `Unavailable`; reads are consistent."""

    def add(self, review: Review, event: Event) -> None:
        """Keep it, with its event or not at all."""

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[Sequence[Review], str | None]:
        """The tenant's, newest first."""


def complete_review(
    tenant_id: str,
    *,
    outcome: Outcome,
    note: str,
    policy_version: int | None,
    current: int,
    reviews: Reviews,
    attempt: Attempt,
) -> Review:
    """
    Record that access was reviewed, now and by whoever calls.

    *policy_version* is what the review was read at, *current* the one that stands.

    Raises:
        NotAsReviewed: rights changed in between.
    """
    if policy_version not in (None, current):
        raise NotAsReviewed
    review = Review(
        id=attempt.id,
        tenant_id=tenant_id,
        completed_at=attempt.clock(),
        principal_type=attempt.principal_type,
        principal_id=attempt.principal_id or "",
        user_id=attempt.user_id,
        outcome=outcome,
        note=note,
        policy_version=current,
    )
    told = {"before": None, "after": {"outcome": outcome, "policy_version": current}}
    reviews.add(review, attempt.event("success", resource=review.id, resource_type="access_review", changes=told))
    return review


def newest_review(tenant_id: str, *, reviews: Reviews) -> Review | None:
    """The last one that was completed, if there ever was one."""
    found, _ = reviews.page(tenant_id, limit=1, after=None)
    return found[0] if found else None


def list_reviews(tenant_id: str, *, limit: int, after: str | None, reviews: Reviews) -> tuple[Sequence[Review], str | None]:
    """Completed reviews, newest first."""
    return reviews.page(tenant_id, limit=limit, after=after)
