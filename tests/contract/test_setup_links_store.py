"""What the store of setup links promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from platforma.adapters.dynamodb.sso import DynamoConnections, DynamoSetupLinks
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.sso.changes import connection_event
from platforma.sso.errors import SetupLinkOver
from platforma.sso.model import Connection
from platforma.sso.setup_links import MAX_SHOWN, SetupLink, status_of
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACME = new_id("ten")


@dataclass
class Stores:
    links: DynamoSetupLinks
    connection: Connection


def attempt() -> Attempt:
    return Attempt("request", "sso.setups.open", lambda: NOW, tenant_id=ACME, principal_type="setup_link")


def event():
    return attempt().event("success")


def link(connection: Connection, second: int = 0, **fields) -> SetupLink:
    usual = {"digest": "d", "made_by": ("user", "usr_1"), "created_at": NOW, "expires_at": NOW + timedelta(days=3)}
    made = {
        "id": new_id("sso", NOW + timedelta(seconds=second)).removeprefix("sso_"),
        "tenant_id": ACME,
        "connection_id": connection.id,
    }
    return SetupLink(**{**made, **usual, **fields})


@pytest.fixture
def stores() -> Iterator[Stores]:
    with tables_on_moto("credential", "policy") as tables:
        connection = Connection(new_id("sso"), ACME, "Okta", "saml", (), NOW)
        outbox = KeptEvents(tables, "credential")
        connections = DynamoConnections(tables, outbox)
        connections.add(connection, connection_event(attempt(), None, connection))
        yield Stores(DynamoSetupLinks(tables, outbox), connection)


def test_what_is_kept_is_read_as_it_was_and_the_newest_is_the_first(stores):
    first, second = link(stores.connection), link(stores.connection, 1, opened_at=NOW, ended="finished", ended_at=NOW)

    for each in (first, second):
        stores.links.add(each, event())

    assert stores.links.of_connection(stores.connection.id) == [second, first]
    assert status_of(first, [second, first], NOW) == "replaced"


def test_no_more_than_fifty_are_read(stores):
    made = [link(stores.connection) for _ in range(MAX_SHOWN + 2)]
    for each in made:
        stores.links.add(each, event())

    found = stores.links.of_connection(stores.connection.id)

    assert [each.id for each in found] == sorted((each.id for each in made), reverse=True)[:MAX_SHOWN]


def test_a_link_of_a_connection_that_is_gone_is_not_kept(stores):
    elsewhere = replace(stores.connection, id=new_id("sso"))

    with pytest.raises(NotFound):
        stores.links.add(link(elsewhere), event())
    assert stores.links.of_connection(elsewhere.id) == []


def test_of_twenty_who_end_and_open_a_link_one_ends_it_and_nobody_opens_it_afterwards(stores):
    kept = link(stores.connection)
    stores.links.add(kept, event())
    ended = replace(kept, ended="revoked", ended_at=NOW)

    def race(number: int) -> str:
        after = ended if number % 2 else replace(kept, opened_at=NOW)
        try:
            stores.links.replace(after, event())
        except SetupLinkOver:
            return "over"
        return "ended" if number % 2 else "opened"

    with ThreadPoolExecutor(20) as pool:
        came = list(pool.map(race, range(20)))

    assert came.count("ended") == 1
    assert stores.links.of_connection(stores.connection.id)[0].ended == "revoked"
    with pytest.raises(SetupLinkOver):
        stores.links.replace(replace(kept, opened_at=NOW), event())


def test_a_link_that_is_gone_is_not_brought_back_by_being_opened(stores):
    with pytest.raises(SetupLinkOver):
        stores.links.replace(link(stores.connection), event())
