"""The function that tells tenants which of their keys end soon."""

import pytest

from platforma import bootstrap
from platforma.apikeys.issue import KeyRequest
from platforma.kernel.events import Attempt
from tests.world import Tenant, World

TOLD = "settings.api_keys.announce_expiry"
DAY = 86400


def run(world: World) -> int:
    answer = world.function("apikeys_expiry").handler({}, type("Context", (), {"aws_request_id": "tick"})())
    return int(answer["told"])


@pytest.fixture
def key(world: World, tenant: Tenant) -> str:
    """A key that outlives every token, as one that was made in a sign-in may."""
    attempt = Attempt("made", "settings.api_keys.create", world.clock, tenant_id=tenant.id, principal_type="system")
    issued = bootstrap.apikeys.issue_key(
        KeyRequest("k", "live", ("infrastructure:read",), expires_in=31 * DAY),
        tenant_id=tenant.id,
        owner_type="user",
        owner_id=tenant.admin_id,
        created_by=tenant.admin_id,
        attempt=attempt,
    )
    return str(issued.key.id)


def test_a_tenants_log_says_once_that_a_key_ends_soon(world: World, tenant: Tenant, key: str):
    early = run(world)
    world.clock.move(days=2)

    assert (early, run(world), run(world)) == (0, 1, 0)
    (event,) = tenant.events(action=TOLD)
    assert (event["resource"], event["source"], event["principal_id"]) == (key, "schedule", "apikeys_expiry")


def test_of_a_key_that_was_revoked_nothing_is_told(world: World, tenant: Tenant, key: str):
    tenant.call("DELETE", f"/v1/api-keys/{key}", headers={"If-Match": "*"}, expect=204)
    world.clock.move(days=2)

    assert run(world) == 0
    assert tenant.events(action=TOLD) == []
