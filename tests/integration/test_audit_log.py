"""The log as its readers have it: tiles over HTTP, events of other services, disclosures that verify offline."""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
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


def test_another_services_event_is_written_once_found_at_once_proved_and_disclosed(
    running: Running, token: str, keys: list[str], tmp_path: Path
):
    """A third party verifies the disclosure offline; who read the log is in it, too."""
    named, log = f"inv_{secrets.token_hex(8)}", running.stack["tenant"]["id"]
    said = {"id": named, "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "action": "orders.invoices.pay"}
    said |= {"result": "success", "resource": named, "ip_address": "192.0.2.77"}
    first, again = (running.call("POST", "/v1/audit/events", token=token, json=[said]) for _ in range(2))
    assert (first.status_code, again.json()) == (200, first.json()), first.text
    assert running.call("POST", "/v1/audit/events", token=token, json=[said | {"result": "denied"}]).status_code == 409
    search = running.call("GET", "/v1/audit/events", token=token, params={"resource": named})
    [event] = search.json()["items"]
    assert ([event["id"]], event["source"]) == (first.json()["ids"], "external")
    reading = {"request_id": search.headers["x-request-id"]}
    [read] = running.call("GET", "/v1/audit/events", token=token, params=reading).json()["items"]
    assert (read["action"], read["result"]) == ("audit.events.search", "success")
    old = note.verify(running.call("GET", f"/audit/{log}/checkpoint", token=token).content, [*map(note.parse_key, keys)])

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
    proof = running.call("GET", f"/v1/audit/events/{event['id']}/proof", token=token).json()
    new = note.verify(proof["checkpoint"].encode(), [*map(note.parse_key, keys)])
    path = [base64.b64decode(hash_) for hash_ in proof["hashes"]]
    tree.verify_inclusion(tree.leaf_hash(proof["entry"].encode()), proof["leaf_index"], new.size, path, new.root)
    sizes = {"log": log, "from": str(old.size), "to": str(new.size)}
    grown = running.call("GET", "/v1/audit/consistency", token=token, params=sizes).json()
    tree.verify_consistency(old.size, new.size, [*map(base64.b64decode, grown["hashes"])], old.root, new.root)


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
