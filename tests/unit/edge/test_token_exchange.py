"""Token exchange: who may go on with whose token, and that it never becomes more."""

from collections.abc import Iterator

import jwt
import pytest

from tests.proving import Holder
from tests.world import URL, Reply, Tenant, World, running

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
AUDIENCE = "https://clusters.test"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    made = world.tenant()
    route = {"method": "GET", "path": "/v1/clusters", "action": "infrastructure.clusters.list"}
    body = {"name": "a", "audience": AUDIENCE, "environment": "live", "routes": [route]}
    made.call("POST", "/v1/protected-apis", body, expect=201)
    world.clock.move(seconds=5)
    return made


def register(tenant: Tenant, **fields: object) -> dict[str, str]:
    body = {"name": "gateway", "roles": ["admin"], "scopes": ["infrastructure:*", "settings:read"], **fields}
    body.setdefault("grant_types", [GRANT, "client_credentials"])
    return tenant.call("POST", "/v1/oauth-clients", body, expect=201).json


@pytest.fixture(scope="module")
def client(tenant: Tenant) -> dict[str, str]:
    return register(tenant)


@pytest.fixture
def subject(tenant: Tenant) -> dict[str, str]:
    return register(tenant, scopes=["infrastructure:*"])


def exchange(world: World, client: dict[str, str], token: str, **form: str) -> Reply:
    sent = {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS, **form}
    return world.call("POST", "/oauth2/token", form=sent, headers=world.basic(client))


def claims(reply: Reply) -> dict:
    assert reply.status == 200, reply.text
    return jwt.decode(reply.json["access_token"], options={"verify_signature": False})


def refused(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["error"]


def test_a_token_goes_on_for_its_subject_and_says_who_acts(world, client, subject):
    token = world.token(subject)

    reply = exchange(world, client, token, scope="infrastructure:read")

    said = claims(reply)
    assert (said["sub"], said["client_id"]) == (subject["client_id"], client["client_id"])
    assert (said["act"], said["scope"]) == ({"sub": client["client_id"]}, "infrastructure:read")
    assert reply.json["issued_token_type"] == ACCESS


def test_the_subject_is_who_calls_with_it(world, client, subject):
    token = exchange(world, client, world.token(subject)).json["access_token"]

    assert world.call("GET", "/v1/me", token=token).json["principal"]["id"] == subject["client_id"]


def test_the_chain_of_those_who_act_grows_and_ends(world, tenant, client, subject):
    token = world.token(subject)
    chain = []
    for _ in range(4):
        chain.append(register(tenant))
        reply = exchange(world, chain[-1], token)
        token = reply.json["access_token"]

    acting = claims(reply)["act"]
    assert acting["sub"] == chain[-1]["client_id"]
    assert acting["act"]["act"]["act"] == {"sub": chain[0]["client_id"]}
    assert refused(exchange(world, client, token)) == (400, "invalid_grant")


def test_an_actor_token_names_another_who_acts(world, tenant, client, subject):
    actor = register(tenant)

    reply = exchange(world, client, world.token(subject), actor_token=world.token(actor), actor_token_type=ACCESS)

    assert claims(reply)["act"] == {"sub": actor["client_id"]}


def test_a_client_narrows_its_own_token_and_nobody_acts(world, client):
    reply = exchange(world, client, world.token(client), scope="settings:read")

    assert (claims(reply)["scope"], "act" in claims(reply)) == ("settings:read", False)


@pytest.mark.parametrize("scope", ["settings:read", "*", "infrastructure:* settings:read", "openid", ""])
def test_no_scope_is_widened(world, client, subject, scope):
    # The client has settings:read, the token it was shown has not.
    reply = exchange(world, client, world.token(subject, scope="infrastructure:read"), scope=scope or " ")

    assert refused(reply) == (400, "invalid_scope")


def test_without_a_scope_it_is_what_both_have(world, tenant, client):
    wide = register(tenant, scopes=["*"])

    assert claims(exchange(world, client, world.token(wide)))["scope"] == "infrastructure:* settings:read"


def test_it_ends_no_later_than_the_token_that_was_shown(world, client, subject):
    token = world.token(subject)
    world.clock.move(minutes=40)

    reply = exchange(world, client, token)

    assert claims(reply)["exp"] == jwt.decode(token, options={"verify_signature": False})["exp"]
    assert reply.json["expires_in"] == 1200


def test_it_may_be_for_another_api_of_the_tenant(world, client, subject):
    assert claims(exchange(world, client, world.token(subject), resource=AUDIENCE))["aud"] == AUDIENCE
    assert refused(exchange(world, client, world.token(subject), audience="https://x.test")) == (400, "invalid_target")


def test_a_token_of_another_tenant_is_none(world, client):
    other = world.tenant("globex", "admin@globex.test")

    assert refused(exchange(world, client, other.token)) == (400, "invalid_grant")


def test_a_token_of_a_suspended_client_is_none(world, tenant, client, subject):
    token = world.token(subject)
    tenant.call("PATCH", f"/v1/oauth-clients/{subject['client_id']}", {"status": "suspended"}, headers={"If-Match": "*"})
    world.clock.move(seconds=5)

    assert refused(exchange(world, client, token)) == (400, "invalid_grant")


def test_a_client_that_is_not_registered_for_it_may_not(world, subject, tenant):
    plain = tenant.client_with(("admin",))

    assert refused(exchange(world, plain, world.token(subject))) == (400, "unauthorized_client")


@pytest.mark.parametrize(
    "form",
    [
        {"subject_token": ""},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token_type": ACCESS},
        {"actor_token": "x"},
    ],
)
def test_what_is_not_offered_is_an_invalid_request(world, client, subject, form):
    assert refused(exchange(world, client, world.token(subject), **form)) == (400, "invalid_request")


@pytest.mark.parametrize("token", ["junk", "a.b.c", "pk_live_" + "0" * 83])
def test_what_is_no_token_is_an_invalid_grant(world, client, token):
    assert refused(exchange(world, client, token)) == (400, "invalid_grant")


def test_a_public_client_is_not_registered_for_it(tenant):
    body = {"name": "app", "type": "public", "grant_types": [GRANT]}

    assert tenant.call("POST", "/v1/oauth-clients", body).status == 422


class Bound:
    """A holder's requests to the token endpoint."""

    def __init__(self, world: World) -> None:
        self.world, self.holder, self.nonce = world, Holder(lambda: world.clock().timestamp()), None

    def post(self, client, **form):
        for _ in range(2):
            headers = {"DPoP": self.holder.proof("POST", f"{URL}/oauth2/token", nonce=self.nonce)}
            reply = self.world.call("POST", "/oauth2/token", form=form, headers={**headers, **self.world.basic(client)})
            self.nonce = reply.headers.get("dpop-nonce", self.nonce)
            if reply.json.get("error") != "use_dpop_nonce":
                break
        return reply


def test_a_bound_token_is_exchanged_by_who_holds_its_key_alone_and_stays_bound(world, client, subject):
    ours, thief = Bound(world), Bound(world)
    token = ours.post(subject, grant_type="client_credentials").json["access_token"]
    form = {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS}

    assert refused(exchange(world, client, token)) == (400, "invalid_grant")
    assert refused(thief.post(client, **form)) == (400, "invalid_grant")
    assert claims(ours.post(client, **form))["cnf"] == {"jkt": ours.holder.jkt}


def test_a_client_whose_tokens_must_be_bound_gets_none_without_a_proof_by_exchange_either(world, tenant, subject):
    strict = register(tenant, dpop_bound_access_tokens=True)

    assert refused(exchange(world, strict, world.token(subject))) == (400, "invalid_dpop_proof")
