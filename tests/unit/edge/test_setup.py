"""What the operator runs: once, and again without harm."""

from typing import Any

import pytest

from platforma.kernel.errors import Unprocessable
from tests.world import Tenant, World


def test_setting_up_again_makes_nothing_new_and_tells_no_secret(world: World):
    first = world.platform_client

    assert world.set_up({}) == {"client_id": first["client_id"]}
    assert world.token(first)


def test_a_new_secret_is_made_where_it_is_asked_for_and_the_oldest_of_two_goes(world: World):
    first = world.platform_client
    second = world.set_up({"rotate_secret": True})
    third = world.set_up({"rotate_secret": True})

    assert world.token(second)
    assert world.token(third)
    form = {"grant_type": "client_credentials"}
    assert world.call("POST", "/oauth2/token", form=form, headers=world.basic(first)).status == 401


def test_a_tenants_first_key_is_its_first_clients(world: World, tenant: Tenant):
    key = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"]}

    made = world.set_up({"tenant_id": tenant.id, "first_client": {"name": "c", "roles": ["viewer"]}, "first_key": key})

    me = world.call("GET", "/v1/me", token=made["api_key"]["key"]).json
    assert (me["tenant_id"], me["roles"], me["principal"]["id"]) == (tenant.id, ["viewer"], made["api_key"]["id"])
    assert tenant.call("GET", f"/v1/api-keys/{made['api_key']['id']}").json["owner"]["id"] == made["client_id"]


@pytest.mark.parametrize(
    "event",
    [
        {"tenant_id": "ten_01m86h9kkteqdtv79ft12yh2bc", "first_client": {"name": "c", "roles": []}},
        {"first_client": {"name": "c", "roles": []}, "unknown": 1},
        {"rotate_secret": "yes"},
    ],
)
def test_what_it_is_not_made_for_is_refused(world: World, event: dict[str, Any]):
    with pytest.raises(Unprocessable):
        world.set_up(event)


def test_a_tenant_is_given_something_or_nothing_is_done(world: World, tenant: Tenant):
    with pytest.raises(Unprocessable):
        world.set_up({"tenant_id": tenant.id})


def test_setting_up_is_told_in_the_platforms_log(world: World):
    client = world.platform_client
    events = world.call("GET", "/v1/audit/events?action=platform.setup.run", token=world.token(client)).json["items"]

    assert {(each["principal_type"], each["principal_id"], each["source"]) for each in events} == {
        ("system", "platform_setup", "schedule")
    }
    assert client["client_secret"] not in str(events)
