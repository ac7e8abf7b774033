"""Rotating the pepper as an operator does, in a real OpenBao, while keys are in use."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import hvac.exceptions
import pytest

from infra.vault.apply import MAX_PEPPER_VERSION, Setup
from platforma.adapters.vault import Vault
from platforma.apikeys.format import MAX_PEPPER_VERSION as IN_A_KEY
from platforma.apikeys.format import parse
from platforma.keys import stored_secret
from platforma.keys.secrets import CachedSecrets
from tests.unit.apikeys.world import World


@pytest.fixture
def world(bao, monkeypatch):
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 4)
    world = World()
    world.secrets = CachedSecrets(Vault(bao.addr, "function", bao.client), world.clock)
    return world


def test_no_key_ends_and_new_ones_are_made_under_the_new_pepper(bao, world):
    old = world.issue()
    before = parse(old.text).pepper_version

    version = Setup(bao.root).rotate_pepper()

    assert version == before + 1
    assert world.check(old.text).code == "valid"
    world.passes(minutes=5)  # what was cached ends
    new = world.issue()
    assert parse(new.text).pepper_version == version
    assert [world.check(key.text).code for key in (old, new)] == ["valid", "valid"]
    world.passes(hours=1)  # the old key's ticket is renewed, under the new pepper
    assert world.check(old.text).code == "valid"
    assert world.keys.find(old.key.id).secret.version == version


def test_an_instance_that_cached_the_old_peppers_verifies_a_key_made_under_the_new_one(bao, world):
    world.issue()
    Setup(bao.root).rotate_pepper()
    fresh = World(keys=world.keys, tenant_id=world.tenant_id, user_id=world.user_id)
    fresh.secrets = CachedSecrets(Vault(bao.addr, "function", bao.client), fresh.clock)
    new = fresh.issue()
    world.now = fresh.now + timedelta(seconds=6)

    assert world.check(new.text).code == "valid"


def test_of_rotations_at_once_each_adds_its_own_or_is_refused(bao):
    before = bao.root.read("kv/data/platforma/peppers")["data"]["data"]

    def rotate(_):
        try:
            return Setup(bao.root).rotate_pepper()
        except hvac.exceptions.InvalidRequest:
            return None

    with ThreadPoolExecutor(5) as pool:
        added = [version for version in pool.map(rotate, range(5)) if version]

    after = bao.root.read("kv/data/platforma/peppers")["data"]["data"]
    assert len(added) == len(set(added)) == len(after) - len(before)
    assert {name: after[name] for name in before if name != "current"} == {
        name: value for name, value in before.items() if name != "current"
    }


def test_there_is_no_version_that_a_key_cannot_name():
    assert MAX_PEPPER_VERSION == IN_A_KEY
    peppers = {"current": "61", **{str(version): "x" for version in range(1, 62)}}
    vault = SimpleNamespace(read=lambda _: {"data": {"data": peppers, "metadata": {"version": 1}}})

    with pytest.raises(ValueError, match="61"):
        Setup(vault).rotate_pepper()
