"""Factors through the API: one's own, another's by who administers, and nobody else's."""

import pytest

from platforma import bootstrap
from platforma.kernel.events import Attempt
from tests.fakes.authenticator import Authenticator
from tests.persons import Fields, Person
from tests.signing_in import app_of
from tests.world import URL, Reply, Tenant

FIRST_PARTY = {"scopes": ["openid", "orders:read", "settings:read", "settings:manage"], "first_party": True}


def signed_in(tenant: Tenant, email: str, **more) -> tuple[Person, str]:
    """Somebody with an app and a passkey, signed in at the pages, and the id of the passkey."""
    person = Person(tenant, app_of(tenant, **{**FIRST_PARTY, **more}))
    person.open(f"/login?tenant={tenant.id}")
    person.sign_in(email=email)
    person.follow()
    person.add_app()
    key = Authenticator(URL)
    person.open("/factors")
    person.send("/factors", do="passkey", name="laptop", passkey=key.create(Fields(person.last.text).options))
    user_id = person.browser.session.user_id
    return person, bootstrap.factors.read_factors(tenant.id, user_id).passkeys[0].id


def token_of(person: Person, scope: str = "openid orders:read") -> str:
    user_id = person.browser.session.user_id
    return str(person.app.tokens_for(person.browser, user_id, scope=scope)["access_token"])


def delete(tenant: Tenant, path: str, token: str, if_match: str = "*") -> Reply:
    return tenant.world.call("DELETE", path, token=token, headers={"If-Match": if_match})


@pytest.fixture
def ada(tenant: Tenant) -> str:
    return tenant.user()


def test_a_person_sees_their_own_by_any_token_and_takes_one_away_by_their_sign_in(tenant, ada):
    person, passkey = signed_in(tenant, "ada@acme.test")
    token = token_of(person)

    listed = tenant.world.call("GET", "/v1/me/factors", token=token)
    assert [each["type"] for each in listed.json["items"]] == ["totp", "recovery_codes", "passkey"]
    one = tenant.world.call("GET", f"/v1/me/factors/{passkey}", token=token)
    assert (one.json["name"], one.json["type"]) == ("laptop", "passkey")
    removed = delete(tenant, f"/v1/me/factors/{passkey}", token, one.headers["etag"])

    assert removed.status == 204, removed.text
    assert tenant.world.call("GET", f"/v1/me/factors/{passkey}", token=token).status == 404
    (event,) = tenant.events(action="settings.own_factors.delete")
    assert (event["user_id"], event["resource"], event["result"]) == (ada, passkey, "success")
    same = tenant.world.call("GET", f"/v1/users/{ada}/factors", token=token).json
    assert same == tenant.world.call("GET", "/v1/me/factors", token=token).json


def test_no_secret_of_a_factor_is_ever_shown_and_the_rest_is_in_ones_archive(tenant, ada):
    person, passkey = signed_in(tenant, "ada@acme.test")
    kept, token = bootstrap.factors.read_factors(tenant.id, ada), token_of(person)

    shown = tenant.world.call("GET", "/v1/me/factors", token=token).text
    archived = tenant.world.call("GET", f"/v1/users/{ada}/data-export", token=token)

    assert [each["id"] for each in archived.json["kept"]["factors"]] == ["totp", "recovery_codes", passkey]
    shown += archived.text
    for secret in (kept.totp.secret, *kept.recovery, kept.passkeys[0].public_key, kept.passkeys[0].credential_id):
        assert secret not in shown


def test_an_administrator_takes_anothers_away_who_then_signs_in_by_the_password_alone(tenant, ada):
    signed_in(tenant, "ada@acme.test")
    listed = tenant.call("GET", f"/v1/users/{ada}/factors", expect=200)

    assert delete(tenant, f"/v1/users/{ada}/factors", tenant.token, listed.headers["etag"]).status == 204

    assert tenant.call("GET", f"/v1/users/{ada}/factors", expect=200).json["items"] == []
    (event,) = tenant.events(action="settings.factors.reset")
    assert (event["resource"], event["changes"]["before"]) == (
        ada,
        {"factors": ["totp", "recovery_codes", "passkey"]},
    )
    other = Person(tenant, app_of(tenant))
    other.open(f"/login?tenant={tenant.id}")
    assert other.sign_in(email="ada@acme.test").status == 303


def test_an_administrator_takes_one_of_anothers_away(tenant, ada):
    _, passkey = signed_in(tenant, "ada@acme.test")

    assert delete(tenant, f"/v1/users/{ada}/factors/{passkey}", tenant.token).status == 204
    assert [each["id"] for each in tenant.call("GET", f"/v1/users/{ada}/factors").json["items"]] == [
        "totp",
        "recovery_codes",
    ]
    assert delete(tenant, f"/v1/users/{ada}/factors/totp", tenant.token).status == 204
    assert tenant.call("GET", f"/v1/users/{ada}/factors").json["items"] == [], "recovery codes go with the app"


def test_a_state_that_changed_meanwhile_is_not_taken_away(tenant, ada):
    person, passkey = signed_in(tenant, "ada@acme.test")
    seen = tenant.call("GET", f"/v1/users/{ada}/factors").headers["etag"]
    assert delete(tenant, f"/v1/me/factors/{passkey}", token_of(person)).status == 204

    assert delete(tenant, f"/v1/users/{ada}/factors", tenant.token, seen).status == 412
    assert tenant.call("DELETE", f"/v1/users/{ada}/factors").status == 428


def test_recovery_codes_do_not_go_by_themselves(tenant, ada):
    signed_in(tenant, "ada@acme.test")

    assert delete(tenant, f"/v1/users/{ada}/factors/recovery_codes", tenant.token).status == 409
    assert delete(tenant, f"/v1/users/{ada}/factors/passkey_none", tenant.token).status == 404


def test_a_client_has_no_factors(tenant):
    assert tenant.call("GET", "/v1/me/factors", expect=200).json == {"items": [], "next_cursor": None}


# Attacks


def test_a_client_of_somebody_elses_or_a_key_takes_no_factor_away(tenant, ada):
    person, passkey = signed_in(tenant, "ada@acme.test", first_party=False)
    body = {"name": "k", "environment": "live", "scopes": ["orders:read"], "owner": {"type": "user", "id": ada}}
    key = tenant.call("POST", "/v1/api-keys", body, expect=201).json["key"]

    for credential in (token_of(person), key):
        assert tenant.world.call("GET", "/v1/me/factors", token=credential).status == 200
        assert delete(tenant, f"/v1/me/factors/{passkey}", credential).status == 403
        assert delete(tenant, f"/v1/users/{ada}/factors", credential).status == 403


def test_another_persons_are_as_if_they_did_not_exist(tenant, ada):
    signed_in(tenant, "ada@acme.test")
    tenant.user("eve@acme.test")
    eve, _ = signed_in(tenant, "eve@acme.test")
    token, nobody = token_of(eve), "usr_00000000000000000000000000"

    for path in ("factors", "factors/totp"):
        answers = [
            [
                tenant.world.call("GET", f"/v1/users/{who}/{path}", token=token),
                delete(tenant, f"/v1/users/{who}/{path}", token),
            ]
            for who in (ada, nobody)
        ]
        assert [[one.status for one in each] for each in answers] == [[404, 404]] * 2
    assert tenant.call("GET", f"/v1/users/{nobody}/factors").status == 404


def test_who_may_do_just_this_and_lacks_settings_manage_resets_nobody(tenant, ada):
    signed_in(tenant, "ada@acme.test")
    role = {"name": "helpdesk", "description": "", "actions": ["settings.factors.*", "settings:read"]}
    tenant.call("POST", "/v1/roles", role, expect=201)
    tenant.world.clock.move(seconds=5)
    helper = tenant.world.token(tenant.client_with(("helpdesk",)))

    assert tenant.world.call("GET", f"/v1/users/{ada}/factors", token=helper).status == 200
    refused = delete(tenant, f"/v1/users/{ada}/factors", helper)
    assert (refused.status, refused.json["code"]) == (403, "forbidden")


def test_a_reset_does_not_make_a_used_code_good_again(tenant, ada):
    signed_in(tenant, "ada@acme.test")
    before = bootstrap.factors.read_factors(tenant.id, ada)
    delete(tenant, f"/v1/users/{ada}/factors", tenant.token)

    after = bootstrap.factors.read_factors(tenant.id, ada)
    assert after.spent == before.spent and after.version > before.version
    attempt = Attempt("r", "oauth.login.submit", tenant.world.clock, tenant_id=tenant.id)
    with pytest.raises(Exception, match="code"):
        bootstrap.factors.check_code(tenant.id, ada, "000000", attempt=attempt)
