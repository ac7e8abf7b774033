"""The bench of the authorizer asks the real one, so that it goes with whatever that comes to need."""

import pytest

from bench import authorizer


def test_the_authorizers_bench_lets_its_callers_in(monkeypatch: pytest.MonkeyPatch):
    for name in ("ROUNDS", "CALLS", "POLICIES", "MAX_HELD"):
        monkeypatch.setattr(authorizer, name, 1)

    assert set(authorizer.run()) == {f"authorizer_{name}_cpu_us" for name in ("new_token", "token", "key")}
