"""Entra ID's and Okta's own ways of writing SCIM, as a whole."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.directories import connect
from tests.scim_dialects import Call, as_entra_id, as_okta
from tests.world import running


@pytest.mark.parametrize("dialect", [as_entra_id, as_okta])
def test_a_directory_provisions_in_its_own_way(monkeypatch: pytest.MonkeyPatch, dialect: Callable[[Call, str], None]):
    with running(monkeypatch) as world:
        mine = connect(world, world.tenant())

        def call(method: str, path: str, body: Any, expect: int) -> Any:
            reply = mine.call(method, path, body, expect=expect)
            return reply.json if reply.text else None

        dialect(call, "acme.test")
