"""Exports through the API: asked for, made by the worker, fetched by link, and only by those who may."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from platforma import bootstrap
from platforma.audit.exports.check import verify_export
from platforma.audit.exports.model import File
from platforma.audit.note import parse_key
from platforma.audit.verification import Stored, Trusted
from platforma.edge import audit_exports
from platforma.kernel.clock import rfc3339
from tests.world import EXPORTS, REGION, Tenant, World


def asked(world: World, **fields: object) -> dict[str, object]:
    since, until = rfc3339(world.clock() - timedelta(days=1)), rfc3339(world.clock() + timedelta(days=1))
    return {"format": "jsonl", "from": since, "to": until, **fields}


def made(world: World, tenant: Tenant, **fields: object) -> dict[str, object]:
    tenant.call("GET", "/v1/users", expect=200)
    world.clock.move(seconds=1)
    export = tenant.call("POST", "/v1/audit/exports", asked(world, **fields), expect=202).json
    world.clock.move(minutes=2)
    world.sweep()
    context = type("Context", (), {"aws_request_id": "export"})()
    assert world.function("audit_export").handler({"source": "schedule", "job": "export"}, context)["done"] == 1
    return tenant.call("GET", f"/v1/audit/exports/{export['id']}", expect=200).json


class Fetched:
    """`Source`: the export as its links name it."""

    def __init__(self, export: dict[str, object]) -> None:
        self.s3 = boto3.client("s3", region_name=REGION)
        urls = [str(export["manifest_url"]), *(file["url"] for file in export["files"])]
        self.keys = [urlsplit(url).path.lstrip("/").removeprefix(f"{EXPORTS}/") for url in urls]
        self.links = [parse_qs(urlsplit(url).query) for url in urls]

    def names(self):
        return [key.split("/", 2)[2] for key in self.keys]

    def read(self, name: str) -> Stored:
        key = next(key for key in self.keys if key.endswith(name))
        return Stored(self.s3.get_object(Bucket=EXPORTS, Key=key)["Body"].read())

    def faults(self):
        return ()


def test_an_export_is_made_fetched_by_link_and_verified(world: World, tenant: Tenant):
    export = made(world, tenant)
    keys = tenant.call("GET", f"/audit/{tenant.id}/keys", expect=200).json["keys"]
    fetched = Fetched(export)

    report = verify_export(fetched, Trusted(named=tuple(parse_key(key) for key in keys)))

    (events,) = [file for file in export["files"] if file["name"].startswith("events-")]
    body = fetched.read(events["name"]).body
    assert (export["status"], report.whole, report.logs[0].entries) == ("done", True, export["events"])
    assert hashlib.sha256(body).hexdigest() == events["sha256"]
    assert "settings.users.list" in {json.loads(line)["action"] for line in body.splitlines()}
    assert {link["X-Amz-Expires"][0] for link in fetched.links} == {"900"}


def test_asking_for_an_export_is_itself_in_the_log(world: World, tenant: Tenant):
    export = tenant.call("POST", "/v1/audit/exports", asked(world, filter={"q": "secret words"}), expect=202).json

    (event,) = tenant.events(action="audit.events.export")
    assert (event["resource"], event["changes"]["after"]["format"]) == (export["id"], "jsonl")
    assert "secret words" not in json.dumps(event)


def test_until_it_is_done_there_are_no_links(world: World, tenant: Tenant):
    export = tenant.call("POST", "/v1/audit/exports", asked(world), expect=202).json

    assert (export["status"], export["files"], export["manifest_url"]) == ("queued", [], None)
    assert [one["id"] for one in tenant.call("GET", "/v1/audit/exports", expect=200).json["items"]] == [export["id"]]


def test_more_files_than_one_answer_holds_are_listed_page_by_page(
    world: World, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
):
    older, export = made(world, tenant), made(world, tenant)
    kept = bootstrap.exports()
    for part in (2, 3):
        current = kept.get(tenant.id, str(export["id"]))
        assert current is not None
        kept.replace(
            replace(current, parts=part), (File(f"events-{part:05d}.jsonl", "", 1, 1), File(f"proofs-{part}", "", 1))
        )
    monkeypatch.setattr(audit_exports, "_SHOWN", 2)
    path = f"/v1/audit/exports/{export['id']}"

    first = tenant.call("GET", path, expect=200).json
    rest = tenant.call("GET", f"{path}?cursor={first['next_cursor']}", expect=200).json
    page = tenant.call("GET", "/v1/audit/exports", expect=200).json
    behind = tenant.call("GET", f"/v1/audit/exports?cursor={page['next_cursor']}", expect=200).json
    [listed] = page["items"]

    assert [len(first["files"]), len(rest["files"]), rest["next_cursor"]] == [4, 2, None]
    assert [file["name"] for file in rest["files"]] == ["events-00003.jsonl", "proofs-3"]
    assert (listed["id"], len(listed["files"])) == (export["id"], 4)
    assert tenant.call("GET", f"{path}?cursor={listed['next_cursor']}", expect=200).json["files"] != first["files"]
    assert [one["id"] for one in behind["items"]] == [older["id"]]
    assert tenant.call("GET", f"/v1/audit/exports/{older['id']}?cursor={first['next_cursor']}").status == 422


@pytest.mark.parametrize(
    "fields", [{"format": "xml"}, {"filter": {"secret": "x"}}, {"from": "soon"}, {"to": "2020-01-01T00:00:00Z"}]
)
def test_what_says_nothing_is_refused(world: World, tenant: Tenant, fields: dict[str, object]):
    assert tenant.call("POST", "/v1/audit/exports", asked(world, **fields)).status == 422


def test_another_tenant_and_who_may_not_read_the_log_get_none(world: World, tenant: Tenant):
    export = tenant.call("POST", "/v1/audit/exports", asked(world), expect=202).json
    other = world.tenant("other", "admin@other.test")
    nobody = world.token(tenant.client_with(scopes=("infrastructure:read",)))

    assert other.call("GET", f"/v1/audit/exports/{export['id']}").status == 404
    assert other.call("GET", "/v1/audit/exports", expect=200).json["items"] == []
    assert world.call("GET", f"/v1/audit/exports/{export['id']}", token=nobody).status == 403
    assert world.call("POST", "/v1/audit/exports", token=nobody, json_body=asked(world)).status == 403


def test_an_export_of_before_tells_nothing_of_who_was_erased_and_is_there_again(world: World, tenant: Tenant):
    fields = {"email": "ada@acme.test", "name": "Ada", "roles": []}
    ada = tenant.call("POST", "/v1/users", fields, expect=201).json["id"]
    export = made(world, tenant)
    before = {key: Fetched(export).read(key).body for key in Fetched(export).keys}
    assert any(b"ada@acme.test" in body for body in before.values())

    tenant.call("POST", f"/v1/users/{ada}/erasure", expect=202)
    for _ in range(3):
        world.clock.move(minutes=11)
        world.sweep()
        world.erase()

    erasure = tenant.call("GET", f"/v1/users/{ada}/erasure", expect=200).json
    anew = tenant.call("GET", f"/v1/audit/exports/{export['id']}", expect=200).json
    after = {key: Fetched(anew).read(key).body for key in Fetched(anew).keys}
    keys = tenant.call("GET", f"/audit/{tenant.id}/keys", expect=200).json["keys"]
    assert (erasure["status"], erasure["exports_remade"]) == ("done", 1)
    assert (anew["status"], anew["events"], after.keys()) == ("done", export["events"], before.keys())
    assert not any(b"ada@acme.test" in body for body in after.values())
    assert verify_export(Fetched(anew), Trusted(named=tuple(parse_key(key) for key in keys))).whole


def test_what_a_tenant_exported_goes_with_its_key(world: World, tenant: Tenant):
    export = made(world, tenant)
    (key, *_) = Fetched(export).keys
    platform = world.token(world.platform_client)
    gone = world.call("DELETE", f"/v1/tenants/{tenant.id}?immediate=true", token=platform, headers={"If-Match": "*"})
    assert gone.status == 202, gone.text

    world.clock.move(minutes=20)
    world.sweep()
    world.old_events("compact")

    found = boto3.client("s3", region_name=REGION).list_objects_v2(Bucket=EXPORTS, Prefix=f"{tenant.id}/")
    assert found["KeyCount"] == 0, key
