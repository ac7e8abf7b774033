"""A POST that creates is done once for each Idempotency-Key."""

from tests.world import Tenant, World

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
USER = {"email": "once@acme.test", "name": "Once"}


def test_the_same_request_again_gets_the_same_answer(tenant: Tenant):
    first = tenant.call("POST", "/v1/users", USER, expect=201, headers=KEY)
    again = tenant.call("POST", "/v1/users", USER, expect=201, headers=KEY)

    assert again.json == first.json
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    assert len(tenant.call("GET", "/v1/users?email=once@acme.test", expect=200).json["items"]) == 1


def test_another_body_under_the_key_is_refused(tenant: Tenant):
    tenant.call("POST", "/v1/users", USER, expect=201, headers=KEY)

    reply = tenant.call("POST", "/v1/users", {**USER, "name": "Other"}, headers=KEY)

    assert (reply.status, reply.json["code"]) == (422, "idempotency_key_reused")


def test_an_answer_that_held_a_secret_is_not_kept(tenant: Tenant):
    body = {"name": "k", "environment": "live", "scopes": ["infrastructure:read"]}
    first = tenant.call("POST", "/v1/api-keys", body, expect=201, headers=KEY)

    again = tenant.call("POST", "/v1/api-keys", body, headers=KEY)

    assert (again.status, again.json["code"], again.json["id"]) == (409, "already_created", first.json["id"])
    assert first.json["key"] not in again.text


def test_a_refused_request_gives_its_key_back(tenant: Tenant):
    bad = tenant.call("POST", "/v1/users", {**USER, "roles": ["none"]}, headers=KEY)
    good = tenant.call("POST", "/v1/users", USER, headers=KEY)

    assert (bad.status, good.status) == (422, 201)


def test_a_key_is_the_callers_own(world: World, tenant: Tenant):
    tenant.call("POST", "/v1/users", USER, expect=201, headers=KEY)
    other = world.tenant("other", "admin@other.test")

    assert "idempotency-replayed" not in other.call("POST", "/v1/users", USER, expect=201, headers=KEY).headers


def test_after_a_day_a_key_is_free(world: World, tenant: Tenant):
    tenant.call("POST", "/v1/users", USER, expect=201, headers=KEY)

    world.clock.move(hours=24, seconds=1)

    assert tenant.call("POST", "/v1/users", USER, headers=KEY).status == 409


def test_a_key_that_is_none_is_malformed(tenant: Tenant):
    assert tenant.call("POST", "/v1/users", USER, headers={"Idempotency-Key": "x" * 256}).status == 400


def test_while_the_first_is_at_work_the_second_is_told_so(tenant: Tenant):
    module = tenant.world.function("identity_users")
    create, inner = module.api._use_cases["settings.users.create"], []

    def slow(call):
        if not inner:
            inner.append(None)
            inner.append(tenant.call("POST", "/v1/users", USER, headers=KEY))
        return create(call)

    module.api._use_cases["settings.users.create"] = slow
    first = tenant.call("POST", "/v1/users", USER, headers=KEY)

    assert (first.status, inner[1].status, inner[1].json["code"]) == (201, 409, "in_progress")


def test_what_is_only_taken_to_be_made_is_taken_once_too(tenant: Tenant):
    body = {"format": "jsonl", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}

    first, again = (tenant.call("POST", "/v1/audit/exports", body, expect=202, headers=KEY) for _ in range(2))

    assert again.json == first.json
    assert len(tenant.call("GET", "/v1/audit/exports", expect=200).json["items"]) == 1
    assert tenant.call("POST", "/v1/audit/exports", {**body, "format": "csv"}, headers=KEY).status == 422
