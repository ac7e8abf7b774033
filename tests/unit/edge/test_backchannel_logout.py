"""Back-channel logout: whom a session's end is told, by what token, how often, and what is seen of it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from platforma.kernel.errors import Unavailable
from platforma.oauth.backchannel.model import EVENT, WAITS
from platforma.oauth.errors import Unfetched
from tests.signing_in import App, Browser, app_of
from tests.world import PASSWORD, URL, Tenant, World, running

ANY = {"If-Match": "*"}
LOGOUT = "https://client.test/backchannel"
_COUNT = iter(range(1000))


@pytest.fixture
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture
def app(tenant: Tenant) -> App:
    return app_of(tenant, first_party=True, backchannel_logout_uri=LOGOUT, backchannel_logout_session_required=True)


class SignedIn:
    """A person who is signed in to a client."""

    def __init__(self, app: App) -> None:
        self.world, self.tenant, self.app = app.tenant.world, app.tenant, app
        self.id = app.tenant.user(f"ada{next(_COUNT)}@acme.test")
        self.browser = Browser(self.world)
        self.tokens = app.tokens_for(self.browser, self.id)
        assert self.browser.session is not None
        self.session_id = self.browser.session.id

    @property
    def path(self) -> str:
        return f"/v1/sessions/{self.session_id}"

    def end(self) -> None:
        self.tenant.call("DELETE", self.path, headers=ANY, expect=200)

    def logouts(self) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = self.tenant.call("GET", self.path, expect=200).json["logouts"]
        return seen


@pytest.fixture
def ada(app: App) -> SignedIn:
    return SignedIn(app)


def claims_of(world: World, token: str, audience: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(world.call("GET", "/.well-known/jwks.json").json)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256", "ES256"], audience=audience, options={"verify_iat": False})


def test_the_client_is_told_by_a_token_of_the_session_and_its_end(ada: SignedIn, world: World, app: App):
    assert ada.logouts() == [
        {"client_id": app.id, "state": "signed_in", "attempts": 0, "attempted_at": None, "reason": None}
    ]
    ada.end()

    assert world.tell() == {"delivered": 1, "pending": 0, "failed": 0, "dropped": 0}
    ((address, form),) = world.posted.sent
    assert (address, form.keys()) == (LOGOUT, {"logout_token"})
    header = jwt.get_unverified_header(form["logout_token"])
    assert (header["typ"], header["alg"]) == ("logout+jwt", "RS256")
    claims = claims_of(world, form["logout_token"], app.id)
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert (claims["iss"], claims["sub"], claims["sid"]) == (URL, ada.id, ada.session_id)
    assert claims["sid"] == jwt.decode(ada.tokens["id_token"], options={"verify_signature": False})["sid"]
    assert claims["events"] == {EVENT: {}}
    assert claims["exp"] - claims["iat"] == 120


def test_an_ended_session_shows_who_was_told_and_the_log_has_it(ada: SignedIn, world: World, tenant: Tenant, app: App):
    ada.end()
    pending = ada.logouts()
    world.tell()

    assert [(each["state"], each["attempts"]) for each in pending] == [("pending", 0)]
    assert [(each["state"], each["attempts"], each["reason"]) for each in ada.logouts()] == [("delivered", 1, None)]
    assert tenant.call("GET", ada.path).json["ended_at"] is not None
    (event,) = tenant.events(action="oauth.logouts.deliver")
    assert (event["result"], event["resource"], event["principal_id"]) == ("success", ada.session_id, "oauth_logout")
    assert event["changes"]["after"]["client_id"] == app.id
    assert tenant.call("DELETE", ada.path, headers=ANY).status == 404


def test_a_session_without_such_a_client_is_gone_when_it_is_ended(tenant: Tenant, world: World):
    ada = SignedIn(app_of(tenant, first_party=True))
    ada.end()

    assert world.logout_queue.put_there == []
    assert tenant.call("GET", ada.path).status == 404


def test_a_client_without_openid_is_not_told(tenant: Tenant, app: App, world: World):
    person, browser = tenant.user(), Browser(world)
    app.tokens_for(browser, person, scope="orders:read")
    assert browser.session is not None
    tenant.call("DELETE", f"/v1/sessions/{browser.session.id}", headers=ANY, expect=200)

    assert world.logout_queue.put_there == []


def sign_out_by_the_client(ada: SignedIn) -> None:
    asked = {"id_token_hint": ada.tokens["id_token"]}
    assert ada.browser.get(f"/oauth2/logout?{urlencode(asked)}").status == 303


def change_the_password(ada: SignedIn) -> None:
    other = Browser(ada.world)
    token = app_of(ada.tenant, first_party=True).tokens_for(other, ada.id)["access_token"]
    new = {"current_password": PASSWORD, "new_password": "another horse battery staple"}
    reply = ada.world.call("PUT", f"/v1/users/{ada.id}/password", token=token, json_body=new)
    assert reply.status == 204, reply.text


def suspend(ada: SignedIn) -> None:
    ada.tenant.call("PATCH", f"/v1/users/{ada.id}", {"status": "suspended"}, headers=ANY, expect=200)


def delete(ada: SignedIn) -> None:
    ada.tenant.call("DELETE", f"/v1/users/{ada.id}", headers=ANY, expect=204)


def be_somebody_else(ada: SignedIn) -> None:
    ada.browser.sign_in(ada.tenant.id, ada.tenant.user(f"bob{next(_COUNT)}@acme.test"))


@pytest.mark.parametrize("ends", [sign_out_by_the_client, change_the_password, suspend, delete, be_somebody_else])
def test_however_the_session_ends_the_client_is_told(ends: Any, ada: SignedIn, world: World):
    ends(ada)

    assert [each[:2] for each in world.logout_queue.put_there] == [(ada.session_id, ada.app.id)]
    assert world.tell()["delivered"] == 1


def test_a_person_who_was_suspended_has_to_sign_in_again_when_they_are_back(ada: SignedIn):
    suspend(ada)
    ada.tenant.call("PATCH", f"/v1/users/{ada.id}", {"status": "active"}, headers=ANY, expect=200)

    assert ada.browser.session is None


def test_a_client_that_fails_is_asked_again_after_longer_and_longer_and_then_given_up(
    ada: SignedIn, world: World, tenant: Tenant
):
    world.posted.status = 503
    ada.end()
    waits = []
    for _ in WAITS:
        assert world.tell() == {"delivered": 0, "pending": 1, "failed": 0, "dropped": 0}
        ((_, _, wait),) = world.logout_queue.put_there
        waits.append(wait)
        world.clock.move(seconds=wait)
    assert world.tell()["failed"] == 1

    assert tuple(waits) == WAITS
    assert world.logout_queue.put_there == []
    assert [(each["state"], each["attempts"], each["reason"]) for each in ada.logouts()] == [("failed", 8, "status_503")]
    (event,) = tenant.events(action="oauth.logouts.deliver")
    assert (event["result"], event["reason"]) == ("failure", "status_503")
    tokens = {form["logout_token"] for _, form in world.posted.sent}
    assert len(tokens) == 8


def test_a_redirect_and_an_address_that_may_not_be_called_are_failures(ada: SignedIn, world: World):
    ada.end()
    world.posted.status = 302
    world.tell()
    assert [each["reason"] for each in ada.logouts()] == ["status_302"]
    world.posted.status = Unfetched(cause="not a public address")
    world.tell()

    assert [(each["state"], each["reason"]) for each in ada.logouts()] == [("pending", "not a public address")]


def test_a_message_that_comes_twice_or_for_nothing_tells_nobody(ada: SignedIn, world: World, app: App):
    queue = world.logout_queue
    queue.put(ada.session_id, app.id)  # it has not ended
    queue.put("ses_01ja2s8n7vfxkrcm4fyzqf1q5m", app.id)
    assert world.tell() == {"delivered": 0, "pending": 0, "failed": 0, "dropped": 2}
    ada.end()
    queue.put(ada.session_id, app.id)

    assert world.tell() == {"delivered": 1, "pending": 0, "failed": 0, "dropped": 1}
    assert len(world.posted.sent) == 1


def test_a_client_that_is_gone_is_not_told(ada: SignedIn, world: World, tenant: Tenant, app: App):
    tenant.call("DELETE", f"/v1/oauth-clients/{app.id}", headers=ANY, expect=204)
    ada.end()

    assert world.tell()["failed"] == 1
    assert world.posted.sent == []
    assert [each["reason"] for each in ada.logouts()] == ["not_registered"]


def late(world: World) -> dict[str, int]:
    context = type("Context", (), {"aws_request_id": "late"})()
    return world.function("oauth_logout").handler({"source": "schedule", "job": "late"}, context)


def test_a_lost_message_is_found_by_the_schedule_and_a_settled_session_is_forgotten(ada: SignedIn, world: World):
    ada.end()
    world.logout_queue.put_there.clear()
    assert late(world) == {"late": 0, "settled": 0}  # it may be under way
    world.clock.move(minutes=2)

    assert late(world) == {"late": 1, "settled": 0}
    assert world.tell()["delivered"] == 1
    assert late(world) == {"late": 0, "settled": 1}
    assert late(world) == {"late": 0, "settled": 0}


def test_a_session_ends_though_the_queue_is_out_of_reach(ada: SignedIn, world: World, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise Unavailable

    monkeypatch.setattr(world.logout_queue, "put", refuse)
    ada.end()
    monkeypatch.undo()

    assert ada.browser.session is None
    world.clock.move(minutes=2)
    assert late(world)["late"] == 1


def test_what_discovery_says_of_it(world: World):
    said = world.call("GET", "/.well-known/openid-configuration").json

    assert said["backchannel_logout_supported"] is said["backchannel_logout_session_supported"] is True
