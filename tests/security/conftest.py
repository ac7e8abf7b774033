from collections.abc import Iterator

import pytest

from tests.world import Tenant, World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    """One for all tests of a module: what they make has names of its own."""
    return world.tenant()


@pytest.fixture(scope="module")
def other(world: World) -> Tenant:
    return world.tenant("other", "admin@other.test")
