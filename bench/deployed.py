"""
From request to locked bucket: how long until the event of a request lies in an object that nobody can delete.

On a whole deployed system, through its URL: a stack of its own on free ports, as the integration tests' is, or the one whose
stack.json is named. Requests of several tenants and kinds come steadily, then not at all, then all at once. Each is taken
from just before it is sent until a list of the bucket first shows the segment that holds its event (asked for every 50 ms,
so that a time is too long by that rather than too short); then every segment is looked at for its lock.
"""

import contextlib
import json
import os
import random
import secrets
import ssl
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from infra.local import aws
from platforma.audit import segment
from platforma.audit.retention import retain_until
from platforma.kernel.clock import parse_rfc3339

ROUNDS = 6
STEADY_SECONDS, STEADY_PER_SECOND = 40, 3
IDLE_SECONDS = 15
BURST, AT_ONCE = 60, 6
PATIENCE_SECONDS = 180
POLL_SECONDS = 0.05
FURTHER_TENANTS = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's administrating client: its token, and one that may read nothing of users."""

    tenant_id: str
    client: tuple[str, str]
    token: str
    narrow: str

    def requests(self) -> list[dict[str, Any]]:
        """One of each kind: reads, decisions, changes, tokens, what is refused, what is not there, others' events."""
        bearer = {"Authorization": f"Bearer {self.token}"}
        cluster, named = {"type": "cluster", "id": "cls_eu01"}, secrets.token_hex(6)
        event = {"id": named, "timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "action": "orders.invoices.pay"}
        form = {"grant_type": "client_credentials"}
        question = {"action": "infrastructure.clusters.read", "resource": cluster}
        return [
            {"method": "GET", "url": "/v1/me", "headers": bearer},
            {"method": "GET", "url": "/v1/users?limit=1", "headers": bearer},
            {"method": "GET", "url": "/v1/users?limit=1", "headers": {"Authorization": f"Bearer {self.narrow}"}},
            {"method": "GET", "url": "/v1/users/usr_00000000000000000000000000", "headers": bearer},
            {"method": "GET", "url": "/v1/audit/events?limit=1", "headers": bearer},
            {"method": "POST", "url": "/v1/authorize", "headers": bearer, "json": question},
            {"method": "POST", "url": "/v1/api-keys/verify", "headers": bearer, "json": {"key": "pk_live_none"}},
            {"method": "POST", "url": "/v1/audit/events", "headers": bearer, "json": [event | {"result": "success"}]},
            {"method": "PUT", "url": f"/v1/resources/cluster/{named}", "headers": bearer, "json": {"attributes": {}}},
            {"method": "POST", "url": "/v1/users", "headers": bearer, "json": {"email": f"{named}@bench.test", "name": "B"}},
            {"method": "POST", "url": "/oauth2/token", "auth": self.client, "data": form},
        ]


@dataclass
class Watch:
    """What is seen to arrive in the bucket: when each request's last event did, and when each checkpoint."""

    s3: Any
    bucket: str
    logs: Sequence[str]
    arrived: dict[str, float] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    checkpoints: dict[str, list[float]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Look again and again until it is over."""
        folders = [f"{log_id}/{kind}/" for log_id in self.logs for kind in ("segments", "checkpoints")]
        newest = {folder: max(self._names(folder, ""), default="") for folder in folders}
        while not self.over.wait(POLL_SECONDS):
            for folder in folders:
                found, seen = self._names(folder, newest[folder]), time.monotonic()
                for name in found:
                    newest[folder] = name
                    if folder.endswith("/segments/"):
                        self._segment(name, seen)
                    else:
                        self.checkpoints.setdefault(folder, []).append(seen)

    def _names(self, folder: str, after: str) -> list[str]:
        found: list[str] = []
        while True:
            page = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=folder, StartAfter=found[-1] if found else after)
            found += [one["Key"] for one in page.get("Contents", [])]
            if not page["IsTruncated"]:
                return found

    def _segment(self, name: str, seen: float) -> None:
        entries = [
            json.loads(line) for line in segment.unpack(self.s3.get_object(Bucket=self.bucket, Key=name)["Body"].read())
        ]
        self.arrived |= dict.fromkeys((entry["request_id"] for entry in entries), seen)
        self.segments[name] = max(entry["received_at"] for entry in entries)

    def locked(self) -> int:
        """How many segments were looked at: each is locked in COMPLIANCE mode for two calendar years and a day at least."""
        for name, newest in self.segments.items():
            found = self.s3.head_object(Bucket=self.bucket, Key=name)
            assert found["ObjectLockMode"] == "COMPLIANCE", name
            assert found["ObjectLockRetainUntilDate"] >= retain_until(parse_rfc3339(newest)), name
        return len(self.segments)


@contextlib.contextmanager
def _stack(file: Path | None) -> Iterator[dict[str, Any]]:
    """The stack that *file* tells of, or one of its own, which ends with it."""
    if file is not None:
        yield json.loads(file.read_text())
        return
    from infra.local import down, up
    from infra.local.ports import Ports

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "stack"
        try:
            yield up(home, Ports.free())
        finally:
            down(home)


def _token(http: httpx.Client, client: tuple[str, str], **form: str) -> str:
    answer = http.post("/oauth2/token", data={"grant_type": "client_credentials", **form}, auth=client)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def _callers(stack: dict[str, Any], http: httpx.Client) -> list[Caller]:
    """The demo tenant's client, and those of tenants made for this."""
    told = [(stack["tenant"]["id"], stack["service_client"])]
    platform = stack["platform_client"]
    token = _token(http, (platform["client_id"], platform["client_secret"]))
    for number in range(FURTHER_TENANTS):
        admin = {"email": f"{secrets.token_hex(4)}@bench.test", "name": "Bench"}
        body = {"name": f"bench {number}", "admin": admin}
        made = http.post("/v1/tenants", json=body, headers={"Authorization": f"Bearer {token}"})
        assert made.status_code == 201, made.text
        asked = {"tenant_id": made.json()["id"], "first_client": {"name": "bench", "roles": ["admin"]}}
        answer = aws.client("lambda", stack["aws"]["endpoint_url"]).invoke(
            FunctionName=stack["outputs"]["SetupFunction"], Payload=json.dumps(asked)
        )
        told.append((made.json()["id"], json.loads(answer["Payload"].read())))
    pairs = [(tenant_id, (client["client_id"], client["client_secret"])) for tenant_id, client in told]
    return [
        Caller(tenant_id, pair, _token(http, pair), _token(http, pair, scope="infrastructure:read"))
        for tenant_id, pair in pairs
    ]


def _sent(http: httpx.Client, request: dict[str, Any]) -> tuple[str, tuple[float, float]]:
    """A request's id, when it was sent and when it was answered."""
    started = time.monotonic()
    answer = http.request(**request)
    assert answer.status_code < 500, answer.text
    return answer.headers["x-request-id"], (started, time.monotonic())


def _woken(http: httpx.Client, callers: Sequence[Caller]) -> None:
    """As many of each function as will work at once are there: here all of them begin on one machine's few cores."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for kind in range(len(callers[0].requests())):
            for one in [pool.submit(_sent, http, callers[0].requests()[kind]) for _ in range(AT_ONCE)]:
                one.result()


def _played(http: httpx.Client, callers: Sequence[Caller]) -> dict[str, tuple[float, float]]:
    """When each request was sent and answered, by its id."""
    order = random.Random(1)  # the same order each time
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = []
        for _ in range(ROUNDS):
            for _ in range(STEADY_SECONDS * STEADY_PER_SECOND):
                asked.append(pool.submit(_sent, http, order.choice(order.choice(callers).requests())))
                time.sleep(1 / STEADY_PER_SECOND)
            time.sleep(IDLE_SECONDS)
            burst = [order.choice(order.choice(callers).requests()) for _ in range(BURST)]
            asked += [pool.submit(_sent, http, request) for request in burst]
        return dict(one.result() for one in asked)


def run(file: Path | None = None) -> dict[str, Any]:
    """
    Seconds from request to locked bucket, and between checkpoints of a log that always has news.

    What the answers alone took, and the machine's load over the last five minutes, tell how much of it is the machine's.
    """
    with _stack(file) as stack:
        trusted = ssl.create_default_context(cafile=stack["ca_file"])
        limits = httpx.Limits(keepalive_expiry=5)
        with httpx.Client(base_url=stack["url"], verify=trusted, timeout=30, limits=limits) as http:
            callers = _callers(stack, http)
            s3 = aws.client("s3", stack["aws"]["endpoint_url"])
            watch = Watch(s3, stack["outputs"]["AuditBucket"], [caller.tenant_id for caller in callers])
            watching = threading.Thread(target=watch.run)
            watching.start()
            try:
                _woken(http, callers)
                began = time.monotonic()
                sent = _played(http, callers)
                played = time.monotonic() - began
                ends = time.monotonic() + PATIENCE_SECONDS
                while missing := sent.keys() - watch.arrived.keys():
                    assert time.monotonic() < ends, f"{len(missing)} events did not arrive"
                    time.sleep(0.1)
            finally:
                watch.over.set()
                watching.join()
        took = [watch.arrived[request_id] - started for request_id, (started, _) in sent.items()]
        answered = statistics.quantiles((later - sooner for sooner, later in sent.values()), n=100, method="inclusive")
        hundredths = statistics.quantiles(took, n=100, method="inclusive")
        apart = [later - sooner for seen in watch.checkpoints.values() for sooner, later in pairwise(seen)]
        return {
            "requests": len(sent),
            "minutes": round(played / 60, 1),
            "tenants": len(callers),
            "load_average": round(os.getloadavg()[1], 1),
            "answered_p50_seconds": round(answered[49], 2),
            "answered_p99_seconds": round(answered[98], 2),
            "request_to_locked_p50_seconds": round(hundredths[49], 2),
            "request_to_locked_p95_seconds": round(hundredths[94], 2),
            "request_to_locked_p99_seconds": round(hundredths[98], 2),
            "request_to_locked_max_seconds": round(max(took), 2),
            "segments_seen_locked": watch.locked(),
            "checkpoints": sum(map(len, watch.checkpoints.values())),
            "checkpoints_apart_max_seconds": round(max(apart), 1),
        }


if __name__ == "__main__":
    for figure, value in run(Path(sys.argv[1]) if sys.argv[1:] else None).items():
        print(f"{figure:40} {value}")
