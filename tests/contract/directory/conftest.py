"""Each implementation in turn, with hashes that cost no time."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from moto import mock_aws

from tests.contract.directory.world import World, in_dynamodb, in_memory
from tests.contract.on_moto import isolate


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """Argon2's strength is tried in the unit tests; here it would only take time."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("platforma.identity.passwords._hasher", lambda _profile: cheap)


@pytest.fixture(params=["memory", "dynamodb"])
def world(request) -> World:
    return in_memory() if request.param == "memory" else request.getfixturevalue("dynamodb_world")


@pytest.fixture
def dynamodb_world(monkeypatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    isolate(monkeypatch)
    with mock_aws():
        yield in_dynamodb()
