"""What a path answers to the methods that it does not take, and to HEAD."""

import re

import pytest

from platforma.edge.endpoints import BY_PATH, BY_ROUTE
from platforma.edge.methods import row_for, taken
from tests.world import Tenant, World, running

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
FORMS = {
    "problem": "application/problem+json",
    "oauth": "application/json",
    "bearer": "application/json",
    "page": "text/html; charset=utf-8",
    "authzen": "application/json",
    "scim": "application/scim+json",
}
REFUSED = [(method, path) for path in BY_PATH for method in METHODS if row_for(method, path) is None and taken(path)]
LEADING_ON = ["/oauth2/authorize", "/oauth2/logout", "/sso/{id}/callback", "/sso/{id}/slo", "/sso/{id}/start"]


@pytest.fixture(scope="module")
def world():
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


def asked(path: str) -> str:
    """A path that the template is of."""
    return re.sub(r"{\w+\+?}", "x", path)


def test_every_path_answers_every_method(world: World):
    """Served, or 405 with the methods that are (RFC 9110 section 15.5.6), in the form of the path's other errors."""
    for method, path in REFUSED:
        reply = world.call(method, asked(path))

        assert reply.status == 405, (method, path, reply.text)
        allowed = reply.headers["allow"].split(", ")
        assert set(allowed) - {"HEAD"} == {row.method for row in BY_PATH[path]} - {"HEAD"}
        assert method not in allowed
        forms = {FORMS[row.wire] for row in BY_PATH[path]}
        assert reply.headers["content-type"] in forms, (method, path)
        assert (reply.text == "") == (method == "HEAD")
    assert len(REFUSED) > 900


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/oauth2/token", "POST, OPTIONS"),
        ("PUT", "/oauth2/authorize", "GET, POST"),
        ("POST", "/v1/me", "GET, HEAD"),
        ("OPTIONS", "/v1/users", "GET, HEAD, POST"),
        ("PATCH", "/v1/objects/a/b", "GET, HEAD, PUT, DELETE"),
        ("PUT", "/v1/users/usr_x/erasure", "GET, HEAD, POST"),
    ],
)
def test_who_sends_another_method_is_told_those_that_there_are(world: World, method: str, path: str, allowed: str):
    reply = world.call(method, path)

    assert (reply.status, reply.headers["allow"]) == (405, allowed)


def test_each_form_tells_it_in_its_own_words(world: World):
    assert world.call("PUT", "/v1/users").json["code"] == "method_not_allowed"
    assert world.call("GET", "/oauth2/token").json["error"] == "invalid_request"
    assert world.call("PUT", "/access/v1/evaluation").json["error"]["status"] == 405
    told = world.call("PUT", "/scim/v2/Users").json
    assert (told["status"], told["schemas"]) == ("405", ["urn:ietf:params:scim:api:messages:2.0:Error"])
    page = world.call("PUT", "/login", headers={"Accept-Language": "de"})
    assert "Diese Methode gibt es hier nicht." in page.text
    assert "<html" in world.call("PUT", "/oauth2/authorize", headers={"Accept": "text/html"}).text


def test_a_head_tells_what_a_get_would_and_has_no_content(world: World, tenant: Tenant):
    token = world.token(tenant.client)
    for path in (
        "/v1/me",
        "/v1/users",
        f"/v1/users/{tenant.admin_id}",
        "/.well-known/jwks.json",
        "/login",
        "/v1/users/usr_x",
    ):
        head, get = (world.call(method, path, token=token) for method in ("HEAD", "GET"))

        assert (head.status, head.text) == (get.status, "")
        own = {"x-request-id"}
        assert {name: value for name, value in head.headers.items() if name not in own} == {
            name: value for name, value in get.headers.items() if name not in own
        }


def test_a_head_needs_what_a_get_needs_and_is_audited_like_it(world: World, tenant: Tenant):
    assert world.call("HEAD", "/v1/users").status == 401
    reply = world.call("HEAD", "/v1/users", token=world.token(tenant.client))
    (event,) = tenant.events(request_id=reply.request_id)

    assert (event["action"], event["result"]) == ("settings.users.list", "success")


@pytest.mark.parametrize("path", LEADING_ON)
def test_nobody_is_signed_in_or_out_or_allowed_anything_by_a_head(world: World, path: str):
    """A HEAD taken for a GET here, and for a form's POST there, once gave clients what nobody had allowed."""
    assert {path for method, path in BY_ROUTE if method == "GET" and row_for("HEAD", path) is None} == set(LEADING_ON)

    reply = world.call("HEAD", asked(path))

    assert (reply.status, reply.cookies) == (405, ())


def test_where_there_is_nothing_no_method_is_taken(world: World):
    for method in METHODS:
        reply = world.call(method, "/scim/v2/Devices")
        assert reply.status in (401, 404), method
        assert "allow" not in reply.headers
