"""The audit log through the API: written to, proved, and only by those who may."""

import json
from pathlib import Path

import boto3
import pytest

from platforma.adapters.athena import AthenaTable
from platforma.adapters.memory.cold import DuckDBTable
from platforma.audit import note, tree
from platforma.audit.disclosure import verify_disclosure
from platforma.audit.verification import Trusted
from tests.world import COLD, REGION, Tenant, World


def external(world: World, **fields: object) -> dict[str, object]:
    now = world.clock().isoformat().replace("+00:00", "Z")
    return {"id": "their-1", "timestamp": now, "action": "orders.orders.create", "result": "success", **fields}


def test_another_service_writes_and_the_same_again_enters_once(world: World, tenant: Tenant):
    first = tenant.call("POST", "/v1/audit/events", external(world, user_id="usr_x"), expect=200).json["ids"]
    again = tenant.call("POST", "/v1/audit/events", [external(world, user_id="usr_x")], expect=200).json["ids"]

    assert first == again
    (event,) = tenant.events(action="orders.orders.create")
    assert (event["source"], event["principal_id"]) == ("external", tenant.client["client_id"])


def test_another_body_under_the_same_id_is_a_conflict(world: World, tenant: Tenant):
    tenant.call("POST", "/v1/audit/events", external(world), expect=200)

    assert tenant.call("POST", "/v1/audit/events", external(world, result="denied")).status == 409


def test_nobody_writes_events_of_control_domains(world: World, tenant: Tenant):
    reply = tenant.call("POST", "/v1/audit/events", external(world, action="settings.users.create"))

    assert reply.status == 422


def test_a_fault_is_pointed_at_where_it_stands_in_what_was_sent(world: World, tenant: Tenant):
    alone = tenant.call("POST", "/v1/audit/events", external(world, result="maybe"), expect=422).json
    listed = tenant.call("POST", "/v1/audit/events", [external(world), external(world, result="maybe")], expect=422).json

    assert [error["pointer"] for error in alone["errors"]] == ["/result"]
    assert [error["pointer"] for error in listed["errors"]] == ["/1/result"]


def test_the_moment_of_a_decision_is_told_in_utc_with_z(tenant: Tenant):
    request_id = tenant.call("GET", "/v1/users", expect=200).request_id
    (event,) = tenant.events(request_id=request_id)

    assert event["decision"]["context"]["time"].endswith("Z")


def test_an_event_is_proved_once_a_checkpoint_covers_it(world: World, tenant: Tenant):
    request_id = tenant.call("GET", "/v1/users", expect=200).request_id
    (event,) = tenant.events(request_id=request_id)
    waiting = tenant.call("GET", f"/v1/audit/events/{event['id']}/proof")
    assert (waiting.status, waiting.headers["retry-after"]) == (202, "60")

    world.clock.move(minutes=2)
    world.sweep()

    proof = tenant.call("GET", f"/v1/audit/events/{event['id']}/proof", expect=200).json
    keys = tenant.call("GET", f"/audit/{tenant.id}/keys", expect=200).json["keys"]
    checkpoint = tenant.call("GET", f"/audit/{tenant.id}/checkpoint", expect=200)
    assert request_id in proof["entry"]
    assert checkpoint.headers["content-type"].startswith("text/plain")
    assert keys[0].startswith(f"platforma.test/audit/{tenant.id}+")
    assert note.parse_checkpoint(note.text_of(proof["checkpoint"].encode())).size == proof["tree_size"]
    (log,) = tenant.call("GET", "/v1/audit/logs", expect=200).json["items"]
    assert log["id"] == tenant.id
    size = proof["tree_size"]
    assert tenant.call("GET", f"/v1/audit/consistency?from={size}", expect=200).json["to"] >= size


def test_an_event_is_disclosed_once_a_checkpoint_covers_it_and_the_log_says_what_was_told(world: World, tenant: Tenant):
    request_id = tenant.call("GET", "/v1/users", expect=200).request_id
    (event,) = tenant.events(request_id=request_id)
    where = f"/v1/audit/events/{event['id']}/disclosure"
    assert tenant.call("GET", where).status == 202
    world.clock.move(minutes=2)
    world.sweep()

    file = tenant.call("GET", f"{where}?fields=ip_address", expect=200)

    keys = tenant.call("GET", f"/audit/{tenant.id}/keys", expect=200).json["keys"]
    report, own = verify_disclosure(json.dumps(file.json).encode(), Trusted(named=tuple(map(note.parse_key, keys))))
    assert (report.whole, own, report.faults) == (True, (), [])
    assert "user_agent" not in file.json["event"]
    (told,) = tenant.events(request_id=file.request_id)
    assert (told["resource"], told["changes"]) == (event["id"], {"after": {"fields": ["ip_address"]}})
    assert tenant.call("GET", f"{where}?fields=password").status == 422


def test_another_tenants_log_does_not_exist(world: World, tenant: Tenant):
    other = world.tenant("other", "admin@other.test")
    world.clock.move(minutes=2)
    world.sweep()

    assert other.call("GET", f"/audit/{tenant.id}/checkpoint").status == 404
    assert other.call("GET", f"/audit/{tenant.id}/keys").status == 404
    assert other.call("GET", f"/v1/audit/consistency?log={tenant.id}&from=1").status == 404


def test_tiles_and_bundles_of_entries_lead_to_the_signed_root(world: World, tenant: Tenant):
    tenant.call("GET", "/v1/users", expect=200)
    world.clock.move(minutes=2)
    world.sweep()
    signed = tenant.call("GET", f"/audit/{tenant.id}/checkpoint", expect=200).text
    checkpoint = note.parse_checkpoint(note.text_of(signed.encode()))
    partial = f"000.p/{checkpoint.size}"

    tile = tenant.call("GET", f"/audit/{tenant.id}/tile/0/{partial}", expect=200)
    bundle = tenant.call("GET", f"/audit/{tenant.id}/tile/entries/{partial}", expect=200).text.encode("latin-1")

    assert tile.headers["content-type"] == "application/octet-stream"
    entries = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    leaves = [tree.leaf_hash(entry) for entry in entries]
    assert tile.text.encode("latin-1") == b"".join(leaves)
    assert tree.root_of(tree.extended((), 0, leaves)) == checkpoint.root


@pytest.mark.parametrize(
    "path", ["0/001", "0/000.p/255", "0/0", "0/000.p/0", "64/000", "entries/000", "0/000/", "x/000", "0/../checkpoints/1"]
)
def test_what_no_checkpoint_has_is_no_tile(world: World, tenant: Tenant, path: str):
    tenant.call("GET", "/v1/users", expect=200)
    world.clock.move(minutes=2)
    world.sweep()

    assert tenant.call("GET", f"/audit/{tenant.id}/tile/{path}").status == 404


def test_another_tenants_tiles_do_not_exist(world: World, tenant: Tenant):
    other = world.tenant("other", "admin@other.test")
    tenant.call("GET", "/v1/users", expect=200)
    world.clock.move(minutes=2)
    world.sweep()
    size = note.parse_checkpoint(
        note.text_of(tenant.call("GET", f"/audit/{tenant.id}/checkpoint", expect=200).text.encode())
    ).size

    assert other.call("GET", f"/audit/{tenant.id}/tile/0/000.p/{size}").status == 404


def _by_duckdb(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is asked of Athena answered by DuckDB, over what lies in the bucket of old events now."""
    bucket = boto3.resource("s3", region_name=REGION).Bucket(COLD)
    for kept in bucket.objects.all():
        (root / kept.key).parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(kept.key, str(root / kept.key))
    table = DuckDBTable(root)
    monkeypatch.setattr(AthenaTable, "ask", lambda _, statement: table.ask(statement))


def test_an_event_older_than_the_index_is_found_read_and_proved(
    world: World, tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    request = tenant.call("GET", "/v1/users", expect=200).request_id
    before = tenant.events(request_id=request)[0]
    world.clock.move(minutes=2)
    world.sweep()
    world.clock.move(hours=2)
    assert world.old_events("compact")["cold"]["behind"] == 0
    _by_duckdb(tmp_path, monkeypatch)
    world.clock.move(days=100)
    table = boto3.resource("dynamodb", region_name=REGION).Table("audit")
    for item in table.scan()["Items"]:
        if "#HOT#" in item["pk"] or "#CLAIM#" in item["pk"]:  # what the table's TTL takes
            table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})

    (found,) = tenant.events(request_id=request)

    assert {**before, "sequence": found["sequence"]} == found
    assert found["ip_address"] == "203.0.113.7"
    assert tenant.call("GET", f"/v1/audit/events/{before['id']}", expect=200).json == found
    proof = tenant.call("GET", f"/v1/audit/events/{before['id']}/proof", expect=200).json
    assert proof["leaf_index"] == found["sequence"]
