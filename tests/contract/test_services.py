"""One suite over where services are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import boto3
import pytest
from moto import mock_aws
from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.services import DynamoDBServices, ServiceItem
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.memory.services import MemoryServices
from platforma.identity import Service, Services, register_service
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Conflict, PlatformaError, PreconditionFailed, Unavailable, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from tests.contract.isolated_moto import isolate

ROLES = frozenset({"viewer", "operator"})


class EnteredItem(Item):
    table = "credential"

    class Meta:
        table_name = "unbound"

    action = UnicodeAttribute()


class KeptEvents:
    """An outbox that keeps each event under its id, once."""

    def items(self, event):
        item = EnteredItem("events", event.id, action=event.action)
        return [(item, EnteredItem.pk.does_not_exist(), Conflict("twice"))]


@dataclass
class Place:
    """An implementation, and the ids of the events that were committed with its writes."""

    services: Services
    events: Callable[[], list[str]]


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        isolate(monkeypatch)
        boto3.client("dynamodb").create_table(
            TableName="credential",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        )
        yield Tables({"credential": "credential"}, "eu-central-1").bind()


@pytest.fixture(params=["memory", "dynamodb"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        events: list[str] = []
        return Place(MemoryServices(lambda event: events.append(event.id)), lambda: events)
    tables = request.getfixturevalue("tables")
    others = {item.sk for item in EnteredItem.query("events")}
    return Place(
        DynamoDBServices(tables, KeptEvents()),
        lambda: [item.sk for item in EnteredItem.query("events") if item.sk not in others],
    )


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return new_id("api")[-20:]


def register(place: Place, name: str, tenant_id: str = "ten_1", roles: tuple[str, ...] = ("viewer",)) -> Service:
    attempt = Attempt("req", "platform.setup.run", system_clock)
    return register_service(
        name, roles, tenant_id=tenant_id, known_roles=ROLES, services=place.services, attempt=attempt
    )  # fmt: skip


def test_what_is_registered_is_found_with_one_event(place: Place, name: str):
    made = register(place, name)

    assert place.services.get(name) == made == Service(name, "ten_1", ("viewer",))
    assert len(place.events()) == 1


def test_none_is_found_under_another_name(place: Place, name: str):
    assert place.services.get(name) is None


def test_registering_it_again_enters_nothing(place: Place, name: str):
    assert register(place, name) == register(place, name)

    assert len(place.events()) == 1


def test_other_roles_make_another_version(place: Place, name: str):
    register(place, name)

    assert register(place, name, roles=("operator", "viewer")).version == 2
    assert place.services.get(name).roles == ("operator", "viewer")
    assert len(place.events()) == 2


def test_another_tenant_does_not_get_the_name(place: Place, name: str):
    register(place, name)

    with pytest.raises(Conflict):
        register(place, name, "ten_2")
    assert place.services.get(name).tenant_id == "ten_1"


@pytest.mark.parametrize("bad", ["", "-a", "a-", "A", "a/b", "a" * 64, "ä", "a\n"])
def test_a_name_that_no_uri_can_have_is_refused(place: Place, bad: str):
    with pytest.raises(Unprocessable):
        register(place, bad)
    assert place.events() == []


def test_a_role_that_does_not_exist_is_refused(place: Place, name: str):
    with pytest.raises(Unprocessable) as refused:
        register(place, name, roles=("viewer", "king"))
    assert refused.value.errors[0]["pointer"] == "/service/roles/1"


def test_a_stale_change_is_refused_and_enters_nothing(place: Place, name: str):
    before = register(place, name)
    register(place, name, roles=("operator",))
    event = Attempt("req", "platform.setup.run", system_clock).event("success")

    with pytest.raises(PreconditionFailed):
        place.services.replace(before, before, event)
    assert event.id not in place.events()


def test_of_twenty_racers_for_a_name_one_wins(place: Place, name: str):
    barrier = Barrier(20)

    def race(number: int) -> bool:
        service = Service(name, f"ten_{number}", ())
        barrier.wait()
        try:
            place.services.add(service, Attempt("req", "platform.setup.run", system_clock).event("success"))
        except PlatformaError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(race, range(20)))

    assert won.count(True) == len(place.events()) == 1
    assert place.services.get(name).tenant_id == f"ten_{won.index(True)}"


def test_a_table_that_is_gone_is_unavailable(tables: Tables, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ServiceItem.Meta, "table_name", "nowhere")
    monkeypatch.setattr(ServiceItem, "_connection", None)

    with pytest.raises(Unavailable):
        DynamoDBServices(tables, KeptEvents()).get("any")
