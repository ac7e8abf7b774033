"""Completed access reviews, in memory."""

from collections.abc import Sequence

from platforma.compliance.reviews import Review
from platforma.kernel.events import Event, entered


class MemoryReviews:
    """`Reviews`."""

    def __init__(self) -> None:
        self._kept: list[Review] = []

    def add(self, review: Review, event: Event) -> None:
        """Keep it."""
        self._kept.append(review)
        entered((event,))

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[Sequence[Review], str | None]:
        """Newest first."""
        mine = sorted((one for one in self._kept if one.tenant_id == tenant_id), key=lambda one: one.id, reverse=True)
        rest = [one for one in mine if after is None or one.id < after]
        return rest[:limit], rest[limit - 1].id if len(rest) > limit else None
