"""A tenant's end on the deployed stack: the relay is called, the key destroyed in Vault, the statement signed there."""

import json
import secrets

from platforma.audit import note

ANY = {"If-Match": "*"}


def made(running, platform):
    admin = {"email": f"a-{secrets.token_hex(4)}@end.test", "name": "A", "password": "a long enough passphrase"}
    answer = running.call("POST", "/v1/tenants", token=platform, json={"name": "end", "admin": admin})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def test_the_statement_of_a_tenants_end_verifies_and_its_log_was_settled(running):
    platform = running.token(running.stack["platform_client"])
    tenant = made(running, platform)
    lambda_ = running.aws("lambda")
    event = json.dumps({"tenant_id": tenant, "first_client": {"name": "service", "roles": ["admin"]}}).encode()
    client = json.loads(lambda_.invoke(FunctionName="platforma-platform_setup", Payload=event)["Payload"].read())
    assert running.call("GET", "/v1/me", token=running.token(client)).status_code == 200

    deleted = running.call("DELETE", f"/v1/tenants/{tenant}?immediate=true", token=platform, headers=ANY)
    assert deleted.status_code == 202, deleted.text

    answer = running.call("GET", f"/v1/tenants/{tenant}/shredding", token=platform)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    text = note.opened(said["statement"].encode(), [note.parse_key(key) for key in said["verifier_keys"]])
    stated = json.loads(text.split("\n")[1])
    [log] = stated["logs"]
    assert stated["keys"] == [{"id": f"tenant-{tenant}", "versions": [1]}]
    assert (log["id"], log["size"] >= 2) == (tenant, True)
    checkpoint = f"{tenant}/checkpoints/{log['size']:020d}"
    running.aws("s3").head_object(Bucket=running.stack["outputs"]["AuditBucket"], Key=checkpoint)


def test_a_tenant_whose_key_stands_has_no_statement(running):
    platform = running.token(running.stack["platform_client"])

    assert running.call("GET", f"/v1/tenants/{running.stack['tenant']['id']}/shredding", token=platform).status_code == 404


def test_a_key_rotates_as_often_as_its_tenant_says(running, token):
    said = running.call("POST", "/v1/encryption/keys/rotation-period", token=token, json={"auto_rotate_period": 604_800})

    assert (said.status_code, said.json()["auto_rotate_period"]) == (200, 604_800), said.text
    running.call("POST", "/v1/encryption/keys/rotation-period", token=token, json={"auto_rotate_period": 2_592_000})
