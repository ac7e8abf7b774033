"""
What the audit log does in a second, on one core; and how long searches take (`audit_search`), in the index and in Parquet.

The stores are in memory, so that what is measured is our own work: opening what waits, deciding the entries, sealing,
hashing, compressing. What the network adds is for the deployed stack to show. A second is one of the processor's, so that
whatever else runs beside it counts for nothing.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from bench.audit_search import measured
from platforma.adapters.columns import ColdColumns
from platforma.adapters.memory.audit import MemoryBucket, MemoryLogStore, MemoryOutbox, MemoryPersonKeys, MemorySigner
from platforma.adapters.memory.cold import FolderFiles, MemoryMarks
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.audit.attend import Attendant
from platforma.audit.cold import Compactor, compact
from platforma.audit.person_keys import PersonKeys
from platforma.audit.relay import Relay
from platforma.audit.sources import Folder
from platforma.audit.verify import Trusted, verify
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope

EVENTS = 20_000
PERSONS = 500


def run(events: int = EVENTS) -> dict[str, Any]:
    """Record, relay, search and verify *events* events."""
    tenant = new_id("ten")
    envelope = Envelope(MemoryDataKeys(tenant))
    store, bucket, signer = MemoryLogStore(), MemoryBucket(), MemorySigner()
    outbox = MemoryOutbox(store, envelope)
    persons = [new_id("usr") for _ in range(PERSONS)]

    recorded = time.process_time()
    for number in range(events):
        record(outbox, tenant, persons[number % PERSONS], number)
    relayed = time.process_time()
    person_keys = MemoryPersonKeys()
    relay = Relay(store, bucket, envelope, PersonKeys(person_keys, envelope))
    attendant = Attendant(relay, signer, outbox, "bench.example")
    entered = 0
    while entered < events:
        entered += sum(done.entered for done in attendant.ring([tenant]))
    compacted = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        files, columns = FolderFiles(Path(folder)), ColdColumns()
        keys = PersonKeys(person_keys, envelope)
        compact(Compactor(store, bucket, keys, MemoryMarks(), files, columns, system_clock))
        searched = time.process_time()
        searches = measured(tenant, store, envelope, persons[7], Path(folder))
    return {
        "events": events,
        "recorded_per_second": round(events / (relayed - recorded)),
        "relayed_per_second": round(events / (compacted - relayed)),
        "compacted_per_second": round(events / (searched - compacted)),
        **searches,
        "verified_per_second": _verified(bucket, signer, events),
        "bytes_per_event": round(sum(len(kept.body) for kept in bucket.objects.values()) / events, 1),
    }


def record(outbox: MemoryOutbox, tenant: str, person: str, number: int, clock: Clock = system_clock) -> None:
    """Record the event of this *number*: one of ten is denied."""
    attempt = Attempt(
        request_id=f"{number:032x}",
        action="infrastructure.clusters.update",
        clock=clock,
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
