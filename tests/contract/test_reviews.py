"""One suite over where completed access reviews are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.dynamodb.audit import Outbox
from platforma.adapters.dynamodb.reviews import DynamoDBReviews
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.adapters.memory.reviews import MemoryReviews
from platforma.compliance.reviews import Review, Reviews, newest_review
from platforma.kernel.clock import system_clock
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from tests.contract.on_moto import tables_on_moto

TENANT, OTHER = new_id("ten"), new_id("ten")
FIRST = Review(
    id=new_id("evt"),
    tenant_id=TENANT,
    completed_at=datetime(2026, 11, 28, 12, tzinfo=UTC),
    principal_type="user",
    principal_id="usr_x",
    user_id="usr_x",
    outcome="confirmed",
    note="Looked at with Bo.",
    policy_version=7,
)


@pytest.fixture(params=["memory", "dynamodb"])
def reviews(request: pytest.FixtureRequest) -> Iterator[Reviews]:
    if request.param == "memory":
        yield MemoryReviews()
        return
    with tables_on_moto("audit") as tables:
        envelope = Envelope(MemoryDataKeys(TENANT, OTHER))
        yield DynamoDBReviews(tables, Outbox(tables, envelope), envelope)


def an_event(tenant_id: str = TENANT) -> Event:
    return Attempt("r", "audit.access_reviews.complete", system_clock, tenant_id=tenant_id, principal_type="user").event(
        "success"
    )


def test_a_review_is_kept_as_it_is_with_its_event(reviews: Reviews):
    event = an_event()

    reviews.add(FIRST, event)

    assert event.attempt is not None
    assert event.attempt.entered
    assert reviews.page(TENANT, limit=10, after=None) == ([FIRST], None)


def test_the_newest_comes_first_and_pages_follow_each_other(reviews: Reviews):
    later = replace(FIRST, id="evt_7zzzzzzzzze008000000000000", completed_at=FIRST.completed_at + timedelta(days=1), note="")
    for one in (FIRST, later):
        reviews.add(one, an_event())

    page, after = reviews.page(TENANT, limit=1, after=None)

    assert (list(page), newest_review(TENANT, reviews=reviews)) == ([later], later)
    assert reviews.page(TENANT, limit=1, after=after) == ([FIRST], None)


def test_another_tenants_reviews_are_not_seen(reviews: Reviews):
    reviews.add(FIRST, an_event())

    assert reviews.page(OTHER, limit=10, after=None) == ([], None)
    assert newest_review(OTHER, reviews=reviews) is None
