"""Connections and domains on the deployed system: their roles, their Vault policy, their layer."""

import json

import pytest

from tests.fakes.identity_provider import FakeIdentityProvider

METADATA = FakeIdentityProvider().metadata()


@pytest.fixture(scope="module")
def platform(running) -> str:
    return running.token(running.stack["platform_client"])


def test_a_saml_connection_is_made_changed_and_deleted(running, token):
    body = {"name": "Okta", "type": "saml", "domains": ["acme.test"], "saml": {"metadata_xml": METADATA}}
    made = running.call("POST", "/v1/sso-connections", token=token, json=body)
    assert made.status_code == 201, made.text
    path = f"/v1/sso-connections/{made.json()['id']}"

    mapping = {"group_mappings": [{"group": "Eng", "match": "prefix", "role": "operator"}]}
    changed = running.call("PATCH", path, token=token, json=mapping, headers={"If-Match": made.headers["etag"]})
    assert changed.status_code == 200, changed.text
    tried = running.call("POST", f"{path}/test-mapping", token=token, json={"groups": ["Engineers"]})
    assert tried.json()["roles"] == ["operator"]
    listed = running.call("GET", "/v1/sso-connections", token=token).json()["items"]
    assert made.json()["id"] in {each["id"] for each in listed}

    assert running.call("DELETE", path, token=token, headers={"If-Match": "*"}).status_code == 204
    assert running.call("GET", path, token=token).status_code == 404


def test_a_providers_secret_goes_to_vault_and_is_destroyed_with_the_connection(running, token):
    oidc = {"issuer": "https://op.test", "client_id": "c", "client_secret": "a secret of theirs"}
    made = running.call("POST", "/v1/sso-connections", token=token, json={"name": "Entra", "type": "oidc", "oidc": oidc})
    assert made.status_code == 201, made.text
    path = f"/v1/sso-connections/{made.json()['id']}"

    moved = {"oidc": {"client_secret": "the next one"}}
    assert running.call("PATCH", path, token=token, json=moved, headers={"If-Match": "*"}).status_code == 200
    assert running.call("DELETE", path, token=token, headers={"If-Match": "*"}).status_code == 204


def test_a_domain_is_claimed_and_vouched_for(running, token, platform):
    tenant = running.stack["tenant"]["id"]
    claimed = running.call("POST", "/v1/domains", token=token, json={"domain": "demo-sso.test"})
    assert claimed.status_code in (201, 409), claimed.text

    body = {"domain": "demo-sso.test", "tenant_id": tenant, "vouched": True}
    vouched = running.call("POST", "/v1/domains", token=platform, json=body)
    assert (vouched.status_code, vouched.json()["status"]) == (201, "vouched")
    assert running.call("POST", "/v1/domains/demo-sso.test/verify", token=token).json()["status"] == "vouched"

    gone = running.call("DELETE", "/v1/domains/demo-sso.test", token=token, headers={"If-Match": "*"})
    assert gone.status_code == 204


def test_a_record_that_is_not_there_proves_nothing(running, token):
    running.call("POST", "/v1/domains", token=token, json={"domain": "nowhere.invalid"})

    refused = running.call("POST", "/v1/domains/nowhere.invalid/verify", token=token)

    assert refused.json()["code"] in ("domain_not_proved", "unavailable"), refused.text


def test_the_upkeep_runs_by_its_own_role(running):
    event = json.dumps({"source": "schedule", "job": "upkeep"})
    function = f"{running.stack['aws']['stacks'][1]}-sso_upkeep"

    answer = running.aws("lambda").invoke(FunctionName=function, Payload=event)

    assert json.loads(answer["Payload"].read()) == {
        "checked": 0,
        "lost": 0,
        "refreshed": 0,
        "unread": 0,
        "ending": 0,
    }
