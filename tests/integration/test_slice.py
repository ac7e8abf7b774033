"""The main job through the URL, as a program that knows only the contract does it."""

import gzip
import json
import secrets
import ssl
import time

import httpx
import jwt
import pytest
from botocore.exceptions import ClientError

from tests.integration.conftest import Running

QUESTION = {"action": "infrastructure.clusters.get", "resource": {"type": "cluster", "id": "cls_eu01"}, "context": {}}


def test_the_token_verifies_against_discovery_alone(running: Running, token: str):
    metadata = running.call("GET", "/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(running.http.get(metadata["jwks_uri"]).json())

    claims = jwt.decode(
        token, keys[jwt.get_unverified_header(token)["kid"]].key, algorithms=["ES256"], audience=metadata["issuer"]
    )

    assert claims["iss"] == running.stack["url"]
    assert claims["tenant_id"] == running.stack["tenant"]["id"]
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize("way", ["basic", "post"])
def test_a_client_authenticates_either_way(running: Running, way: str):
    client = running.stack["service_client"]
    form = {"grant_type": "client_credentials"}
    more = {"auth": (client["client_id"], client["client_secret"])} if way == "basic" else {}

    reply = running.call("POST", "/oauth2/token", data=form if way == "basic" else {**form, **client}, **more)

    assert reply.status_code == 200
    assert reply.json()["token_type"] == "Bearer"
    assert reply.headers["cache-control"] == "no-store"


def test_the_stack_files_key_reads_decisions_and_nothing_else(running: Running):
    key = {"X-API-Key": running.stack["api_key"]["key"]}

    assert running.call("GET", "/v1/me", headers=key).status_code == 200
    assert running.call("GET", "/v1/users", headers=key).status_code == 403
    assert running.call("POST", "/v1/authorize", headers=key, json=QUESTION).json()["decision"] == "allow"


def test_an_event_is_found_at_once_and_entered_into_the_locked_bucket(running: Running, token: str):
    request_id = running.call("POST", "/v1/authorize", token=token, json=QUESTION).headers["x-request-id"]

    (event,) = running.call("GET", f"/v1/audit/events?request_id={request_id}", token=token).json()["items"]
    assert event["action"] == "decisions.decisions.read"
    assert event["resource"] == "cls_eu01"
    assert event["ip_address"] == "127.0.0.1"

    s3, bucket = running.aws("s3"), running.output["AuditBucket"]
    found = entered(running, request_id)
    assert "127.0.0.1" not in found["line"]
    version = s3.head_object(Bucket=bucket, Key=found["key"])["VersionId"]
    lock = s3.get_object_retention(Bucket=bucket, Key=found["key"], VersionId=version)["Retention"]
    assert lock["Mode"] == "COMPLIANCE"
    for attempt in (
        lambda: s3.delete_object(Bucket=bucket, Key=found["key"], VersionId=version),
        lambda: s3.put_object(Bucket=bucket, Key=found["key"], Body=b"", IfNoneMatch="*"),
    ):
        with pytest.raises(ClientError):
            attempt()


def entered(running: Running, request_id: str, within: float = 90) -> dict[str, str]:
    """The entry of this request and the segment that holds it, once the relay wrote it."""
    s3, bucket = running.aws("s3"), running.output["AuditBucket"]
    prefix = f"{running.stack['tenant']['id']}/segments/"
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for key in sorted((item["Key"] for page in pages for item in page.get("Contents", [])), reverse=True)[:30]:
            body = gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode()
            for line in body.splitlines():
                if json.loads(line)["request_id"] == request_id:
                    return {"key": key, "line": line}
        time.sleep(0.5)
    raise AssertionError(f"no segment holds {request_id}")


def test_a_revoked_key_ends_at_once(running: Running, token: str):
    body = {"name": "short", "environment": "live", "scopes": ["settings:read"]}
    made = running.call("POST", "/v1/api-keys", token=token, json=body)
    key = {"X-API-Key": made.json()["key"]}
    assert running.call("GET", "/v1/users", headers=key).status_code == 200

    gone = running.call(
        "DELETE", f"/v1/api-keys/{made.json()['id']}", token=token, headers={"If-Match": made.headers["etag"]}
    )

    assert gone.status_code == 204
    assert running.call("GET", "/v1/users", headers=key).status_code == 401


def test_a_policy_bites_within_five_seconds(running: Running, token: str):
    person = {"email": f"policy-{secrets.token_hex(6)}@demo.test", "name": "P", "roles": ["operator"]}
    user = running.call("POST", "/v1/users", token=token, json=person).json()["id"]
    question = {**QUESTION, "action": "infrastructure.clusters.delete", "principal": {"type": "user", "id": user}}
    assert running.call("POST", "/v1/authorize", token=token, json=question).json()["decision"] == "allow"

    policy = {
        "name": "freeze",
        "document": {"effect": "deny", "actions": ["infrastructure:manage"], "resources": ["*"]},
        "attachments": [{"type": "user", "id": user}],
    }
    made = running.call("POST", "/v1/policies", token=token, json=policy)
    assert made.status_code == 201
    time.sleep(5)

    answer = running.call("POST", "/v1/authorize", token=token, json=question).json()
    assert (answer["decision"], answer["kind"]) == ("deny", "explicit_deny")
    assert answer["matched"][0]["policy_id"] == made.json()["id"]


def test_a_tenant_deleted_at_once_is_shredded(running: Running):
    platform = running.token(running.stack["platform_client"])
    admin = {"email": "admin@shred.test", "name": "Admin", "password": "a long enough passphrase"}
    tenant = running.call("POST", "/v1/tenants", token=platform, json={"name": "shred", "admin": admin}).json()["id"]
    vault = httpx.Client(
        base_url=running.stack["vault"]["addr"],
        verify=ssl.create_default_context(cafile=running.stack["vault"]["ca_file"]),
        headers={"X-Vault-Token": running.stack["vault"]["token"]},
    )
    with vault:
        assert vault.get(f"/v1/transit/keys/tenant-{tenant}").status_code == 200

        gone = running.call("DELETE", f"/v1/tenants/{tenant}?immediate=true", token=platform, headers={"If-Match": "*"})

        assert (gone.status_code, gone.json()["status"]) == (202, "deleted")
        assert vault.get(f"/v1/transit/keys/tenant-{tenant}").status_code == 404
    again = running.call("POST", f"/v1/tenants/{tenant}/restore", token=platform, headers={"If-Match": "*"})
    assert again.status_code == 409
