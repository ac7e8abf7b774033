"""Directories of one tenant and of another, in a world that a module's tests share."""

from collections.abc import Iterator

import pytest

from tests.directories import Directory, connect
from tests.world import Tenant, World, running


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def okta(world: World, tenant: Tenant) -> Directory:
    return connect(world, tenant)


@pytest.fixture(scope="module")
def entra(world: World, tenant: Tenant) -> Directory:
    """A second directory of the same tenant."""
    return connect(world, tenant, "entra.test")


@pytest.fixture(scope="module")
def other(world: World) -> Directory:
    """Another tenant's directory."""
    return connect(world, world.tenant("other", "admin@other.test"), "other.test")
