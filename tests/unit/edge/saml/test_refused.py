"""Responses, addresses and connections by which nobody is signed in."""

from urllib.parse import quote

import pytest

from platforma import bootstrap
from tests.fakes.identity_provider import pair, posted, signed
from tests.fakes.saml_browser import Visitor, connection_of
from tests.signing_in import REDIRECT_URI, Browser, app_of
from tests.unit.edge.saml.looking import SESSION, refused, why
from tests.world import URL


def test_replay_of_a_response(ada, world):
    ada.start()
    message = ada.response()
    assert ada.post(message).status == 303
    del ada.browser.cookies[SESSION]

    refused(ada.post(message), ada)


def test_replay_of_an_idp_initiated_response(tenant, world):
    connection = connection_of(tenant)
    body = {"saml": {"idp_initiated": True}}
    tenant.call("PATCH", f"/v1/sso-connections/{connection.id}", body, headers={"If-Match": "*"}, expect=200)
    ada, thief = Visitor(connection, Browser(world)), Visitor(connection, Browser(world))
    message = ada.response(request_id=None)
    assert ada.post(message).status == 303

    refused(thief.post(message), thief)


def test_a_response_to_another_browsers_request(ada, world):
    ada.start()
    victim = Visitor(ada.connection, Browser(world))
    victim.start()

    refused(victim.post(ada.response()), victim)
    refused(victim.post(ada.response(), relay=ada.relay), victim)


def test_a_response_at_the_acs_of_another_connection(ada, tenant, world):
    other = connection_of(tenant, name="Other", vouched=())
    ada.start()

    reply = ada.browser.post(f"{other.path}/acs", {"SAMLResponse": ada.response(), "RelayState": ada.relay})

    refused(reply, ada)


def test_a_flow_of_one_connection_is_none_at_another(ada, tenant, world):
    other = Visitor(connection_of(tenant, name="Other", vouched=()), ada.browser)
    ada.start()

    message = posted(signed((saying := other.connection.saying(ada.request_id)).response(saying.assertion())))

    refused(other.post(message, relay=ada.relay), other)


def test_a_flow_is_over_after_ten_minutes(ada, world):
    ada.start()
    world.clock.move(minutes=11)

    refused(ada.post(ada.response()), ada)


def test_a_forged_flow_cookie(ada):
    ada.start()
    name = f"__Host-platforma-sso-{ada.relay}"
    body, _, mac = ada.browser.cookies[name].partition(".")
    ada.browser.cookies[name] = f"{body}.{'0' * len(mac)}"

    refused(ada.post(ada.response()), ada)


def test_a_response_signed_by_somebody_else(ada):
    ada.start()
    saying = ada.connection.saying(ada.request_id)

    reference = refused(ada.post(posted(signed(saying.response(saying.assertion()), pair("thief")))), ada)

    assert "not one of the identity provider's" in why(ada.connection, reference)


def test_an_open_relay_state(ada):
    ada.start()

    refused(ada.post(ada.response(), relay="https://evil.test/"), ada)


@pytest.mark.parametrize(
    "target",
    [
        *("https://evil.test/", "//evil.test/", "/\\evil.test", "/login@evil.test", "javascript:alert(1)"),
        *(f"{URL}.evil.test/login", "/v1/users", "/login#x", "https:/login", "\t/login", f"{REDIRECT_URI}x"),
    ],
)
def test_an_open_redirect_by_return_to(ada, target):
    app_of(ada.connection.tenant)

    reply = ada.browser.get(f"{ada.connection.path}/start?return_to={quote(target, safe='')}")

    assert reply.status == 400
    assert "location" not in reply.headers


def test_return_to_a_redirect_uri_of_another_tenants_client(ada, world):
    app_of(world.tenant("other", "admin@other.test"))

    assert ada.browser.get(f"{ada.connection.path}/start?return_to={quote(REDIRECT_URI, safe='')}").status == 400


def test_strangers_write_nothing_into_a_tenants_log_or_its_connections_health(ada, tenant, world):
    before = len(tenant.events())
    stranger = Visitor(ada.connection, Browser(world))

    refused(stranger.post("bm9uc2Vuc2U="), stranger)
    refused(stranger.post(ada.response(request_id="_made_up")), stranger)
    stranger.browser.get(f"{ada.connection.path}/start")

    assert len([each for each in tenant.events() if each["action"].startswith("sso.")]) == 0
    assert len(tenant.events()) == before + 2  # the two searches themselves
    assert not bootstrap.parts.sso.traces().latest(tenant.id, ada.connection.id, limit=10)


def test_many_failures_of_one_address_are_not_kept_for_good(ada, tenant):
    ada.start()

    statuses = [ada.post("bm9uc2Vuc2U=").status for _ in range(25)]

    assert statuses[:20] == [422] * 20
    assert set(statuses[21:]) == {429}
    assert len([each for each in tenant.events(limit="200") if each["action"] == "sso.assertions.consume"]) <= 22


def test_a_connection_that_is_switched_off_deleted_or_of_a_tenant_that_is_gone_signs_nobody_in(tenant, world):
    connection = connection_of(tenant)
    path = f"/v1/sso-connections/{connection.id}"
    ada = Visitor(connection, Browser(world))
    ada.start()
    tenant.call("PATCH", path, {"enabled": False}, headers={"If-Match": "*"}, expect=200)

    assert ada.post(ada.response()).status == 404
    assert ada.browser.get(f"{connection.path}/start").status == 404
    tenant.call("DELETE", path, headers={"If-Match": "*"}, expect=204)
    assert world.call("GET", f"{connection.path}/metadata").status == 404


def test_bodies_that_are_no_form_and_things_that_are_no_connection(ada, world):
    assert world.call("POST", f"{ada.connection.path}/acs", raw=b"{}").status == 415
    assert world.call("GET", "/sso/nonsense/start").status == 404
    assert world.call("POST", "/sso/nonsense/acs", form={"SAMLResponse": "x"}).status == 404
    refused(ada.browser.post(f"{ada.connection.path}/acs", {}), ada)
