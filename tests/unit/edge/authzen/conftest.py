"""The scenario, set up once for each file."""

from collections.abc import Iterator

import pytest

from tests.unit.edge.authzen.scenario import Fixture
from tests.world import Tenant, World, running


@pytest.fixture(scope="module")
def fixture() -> Iterator[Fixture]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as world:
        yield Fixture(world.tenant())


@pytest.fixture(scope="module")
def other(fixture: Fixture) -> Tenant:
    """Another tenant of the same world."""
    return fixture.world.tenant("other", "admin@other.test")


@pytest.fixture
def world_of_little(fixture: Fixture) -> tuple[World, str, str]:
    client = fixture.tenant.client_with(("developer",), ("orders:read",))
    return fixture.world, fixture.world.token(client), client["client_id"]
