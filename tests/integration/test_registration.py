"""Clients that register themselves, and signing keys that are rotated and withdrawn, on the deployed system."""

import json

from tests.integration.conftest import Running


def test_a_client_registers_changes_and_ends_itself(running: Running, token: str):
    body = {"scopes": ["infrastructure:read"]}
    let_in = running.call("POST", "/v1/oauth-clients/initial-access-tokens", token=token, json=body)
    assert let_in.status_code == 201, let_in.text
    endpoint = running.call("GET", "/.well-known/openid-configuration").json()["registration_endpoint"]
    metadata = {"client_name": "Dashboard", "grant_types": ["client_credentials"]}

    made = running.call("POST", endpoint, token=let_in.json()["initial_access_token"], json=metadata)
    assert made.status_code == 201, made.text
    client = made.json()
    assert running.token(client)

    renamed = {**metadata, "client_id": client["client_id"], "client_name": "Renamed"}
    where, key = client["registration_client_uri"], client["registration_access_token"]
    changed = running.call("PUT", where, token=key, json=renamed)
    assert changed.status_code == 200, changed.text
    key = changed.json()["registration_access_token"]
    assert running.call("GET", where, token=key).json()["client_name"] == "Renamed"
    assert running.call("DELETE", where, token=key).status_code == 204
    assert running.call("GET", where, token=key).status_code == 401


def invoked(running: Running, **event: str) -> dict[str, object]:
    answer = running.aws("lambda").invoke(
        FunctionName=running.output["KeysFunction"], Payload=json.dumps({"source": "schedule", **event}).encode()
    )
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return dict(payload)


def test_the_schedule_finds_no_key_due_and_an_operator_withdraws_one(running: Running):
    keys = running.call("GET", "/.well-known/jwks.json").json()["keys"]
    (kid,) = [key["kid"] for key in keys if key["alg"] == "EdDSA"]

    assert invoked(running, job="rotate") == {"made": 0}
    assert invoked(running, withdraw=kid) == {"made": 1}
