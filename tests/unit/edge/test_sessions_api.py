"""What a person has open and has allowed: who sees it, who ends it, and what ends with it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.signing_in import TWO_FACTORS, App, Browser, app_of, page_of
from tests.world import Reply, Tenant, World, running

ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


@pytest.fixture(scope="module")
def ours(tenant: Tenant) -> App:
    return app_of(tenant, first_party=True)


@pytest.fixture(scope="module")
def theirs(tenant: Tenant) -> App:
    return app_of(tenant)


class Person:
    """Somebody at a browser, signed in to the tenant's own client."""

    def __init__(self, ours: App, email: str) -> None:
        self.world, self.id, self.browser = ours.tenant.world, ours.tenant.user(email), Browser(ours.tenant.world)
        self.token = ours.tokens_for(self.browser, self.id, TWO_FACTORS)["access_token"]

    @property
    def session_id(self) -> str:
        assert self.browser.session is not None
        return self.browser.session.id

    def call(self, method: str, path: str, **more: Any) -> Reply:
        return self.world.call(method, path, token=self.token, **more)


_COUNT = iter(range(1000))


@pytest.fixture
def ada(ours: App) -> Person:
    return Person(ours, f"ada{next(_COUNT)}@acme.test")


@pytest.fixture
def bob(ours: App) -> Person:
    return Person(ours, f"bob{next(_COUNT)}@acme.test")


def is_good(world: World, token: str) -> bool:
    return world.call("GET", "/v1/me", token=token).status == 200


def test_a_person_sees_their_own_sessions_and_an_administrator_everybodys(ada, bob, tenant):
    mine = ada.call("GET", "/v1/sessions").json["items"]

    assert [(each["id"], each["user_id"], each["amr"]) for each in mine] == [(ada.session_id, ada.id, list(TWO_FACTORS))]
    everybodys = {each["id"] for each in tenant.call("GET", "/v1/sessions?limit=200").json["items"]}
    assert {ada.session_id, bob.session_id} <= everybodys
    asked = tenant.call("GET", f"/v1/sessions?user_id={bob.id}").json["items"]
    assert [each["id"] for each in asked] == [bob.session_id]


def test_a_list_of_sessions_goes_on_page_by_page(tenant, ada, bob):
    seen, cursor = [], ""
    while cursor is not None:
        page = tenant.call("GET", f"/v1/sessions?limit=1{cursor and '&cursor=' + cursor}", expect=200).json
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]

    assert len(seen) == len(set(seen))
    assert {ada.session_id, bob.session_id} <= set(seen)


def test_a_session_shows_grants_families_and_clients(ada, ours, theirs):
    tokens = theirs.tokens_for(ada.browser, ada.id)
    theirs.refresh(tokens["refresh_token"])

    shown = ada.call("GET", f"/v1/sessions/{ada.session_id}")

    assert shown.headers["etag"]
    assert shown.json["clients"] == sorted([ours.id, theirs.id])
    grant = next(each for each in shown.json["grants"] if each["client_id"] == theirs.id)
    assert grant["refresh_tokens"]["issued"] == 2
    assert tokens["refresh_token"] not in shown.text


def test_what_clients_were_given_stands_in_the_persons_archive(ada, theirs, tenant):
    tokens = theirs.tokens_for(ada.browser, ada.id)

    told = tenant.call("GET", f"/v1/users/{ada.id}/data-export", expect=200)

    assert {theirs.id} <= {each["client_id"] for each in told.json["kept"]["grants"]}
    assert tokens["refresh_token"] not in told.text


def test_ending_a_session_ends_all_that_was_given_in_it_and_says_so(world, ada, ours, theirs, tenant):
    tokens = theirs.tokens_for(ada.browser, ada.id)
    session_id = ada.session_id
    assert is_good(world, tokens["access_token"])

    ended = ada.call("DELETE", f"/v1/sessions/{session_id}", headers=ANY)

    assert (ended.status, ended.json["id"]) == (200, session_id)
    assert ended.json["ended"]["clients"] == sorted([ours.id, theirs.id])
    assert ada.browser.session is None
    assert theirs.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    world.clock.move(seconds=5)
    assert not is_good(world, tokens["access_token"])
    assert not is_good(world, ada.token)
    told = tenant.events(action="settings.sessions.delete")
    assert {(event["resource_type"], event["result"]) for event in told if event["user_id"] == ada.id} >= {
        ("session", "success"),
        ("grant", "success"),
    }
    assert tenant.call("GET", f"/v1/sessions/{session_id}").status == 404


def test_a_stale_etag_ends_nothing(ada, theirs):
    where = f"/v1/sessions/{ada.session_id}"
    etag = ada.call("GET", where).headers["etag"]
    theirs.tokens_for(ada.browser, ada.id)

    assert ada.call("DELETE", where, headers={"If-Match": etag}).status == 412
    assert ada.call("DELETE", where).status == 428
    assert ada.call("DELETE", where, headers={"If-Match": ada.call("GET", where).headers["etag"]}).status == 200


def test_anothers_session_is_as_if_it_did_not_exist(ada, bob, world):
    other = world.tenant(f"else{next(_COUNT)}", "admin@else.test")
    for method, headers in (("GET", {}), ("DELETE", ANY)):
        assert ada.call(method, f"/v1/sessions/{bob.session_id}", headers=headers).status == 404
        assert other.call(method, f"/v1/sessions/{bob.session_id}", headers=headers).status == 404
    assert ada.call("GET", f"/v1/sessions?user_id={bob.id}").status == 404
    assert bob.browser.session is not None


def test_what_is_theirs_people_change_by_a_sign_in_of_the_tenants_own_client_alone(ada, theirs, world):
    token = theirs.tokens_for(ada.browser, ada.id)["access_token"]
    where = f"/v1/sessions/{ada.session_id}"

    refused = world.call("DELETE", where, token=token, headers=ANY)

    assert (refused.status, world.call("GET", where, token=token).status) == (403, 200)
    assert ada.browser.session is not None


def test_an_administrator_ends_anybodys_session(ada, tenant):
    assert tenant.call("DELETE", f"/v1/sessions/{ada.session_id}", headers=ANY).status == 200
    assert ada.browser.session is None


def test_a_person_sees_and_takes_back_what_a_client_was_allowed(world, ada, theirs):
    tokens = theirs.tokens_for(ada.browser, ada.id)
    listed = ada.call("GET", "/v1/consents").json["items"]
    assert [(each["client_id"], "orders:read" in each["scopes"]) for each in listed] == [(theirs.id, True)]
    where = f"/v1/consents/{theirs.id}"
    assert ada.call("GET", where).json == listed[0]

    taken = ada.call("DELETE", where, headers={"If-Match": ada.call("GET", where).headers["etag"]})

    assert (taken.status, len(taken.json["grants"])) == (200, 1)
    world.clock.move(seconds=5)
    assert not is_good(world, tokens["access_token"])
    assert theirs.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert ada.call("GET", "/v1/consents").json["items"] == []
    assert ada.call("DELETE", where, headers=ANY).status == 404
    assert page_of(ada.browser.get(theirs.link()))[0] == "/consent"
    assert is_good(world, ada.token)


def test_a_client_takes_back_nothing_for_its_person(world, ada, theirs):
    token = theirs.tokens_for(ada.browser, ada.id)["access_token"]

    assert world.call("DELETE", f"/v1/consents/{theirs.id}", token=token, headers=ANY).status == 403
    assert is_good(world, token)


def test_anothers_consents_are_an_administrators_to_see_and_take_back(ada, bob, theirs, tenant):
    theirs.tokens_for(ada.browser, ada.id)
    where = f"/v1/consents/{theirs.id}?user_id={ada.id}"

    assert bob.call("GET", where).status == bob.call("DELETE", where, headers=ANY).status == 404
    assert tenant.call("GET", f"/v1/consents?user_id={ada.id}").json["items"][0]["client_id"] == theirs.id
    assert tenant.call("DELETE", where, headers=ANY).status == 200
