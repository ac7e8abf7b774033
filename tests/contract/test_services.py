"""One suite over where services are kept: in memory, and in DynamoDB (moto)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest

from platforma.adapters.dynamodb.services import DynamoDBServices, ServiceItem
from platforma.adapters.dynamodb.tables import Tables
from platforma.adapters.memory.services import MemoryServices
from platforma.identity import Service, Services, change_service, delete_service, read_service, register_service
from platforma.kernel.clock import system_clock
from platforma.kernel.errors import Conflict, NotFound, PlatformaError, PreconditionFailed, Unavailable, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from tests.contract.on_moto import KeptEvents, tables_on_moto

ROLES = frozenset({"viewer", "operator"})


@dataclass
class Place:
    """An implementation, and the ids of the events that were committed with its writes."""

    services: Services
    events: Callable[[], list[str]]


@pytest.fixture(scope="module")
def tables() -> Iterator[Tables]:
    with tables_on_moto("credential") as tables:
        yield tables


@pytest.fixture(params=["memory", "dynamodb"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        events: list[str] = []
        return Place(MemoryServices(lambda event: events.append(event.id)), lambda: events)
    tables = request.getfixturevalue("tables")
    outbox = KeptEvents(tables, "credential")
    others = outbox.ids()
    return Place(DynamoDBServices(tables, outbox), lambda: list(outbox.ids() - others))


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


def names(place: Place, tenant_id: str, limit: int = 50) -> list[list[str]]:
    """The names on each page of the tenant's services."""
    pages, after = [], None
    while True:
        page = place.services.page(tenant_id, limit=limit, after=after)
        pages.append([service.name for service in page.items])
        if (after := page.after) is None:
            return pages


def test_services_are_listed_by_name_to_their_tenant_alone(place: Place, name: str):
    tenant_id, other = new_id("ten"), new_id("ten")
    for ending in "cab":
        register(place, f"{name}{ending}", tenant_id)
    register(place, f"{name}d", other)

    assert [each for page in names(place, tenant_id, limit=2) for each in page] == [f"{name}{ending}" for ending in "abc"]
    assert all(len(page) <= 2 for page in names(place, tenant_id, limit=2))
    assert names(place, other) == [[f"{name}d"]]


def test_a_deleted_service_is_gone_from_its_list_and_its_name_is_free(place: Place, name: str):
    tenant_id, other = new_id("ten"), new_id("ten")
    register(place, name, tenant_id)

    delete_service(tenant_id, name, if_match=1, services=place.services, attempt=an_attempt())

    assert (place.services.get(name), names(place, tenant_id)) == (None, [[]])
    assert len(place.events()) == 2
    assert register(place, name, other).tenant_id == other


def test_one_that_changed_meanwhile_is_not_deleted(place: Place, name: str):
    before = register(place, name)
    register(place, name, roles=("operator",))

    with pytest.raises(PreconditionFailed):
        place.services.remove(before, an_attempt().event("success"))
    assert place.services.get(name).version == 2


def test_of_twenty_who_suspend_one_version_one_does(place: Place, name: str):
    register(place, name)
    barrier = Barrier(20)

    def race(_: int) -> bool:
        barrier.wait()
        try:
            change(place, name, {"status": "suspended"}, if_match=1)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(race, range(20))) == 1
    assert place.services.get(name).status == "suspended"


def test_another_tenants_service_is_as_if_it_did_not_exist(place: Place, name: str):
    register(place, name)
    rest = {"services": place.services, "attempt": an_attempt()}

    with pytest.raises(NotFound):
        read_service("ten_2", name, services=place.services)
    with pytest.raises(NotFound):
        change(place, name, {"status": "suspended"}, tenant_id="ten_2")
    with pytest.raises(NotFound):
        delete_service("ten_2", name, if_match=None, **rest)
    assert place.services.get(name).status == "active"


@pytest.mark.parametrize("changes", [{"status": "gone"}, {"name": "x"}, {"roles": ["king"]}, {"tenant_id": "ten_2"}])
def test_a_change_that_is_not_valid_changes_nothing(place: Place, name: str, changes: dict[str, Any]):
    before = register(place, name)

    with pytest.raises(Unprocessable):
        change(place, name, changes)
    assert place.services.get(name) == before


def an_attempt() -> Attempt:
    return Attempt("req", "settings.services.update", system_clock)


def change(
    place: Place, name: str, changes: dict[str, Any], tenant_id: str = "ten_1", if_match: int | None = None
) -> Service:
    return change_service(
        tenant_id,
        name,
        changes,
        if_match=if_match,
        known_roles=ROLES,
        services=place.services,
        attempt=an_attempt(),
        may=lambda *_: None,
    )


def test_a_table_that_is_gone_is_unavailable(tables: Tables, monkeypatch: pytest.MonkeyPatch):
    services = DynamoDBServices(tables, KeptEvents(tables, "credential"))
    monkeypatch.setattr(ServiceItem.Meta, "table_name", "nowhere")
    monkeypatch.setattr(ServiceItem, "_connection", None)

    with pytest.raises(Unavailable):
        services.get("any")
