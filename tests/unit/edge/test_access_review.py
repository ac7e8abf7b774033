"""Who can do what, through the API: what is held, by whom it was given, when it was last used; as JSON and as CSV."""

import csv
import io
import re
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest

from platforma import bootstrap
from platforma.audit.activity import last_acted, last_acts
from platforma.kernel.clock import rfc3339
from platforma.kernel.events import Event
from platforma.kernel.ids import new_id
from tests.world import Tenant, World

STATEMENT = {"effect": "allow", "actions": ["billing:read"], "resources": ["invoice:eu*"]}


def lines(tenant: Tenant, query: str = "") -> dict[str, dict]:
    found, cursor = {}, None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = tenant.call("GET", f"/v1/access-review?limit=2{query}{more}", expect=200).json
        found |= {one["principal"]["id"]: one for one in page["items"]}
        if (cursor := page["next_cursor"]) is None:
            return found


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_it_tells_of_people_clients_and_keys_what_each_holds(world: World, tenant: Tenant):
    ada = tenant.user(roles=("operator",))
    key = tenant.call(
        "POST", "/v1/api-keys", {"name": "k", "environment": "test", "scopes": ["infrastructure:read"]}, expect=201
    ).json["id"]

    found = lines(tenant)

    assert {one["principal"]["type"] for one in found.values()} == {"user", "oauth_client", "api_key"}
    assert found[ada]["permissions"] == ["billing:read", "infrastructure:manage"]
    assert found[tenant.admin_id]["permissions"] == ["*"]
    assert (found[key]["permissions"], found[key]["scopes"]) == (["infrastructure:read"], ["infrastructure:read"])
    assert found[key]["owner"] == {"type": "oauth_client", "id": tenant.client["client_id"]}


def test_every_role_says_who_gave_it_and_when(world: World, tenant: Tenant):
    ada = tenant.user(roles=("viewer",))
    first = world.clock.now
    world.clock.move(days=1)
    other = tenant.client_with(roles=("admin",))
    token = world.token(other)
    change = {"roles": ["viewer", "operator"]}
    assert (
        world.call("PUT", f"/v1/users/{ada}/roles", token=token, json_body=change, headers={"If-Match": "*"}).status == 200
    )

    roles = {one["role"]: one for one in lines(tenant)[ada]["roles"]}

    assert roles["viewer"]["given_by"] == {"type": "oauth_client", "id": tenant.client["client_id"]}
    assert roles["viewer"]["given_at"] == first.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert roles["operator"]["given_by"] == {"type": "oauth_client", "id": other["client_id"]}


def test_a_groups_role_was_given_by_the_later_of_two_acts(world: World, tenant: Tenant):
    ada = tenant.user()
    group = tenant.call("POST", "/v1/groups", {"name": "ops"}, expect=201).json["id"]
    tenant.call("PUT", f"/v1/groups/{group}/roles", {"roles": ["operator"]}, headers={"If-Match": "*"}, expect=200)
    world.clock.move(days=1)
    other = tenant.client_with(roles=("admin",))
    joined = world.call("PUT", f"/v1/groups/{group}/members/{ada}", token=world.token(other))
    assert joined.status in (200, 204)

    (role,) = lines(tenant)[ada]["roles"]

    assert (role["role"], role["source"], role["group_id"]) == ("operator", "group", group)
    assert role["given_by"] == {"type": "oauth_client", "id": other["client_id"]}
    explained = tenant.call("GET", f"/v1/users/{ada}/roles?explain=true", expect=200).json["sources"]
    assert explained[0]["given_by"] == role["given_by"]


def test_what_policies_give_in_part_and_which_is_told(world: World, tenant: Tenant):
    ada = tenant.user()
    asked = {"name": "p", "document": STATEMENT, "attachments": [{"type": "user", "id": ada}]}
    policy = tenant.call("POST", "/v1/policies", asked, expect=201).json["id"]
    world.clock.move(seconds=3)

    line = lines(tenant)[ada]

    assert (line["permissions"], line["limited"], line["policies"]) == ([], ["billing:read"], [policy])


def test_whoever_is_suspended_holds_nothing_now(world: World, tenant: Tenant):
    ada = tenant.user(roles=("operator",))
    tenant.call("PATCH", f"/v1/users/{ada}", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)
    world.clock.move(seconds=3)

    line = lines(tenant)[ada]

    assert (line["status"], line["permissions"], [one["role"] for one in line["roles"]]) == ("suspended", [], ["operator"])


def test_the_last_use_is_told_also_while_its_event_waits(world: World, tenant: Tenant):
    before = lines(tenant)[tenant.client["client_id"]]["last_used_at"]
    assert before is not None
    assert lines(tenant)[tenant.admin_id]["last_used_at"] is None
    page = world.call("GET", f"/login?tenant={tenant.id}")
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    form = {**fields, "email": "admin@acme.test", "password": "wrong"}
    cookie = page.cookies[0].partition(";")[0]
    world.call("POST", "/login", form=form, headers={"Cookie": cookie, "Origin": "https://platforma.test"})

    waiting = lines(tenant)[tenant.admin_id]["last_used_at"]
    world.clock.move(minutes=1)
    world.sweep()

    assert waiting is not None
    assert lines(tenant)[tenant.admin_id]["last_used_at"] == waiting


def test_the_last_use_of_a_service_and_of_a_client_without_secrets_is_told(world: World, tenant: Tenant):
    events = [
        Event(
            id=new_id("evt"), timestamp=rfc3339(world.clock()), received_at=rfc3339(world.clock()), tenant_id=tenant.id,
            request_id="r", source="api", principal_type=kind, principal_id=name, user_id=None, action="settings.users.list",
            resource=None, result="success", ip_address=None, user_agent=None,
        )
        for kind, name in (("service", "billing"), ("oauth_client", "cli_x"))
    ]  # fmt: skip
    for event in events:
        bootstrap.outbox().enter(event)
    ask = partial(last_acts, tenant.id, ["billing", "cli_x", "other"], store=bootstrap.audit_store(), by="principal")
    since = world.clock() - timedelta(days=1)

    waiting = ask(since=since)
    world.clock.move(minutes=1)
    world.sweep()

    assert waiting.keys() == {"billing", "cli_x"}
    assert ask(since=since) == waiting
    assert ask(since=world.clock()) == {}


def test_another_services_word_for_who_acted_is_no_use(world: World, tenant: Tenant):
    """It is found where it is searched for, and neither waiting nor entered does it say when somebody was last here."""
    ada = tenant.user()
    word = {"id": "w-1", "timestamp": rfc3339(world.clock()), "action": "orders.read", "result": "success", "user_id": ada}
    (written,) = tenant.call("POST", "/v1/audit/events", word, expect=200).json["ids"]
    since = world.clock() - timedelta(days=1)
    store = bootstrap.audit_store()

    waiting = lines(tenant)[ada]["last_used_at"]
    world.clock.move(minutes=1)
    world.sweep()

    assert waiting is None
    assert lines(tenant)[ada]["last_used_at"] is None
    assert last_acted(tenant.id, ada, store=store, since=since) is None
    assert [event["id"] for event in tenant.events(user_id=ada)] == [written]


def test_one_kind_alone(tenant: Tenant):
    assert {one["principal"]["type"] for one in lines(tenant, "&type=oauth_client").values()} == {"oauth_client"}


def test_another_tenants_principals_are_not_in_it(world: World, tenant: Tenant):
    other = world.tenant("other", "admin@other.test")
    eve = other.user("eve@other.test")

    assert not {eve, other.admin_id, other.client["client_id"]} & lines(tenant).keys()


def test_a_cursor_of_another_tenant_is_refused(world: World, tenant: Tenant):
    cursor = tenant.call("GET", "/v1/access-review?limit=1", expect=200).json["next_cursor"]
    other = world.tenant("other", "admin@other.test")

    assert other.call("GET", f"/v1/access-review?limit=1&cursor={cursor}").status == 422


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "@SUM(1)", "+1", "-1", " =1+1", "\uff1d1"])
def test_nothing_in_the_csv_is_computed(tenant: Tenant, name: str):
    body = {
        "email": "m@acme.test",
        "name": name,
        "password": "correct horse battery staple",
        "roles": ["viewer", "operator"],
    }
    user = tenant.call("POST", "/v1/users", body, expect=201).json["id"]

    reply = tenant.call("GET", "/v1/access-review?type=user", headers={"Accept": "text/csv"}, expect=200)

    theirs = [row for row in rows(reply.text) if row["principal_id"] == user]
    assert [row["role"] for row in theirs] == ["operator", "viewer"]
    assert all(row["name"].startswith("'") for row in theirs)
    assert reply.headers["content-disposition"].startswith("attachment")


def test_the_csv_goes_on_by_its_link(world: World, tenant: Tenant):
    first = tenant.call("GET", "/v1/access-review?type=user&limit=1", headers={"Accept": "text/csv"}, expect=200)
    tenant.user()
    first = tenant.call("GET", "/v1/access-review?limit=1", headers={"Accept": "text/csv"}, expect=200)
    found, reply = rows(first.text), first
    while "link" in reply.headers:
        target = urlsplit(re.fullmatch(r'<([^>]+)>; rel="next"', reply.headers["link"])[1])
        reply = tenant.call("GET", f"{target.path}?{target.query}", headers={"Accept": "text/csv"}, expect=200)
        found += rows(reply.text)

    assert {row["principal_id"] for row in found} == lines(tenant).keys()


def test_reading_it_is_logged_and_takes_audit_read(world: World, tenant: Tenant):
    request = tenant.call("GET", "/v1/access-review", expect=200).request_id
    viewer = world.token(tenant.client_with(roles=("viewer",)))

    assert [event["action"] for event in tenant.events(request_id=request)] == ["audit.access.list"]
    assert world.call("GET", "/v1/access-review", token=viewer).status == 403


def test_a_review_completed_at_the_version_that_was_read_stands(tenant: Tenant):
    version = tenant.call("GET", "/v1/access-review", expect=200).json["policy_version"]

    done = tenant.call(
        "POST", "/v1/access-review/completions", {"outcome": "confirmed", "policy_version": version}, expect=201
    )

    assert done.json["policy_version"] == version
