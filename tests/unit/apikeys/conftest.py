import pytest

from platforma.keys import stored_secret
from tests.unit.apikeys.world import World


@pytest.fixture(autouse=True)
def _quick_bcrypt(monkeypatch):
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 4)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def hashes(monkeypatch):
    """What was hashed with bcrypt from now on."""
    seen = []
    check = stored_secret.bcrypt.checkpw
    monkeypatch.setattr(stored_secret.bcrypt, "checkpw", lambda raw, hashed: seen.append(hashed) or check(raw, hashed))
    return seen
