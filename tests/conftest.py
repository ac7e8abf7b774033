"""What the tests of the deployed system share: one stack for integration and browser tests."""

from collections.abc import Iterator

import pytest


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
