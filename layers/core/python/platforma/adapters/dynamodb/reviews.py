"""Completed access reviews, in the Audit table: `{tenant}#REVIEWS` / id. The note is sealed under the tenant's key."""

from collections.abc import Sequence
from typing import cast

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.compliance.reviews import Outcome, Review
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Conflict
from platforma.kernel.events import Event
from platforma.keys.envelope import Envelope

_PURPOSE = "reviews"


class ReviewItem(Item):
    """A completed review."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    completed_at = UnicodeAttribute()
    principal_type = UnicodeAttribute()
    principal_id = UnicodeAttribute()
    user_id = UnicodeAttribute(null=True)
    outcome = UnicodeAttribute()
    note = BinaryAttribute(legacy_encoding=False)
    policy_version = NumberAttribute()


class DynamoDBReviews:
    """`Reviews`."""

    def __init__(self, tables: Tables, outbox: Outbox, envelope: Envelope) -> None:
        self._tables, self._outbox, self._envelope = tables, outbox, envelope

    def add(self, review: Review, event: Event) -> None:
        """Review and event in one transaction."""
        transaction = Transaction(self._tables, self._outbox)
        item = ReviewItem(
            _pk(review.tenant_id),
            review.id,
            completed_at=rfc3339(review.completed_at),
            principal_type=review.principal_type,
            principal_id=review.principal_id,
            user_id=review.user_id,
            outcome=review.outcome,
            note=self._envelope.seal(review.tenant_id, _PURPOSE, review.id, review.note.encode()),
            policy_version=review.policy_version,
        )
        transaction.put(item, ReviewItem.pk.does_not_exist(), refused=Conflict("The review's id is taken."))
        transaction.commit(event)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[Sequence[Review], str | None]:
        """Newest first: ids sort by time."""
        older = ReviewItem.sk < after if after else None
        with answering():
            query = ReviewItem.query(_pk(tenant_id), older, consistent_read=True, scan_index_forward=False, limit=limit + 1)
            items = list(query)
        shown = items[:limit]
        notes = self._envelope.open_all(tenant_id, _PURPOSE, [(item.sk, item.note) for item in shown])
        found = [_review(tenant_id, item, note.decode()) for item, note in zip(shown, notes, strict=True)]
        return found, shown[-1].sk if len(items) > limit else None


def _pk(tenant_id: str) -> str:
    return f"{tenant_id}#REVIEWS"


def _review(tenant_id: str, item: ReviewItem, note: str) -> Review:
    return Review(
        id=item.sk,
        tenant_id=tenant_id,
        completed_at=parse_rfc3339(item.completed_at),
        principal_type=item.principal_type,
        principal_id=item.principal_id,
        user_id=item.user_id,
        outcome=cast("Outcome", item.outcome),
        note=note,
        policy_version=int(item.policy_version),
    )
