from collections.abc import Iterator

import pytest

from tests.world import World, running


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with running(monkeypatch) as made:
        yield made


@pytest.fixture
def tenant(world: World):
    return world.tenant()
