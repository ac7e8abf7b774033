"""
What the audit log does in a second, on one core; and how long searches take, in the index and in what left it.

The stores are in memory, so that what is measured is our own work: opening what waits, deciding the entries, sealing,
hashing, compressing. What the network adds is for the deployed stack to show. A second is one of the processor's, so that
whatever else runs beside it counts for nothing.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from platforma.adapters.memory.audit import MemoryBucket, MemoryLogStore, MemoryOutbox, MemoryPersonKeys, MemorySigner
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.attend import Attendant
from platforma.audit.cold import Cold
from platforma.audit.model import HOT_DAYS
from platforma.audit.person_keys import PersonKeys
from platforma.audit.query import Query, parse_query
from platforma.audit.relay import Relay
from platforma.audit.search import search
from platforma.audit.sources import Folder
from platforma.audit.verify import Trusted, verify
from platforma.kernel.clock import system_clock
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope

EVENTS = 20_000
PERSONS = 500
SEARCHES = 50


def run(events: int = EVENTS) -> dict[str, Any]:
    """Record, relay, search and verify *events* events."""
    tenant = new_id("ten")
    envelope = Envelope(MemoryDataKeys(tenant))
    store, bucket, signer = MemoryLogStore(), MemoryBucket(), MemorySigner()
    outbox = MemoryOutbox(store, envelope)
    persons = [new_id("usr") for _ in range(PERSONS)]

    recorded = time.process_time()
    for number in range(events):
        _record(outbox, tenant, persons[number % PERSONS], number)
    relayed = time.process_time()
    person_keys = MemoryPersonKeys()
    relay = Relay(store, bucket, envelope, PersonKeys(person_keys, envelope))
    attendant = Attendant(relay, signer, outbox, "bench.example")
    entered = 0
    while entered < events:
        entered += sum(done.entered for done in attendant.ring([tenant]))
    searched = time.process_time()
    hot = _searched(tenant, persons, lambda query: search(query, store=store, envelope=envelope))
    store.forget_index()
    cold = Cold(store, bucket, PersonKeys(person_keys, envelope), _later)
    old = _searched(
        tenant, persons, lambda query: search(query, store=store, envelope=envelope, cold=cold, clock=system_clock)
    )
    return {
        "events": events,
        "recorded_per_second": round(events / (relayed - recorded)),
        "relayed_per_second": round(events / (searched - relayed)),
        "search_hot_p50_milliseconds": hot[0],
        "search_hot_p95_milliseconds": hot[1],
        "search_old_p50_milliseconds": old[0],
        "search_old_p95_milliseconds": old[1],
        "verified_per_second": _verified(bucket, signer, events),
        "bytes_per_event": round(sum(len(kept.body) for kept in bucket.objects.values()) / events, 1),
    }


def _later() -> datetime:
    """A day on which everything that is recorded now is old."""
    return system_clock() + timedelta(days=HOT_DAYS + 1)


def _searched(tenant: str, persons: list[str], ask: Callable[[Query], object]) -> tuple[float, float]:
    """The median and the 95th percentile of a page of 50, by what people ask for, in milliseconds."""
    asked = [
        *({"action": "infrastructure.*", "result": "denied"}, {"user_id": persons[7]}, {"resource": "cls_eu01"}),
        *({"ip_address": "192.0.2.9"}, {"q": "firefox"}, {"request_id": f"{17:032x}"}, {"order": "asc"}),
    ]
    taken = []
    for number in range(SEARCHES):
        query = parse_query(tenant, {**asked[number % len(asked)], "limit": "50"})
        started = time.process_time()
        ask(query)
        taken.append((time.process_time() - started) * 1000)
    cuts = quantiles(taken, n=20)
    return round(cuts[9], 2), round(cuts[18], 2)


def _record(outbox: MemoryOutbox, tenant: str, person: str, number: int) -> None:
    attempt = Attempt(
        request_id=f"{number:032x}",
        action="infrastructure.clusters.update",
        clock=system_clock,
        ip_address=f"192.0.2.{number % 256}",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        tenant_id=tenant,
        principal_type="user",
        principal_id=person,
        user_id=person,
    )
    outbox.enter(attempt.event("denied" if number % 10 == 0 else "success", resource="cls_eu01", resource_type="cluster"))


def _verified(bucket: MemoryBucket, signer: MemorySigner, events: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        for key, kept in bucket.objects.items():
            file = Path(folder, key)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(kept.body)
        started = time.process_time()
        report = verify(Folder(Path(folder)), Trusted(raw=tuple(signer.public_keys().values())))
        seconds = time.process_time() - started
    if not report.whole or report.logs[0].entries != events:
        raise RuntimeError(f"The log is not whole: {report}")
    return round(events / seconds)


if __name__ == "__main__":
    print(run())
