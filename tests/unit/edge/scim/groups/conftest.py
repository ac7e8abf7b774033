"""A directory whose groups give roles, and people in it."""

from collections.abc import Iterator

import pytest

from platforma.sso.scim import groups, memberships
from tests.directories import Directory, connect
from tests.unit.edge.scim.groups.grouping import MAPPINGS
from tests.world import Tenant, World


@pytest.fixture(scope="module")
def okta(world: World, tenant: Tenant) -> Directory:
    return connect(world, tenant, group_mappings=MAPPINGS, provisioning={"default_roles": ["viewer"]})


@pytest.fixture(scope="module")
def people(okta: Directory) -> list[str]:
    return [okta.user(f"person{number}@acme.test")["id"] for number in range(8)]


@pytest.fixture
def small_pages() -> Iterator[None]:
    """Three users a transaction."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (memberships, groups):
            patch.setattr(module, "MAX_MOVED", 3)
        yield
