"""A person's data in one archive, and the person erased, on the deployed system."""

import json
import secrets
import time

from tests.integration.conftest import Running


def run(running: Running, job: str) -> dict[str, object]:
    """What the schedule does every minute."""
    event = json.dumps({"source": "schedule", "job": job}).encode()
    answer = running.aws("lambda").invoke(FunctionName=running.output["RelayFunction"], Payload=event)
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return dict(payload)


def test_a_person_is_shown_what_is_kept_of_them_and_then_erased(running: Running, token: str):
    email = f"erased-{secrets.token_hex(6)}@demo.test"
    ada = running.call("POST", "/v1/users", token=token, json={"email": email, "name": "Ada", "roles": ["viewer"]}).json()[
        "id"
    ]
    key = {"name": "k", "environment": "live", "scopes": ["settings:read"], "owner": {"type": "user", "id": ada}}
    made = running.call("POST", "/v1/api-keys", token=token, json=key)
    assert made.status_code == 201, made.text

    archive = running.call("GET", f"/v1/users/{ada}/data-export", headers={"X-API-Key": made.json()["key"]})
    assert archive.status_code == 200, archive.text
    assert archive.json()["user"]["email"] == email
    assert [each["id"] for each in archive.json()["kept"]["api_keys"]] == [made.json()["id"]]
    assert "settings.users.create" in {event["action"] for event in archive.json()["events"]}

    asked = running.call("POST", f"/v1/users/{ada}/erasure", token=token)
    assert asked.status_code == 202, asked.text
    assert running.call("GET", f"/v1/users/{ada}", token=token).status_code == 404
    assert running.call("GET", "/v1/me", headers={"X-API-Key": made.json()["key"]}).status_code == 401
    assert running.call("GET", f"/v1/api-keys/{made.json()['id']}", token=token).status_code == 404

    ends = time.monotonic() + 90
    while (state := running.call("GET", f"/v1/users/{ada}/erasure", token=token).json())["status"] == "accepted":
        assert time.monotonic() < ends, state
        run(running, "sweep")
        run(running, "erase")
    assert state["before"][running.stack["tenant"]["id"]].startswith(running.stack["url"].removeprefix("https://"))
    key_item = running.aws("dynamodb").get_item(
        TableName=running.output["KeyTable"],
        Key={"pk": {"S": f"{running.stack['tenant']['id']}#PERSON"}, "sk": {"S": ada}},
        ConsistentRead=True,
    )["Item"]
    assert set(key_item) == {"pk", "sk"}
