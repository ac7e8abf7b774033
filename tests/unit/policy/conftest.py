"""What the tests of the use cases share."""

import pytest

from platforma.policy.model import Versions
from platforma.policy.snapshots import Snapshots
from tests.unit.policy.office import Counted, Office
from tests.unit.policy.worlds import TENANT


@pytest.fixture
def office():
    return Office()


@pytest.fixture
def warm(office):
    office.store = office.ports["store"] = Counted()
    office.store.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
    office.snapshots = Snapshots(office.store, lambda: office.now)
    return office
