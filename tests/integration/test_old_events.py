"""Old events on the deployed system: compacted by its function, and found through the URL by way of Athena."""

import hashlib
import json
import secrets
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from platforma.adapters.columns import ColdColumns
from platforma.audit.cold.compact import as_parquet, folder_of
from platforma.audit.cold.statement import row_of
from platforma.kernel.clock import rfc3339
from platforma.kernel.ids import new_id
from tests.integration.conftest import Running
from tests.integration.test_audit_log import until, verified
from tests.planting import planted

FUNCTION = "platforma-audit_export"


def compacted(running: Running) -> dict[str, Any]:
    event = json.dumps({"source": "schedule", "job": "compact"}).encode()
    answer = running.aws("lambda").invoke(FunctionName=FUNCTION, Payload=event)
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return dict(payload["cold"])


def test_what_was_entered_is_compacted_encrypted_by_tenant_and_day(running: Running, token: str, tmp_path: Path):
    tenant, s3, bucket = running.stack["tenant"]["id"], running.aws("s3"), running.output["ColdBucket"]
    resource = f"cls_{secrets.token_hex(8)}"
    asked = {"action": "infrastructure.clusters.read", "resource": {"type": "cluster", "id": resource}}
    assert running.call("POST", "/v1/authorize", token=token, json=asked).status_code == 200

    def found() -> str | None:
        compacted(running)
        for one in s3.list_objects_v2(Bucket=bucket, Prefix=folder_of(tenant))["Contents"]:
            file = tmp_path / "found"
            s3.download_file(bucket, one["Key"], str(file))
            if any(resource in row["body"] for row in ColdColumns().rows(file)):
                return str(one["Key"])
        return None

    name = until(found, "the event in Parquet")
    assert name.startswith(f"events/tenant={tenant}/day={rfc3339(datetime.now(UTC))[:8]}")
    assert s3.head_object(Bucket=bucket, Key=name)["ServerSideEncryption"] == "aws:kms"


def test_events_older_than_the_index_are_found_through_the_url_in_order_page_by_page(running: Running, token: str):
    tenant, bucket = running.stack["tenant"]["id"], running.output["ColdBucket"]
    old = datetime.now(UTC) - timedelta(days=130)
    hostile = "' OR 1=1 -- ?"
    rows = []
    for at in range(5):
        moment = rfc3339(old + timedelta(seconds=at))
        said = {"id": new_id("evt"), "timestamp": moment, "received_at": moment, "tenant_id": tenant, "request_id": f"r{at}"}
        said |= {"user_id": None, "action": "infrastructure.clusters.update", "result": "success", "source": "external"}
        said |= {"principal_type": "oauth_client", "principal_id": "cli_x", "resource": hostile if at == 3 else "cls_old"}
        rows.append(row_of(tenant, at, said, {"unknown-2026": {"ip_address": ["c2FsdA==", f"192.0.2.{at}"]}}))
    with tempfile.TemporaryDirectory() as folder:
        file = as_parquet(rows, Path(folder), ColdColumns())
        name = f"{folder_of(tenant)}day={rfc3339(old)[:10]}/{tenant}-old.parquet"
        running.aws("s3").upload_file(str(file), bucket, name)
    compacted(running)
    running.aws("dynamodb").update_item(
        TableName=running.output["AuditTable"],
        Key={"pk": {"S": f"{tenant}#COLD"}, "sk": {"S": tenant}},
        UpdateExpression="SET first_day = :day",
        ExpressionAttributeValues={":day": {"S": rfc3339(old)[:10]}},
    )
    span = {"from": rfc3339(old - timedelta(hours=1)), "to": rfc3339(old + timedelta(hours=1)), "limit": "2"}

    def pages(**asked: str) -> list[str]:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = running.call("GET", "/v1/audit/events", token=token, params=span | asked | cursor)
            assert page.status_code == 200, page.text
            found += [event["request_id"] for event in page.json()["items"]]
            if page.json()["next_cursor"] is None:
                return found
            cursor = {"cursor": page.json()["next_cursor"]}

    assert pages() == ["r4", "r3", "r2", "r1", "r0"]
    assert pages(order="asc") == ["r0", "r1", "r2", "r3", "r4"]
    assert pages(resource=hostile) == ["r3"]
    assert pages(ip_address="192.0.2.2/31") == ["r3", "r2"]
    assert pages(q="CLS_OLD 192.0.2.1") == ["r1"]
    assert pages(action="infrastructure.*", request_id="r0") == ["r0"]
    assert pages(result="denied") == []


def test_exports_of_every_format_reach_behind_the_index_are_made_once_and_verified_offline(
    running: Running, token: str, tmp_path: Path
):
    old, named = datetime.now(UTC).replace(microsecond=0) - timedelta(days=100), f"inv_{secrets.token_hex(8)}"
    ids = planted(running, 12, old, resource=named)
    span = {"from": rfc3339(old - timedelta(hours=1)), "to": rfc3339(datetime.now(UTC))}

    def entered() -> bool | None:
        compacted(running)
        found = running.call("GET", "/v1/audit/events", token=token, params={**span, "resource": named}).json()["items"]
        return True if [event["id"] for event in found if "sequence" in event] == ids[::-1] else None

    until(entered, "the old events in the log")
    assert compacted(running)["behind"] == 0
    asked = {}
    for format_ in ("jsonl", "csv", "parquet", "ocsf"):
        body = {"format": format_, **span, "filter": {} if format_ == "jsonl" else {"resource": named}}
        once = {"Idempotency-Key": f"{named}-{format_}"}
        first, again = (running.call("POST", "/v1/audit/exports", token=token, json=body, headers=once) for _ in range(2))
        assert (first.status_code, again.json()) == (202, first.json()), first.text
        asked[format_] = f"/v1/audit/exports/{first.json()['id']}"

    def made() -> dict[str, dict[str, Any]] | None:
        answers = {name: running.call("GET", path, token=token).json() for name, path in asked.items()}
        assert "failed" not in [answer["status"] for answer in answers.values()], answers
        return answers if {answer["status"] for answer in answers.values()} == {"done"} else None

    keys = running.call("GET", f"/audit/{running.stack['tenant']['id']}/keys", token=token).json()["keys"]
    for format_, export in until(made, "the exports").items():
        folder = tmp_path / format_
        folder.mkdir()
        (folder / "manifest.json").write_bytes(httpx.get(export["manifest_url"]).content)
        for file in export["files"]:
            fetched = httpx.get(file["url"]).content
            assert hashlib.sha256(fetched).hexdigest() == file["sha256"]
            (folder / file["name"]).write_bytes(fetched)
        assert export["events"] > 12 if format_ == "jsonl" else export["events"] == 12
        assert verified(folder, keys) == (0, True), format_
        first = folder / next(file["name"] for file in export["files"] if file["name"].startswith("events-"))
        changed = bytearray(first.read_bytes())
        changed[len(changed) // 2] ^= 1
        first.write_bytes(changed)
        assert verified(folder, keys) == (1, False), format_
