"""What all tests share: one stack for integration and browser tests; AWS's models, read once; no property too slow."""

from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
botocore.session.create_loader = cache(botocore.session.create_loader)  # each client would parse its service's model anew


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The deployed system (`tests.running.Running`), started when the first test asks for it."""
    from tests.running import running_system

    with running_system(tmp_path_factory) as system:
        yield system


@pytest.fixture(scope="session")
def token(running) -> str:
    """A token of the demo tenant's administrating client."""
    return running.token()
