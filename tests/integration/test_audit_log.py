"""The log as its readers have it: tiles over HTTP, completeness, exports that verify offline."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from platforma.audit import note, tree
from platforma.audit.tiles import WIDTH, Tile
from tests.integration.conftest import Running

ROOT = Path(__file__).parents[2]


def until(found: Callable[[], Any], what: str, within: float = 240) -> Any:
    """The first answer of *found* that is not None, asked for again and again."""
    ends = time.monotonic() + within
    while (answer := found()) is None:
        assert time.monotonic() < ends, f"{what} did not come"
        time.sleep(1)
    return answer


@pytest.fixture(scope="module")
def keys(running: Running, token: str) -> list[str]:
    """The verifier keys of the tenant's log."""
    found = running.call("GET", f"/audit/{running.stack['tenant']['id']}/keys", token=token)
    assert found.status_code == 200, found.text
    return list(found.json()["keys"])


def test_entries_and_tiles_over_http_lead_to_the_signed_root(running: Running, token: str, keys: list[str]):
    log = f"/audit/{running.stack['tenant']['id']}"
    signed = running.call("GET", f"{log}/checkpoint", token=token)
    checkpoint = note.verify(signed.content, [note.parse_key(key) for key in keys])

    def read(tile: Tile) -> bytes:
        found = running.call("GET", f"{log}/{tile}", token=token)
        assert found.status_code == 200, found.text
        assert found.headers["content-type"] == "application/octet-stream"
        return found.content

    leaves: list[bytes] = []
    while len(leaves) < checkpoint.size:
        number = len(leaves) // WIDTH
        width = min(WIDTH, checkpoint.size - number * WIDTH)
        bundle, hashes = read(Tile(None, number, width)), []
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            hashes.append(tree.leaf_hash(bundle[2 : 2 + length]))
            bundle = bundle[2 + length :]
        assert b"".join(hashes) == read(Tile(0, number, width))
        leaves += hashes

    assert tree.root_of(tree.extended((), 0, leaves)) == checkpoint.root


def test_every_request_has_its_event(running: Running, token: str):
    """Also one that the gateway refuses by itself: no function ever hears of it."""
    running.call("GET", "/v1/users", token=token)
    refused = running.call("GET", "/no/such/path").headers["x-request-id"]
    now = datetime.now(UTC)
    span = {"from": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "to": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}

    def told() -> dict[str, Any] | None:
        answer = running.call("GET", "/v1/audit/completeness", token=token, params=span)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.json()["requests_seen"] else None

    found = until(told, "a reconciled minute", within=480)
    assert found["events_found"] == found["requests_seen"]
    assert (found["missing"], found["missing_count"]) == ([], 0)
    platform = running.token(running.stack["platform_client"])

    def strangers() -> list[dict[str, Any]] | None:
        answer = running.call("GET", "/v1/audit/events", token=platform, params={"request_id": refused})
        return answer.json()["items"] or None

    [event] = until(strangers, "the refused request's event")
    assert (event["action"], event["principal_type"]) == ("gateway.requests.refused", "anonymous")


def test_one_event_is_disclosed_to_a_third_party_who_verifies_it_offline(
    running: Running, token: str, keys: list[str], tmp_path: Path
):
    request_id = running.call("GET", "/v1/users", token=token).headers["x-request-id"]
    [event] = running.call("GET", "/v1/audit/events", token=token, params={"request_id": request_id}).json()["items"]

    def disclosed() -> httpx.Response | None:
        answer = running.call("GET", f"/v1/audit/events/{event['id']}/disclosure", token=token, params={"fields": "none"})
        assert answer.status_code in (200, 202), answer.text
        return answer if answer.status_code == 200 else None

    file = tmp_path / "event.json"
    file.write_bytes(until(disclosed, "a checkpoint").content)

    assert event["ip_address"] not in file.read_text()
    assert verified(file, keys) == (0, True)
    file.write_text(file.read_text().replace('"success"', '"denied"', 1))
    assert verified(file, keys) == (1, False)


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_an_export_is_made_once_fetched_and_verified_offline(
    running: Running, token: str, keys: list[str], tmp_path: Path, format_: str
):
    now = datetime.now(UTC)
    body = {"format": format_, "from": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "to": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    once = {"Idempotency-Key": f"export-{format_}-{now.timestamp()}"}
    asked, again = (running.call("POST", "/v1/audit/exports", token=token, json=body, headers=once) for _ in range(2))
    assert (asked.status_code, again.json()) == (202, asked.json()), asked.text

    def made() -> dict[str, Any] | None:
        answer = running.call("GET", f"/v1/audit/exports/{asked.json()['id']}", token=token).json()
        assert answer["status"] != "failed", answer
        return answer if answer["status"] == "done" else None

    export = until(made, "the export")
    assert export["events"] > 0
    (tmp_path / "manifest.json").write_bytes(httpx.get(export["manifest_url"]).content)
    for file in export["files"]:
        fetched = httpx.get(file["url"]).content
        assert hashlib.sha256(fetched).hexdigest() == file["sha256"]
        (tmp_path / file["name"]).write_bytes(fetched)

    assert verified(tmp_path, keys) == (0, True)
    first = tmp_path / next(file["name"] for file in export["files"] if file["name"].startswith("events-"))
    changed = bytearray(first.read_bytes())
    changed[len(changed) // 2] ^= 1
    first.write_bytes(changed)
    assert verified(tmp_path, keys) == (1, False)


def verified(what: Path, keys: list[str]) -> tuple[int, bool]:
    """Exit status and answer of the command that anybody may run, with nothing of the system but its code."""
    command = [sys.executable, "-m", "platforma.audit", "verify", str(what), "--json"]
    ran = subprocess.run(
        [*command, *(f"--key={key}" for key in keys)],
        env={"PYTHONPATH": str(ROOT / "layers/core/python"), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    return ran.returncode, json.loads(ran.stdout)["whole"]
