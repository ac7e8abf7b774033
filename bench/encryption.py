"""Encryption: records and objects sealed and opened warm, against the bare AEAD; and how fast records are moved on."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.keys.envelope import Envelope, rewrapped, wrapping_of
from platforma.keys.objects.chunks import CHUNK, TAG, new_attempt, open_chunks, seal_part, stored_range

TENANT = "ten_01m86h9kkteqdtv79ft12yh2bc"
ROUNDS, CALLS = 7, 500
PART, PARTS = 4 << 20, 16
RECORDS = 2000


def clock() -> datetime:
    return datetime.now(UTC)


def _microseconds(call: Callable[[], object], calls: int = CALLS) -> float:
    """The median over rounds of the CPU time of one call."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(calls):
            call()
        taken.append((time.process_time() - started) / calls * 1e6)
    return round(median(taken), 1)


def run() -> dict[str, Any]:
    """Microseconds a record of 1 KiB, MB a second of 64 MiB in parts; beside `cryptography`'s AESGCM in the same run."""
    keeper = MemoryDataKeys(TENANT)
    envelope, record, nonce = Envelope(keeper, clock), os.urandom(1024), os.urandom(12)
    cipher = AESGCM(os.urandom(32))
    sealed = envelope.seal(TENANT, "identity", "usr_a", record)
    raw = cipher.encrypt(nonce, record, b"usr_a")
    keeper.calls = 0
    seal = _microseconds(lambda: envelope.seal(TENANT, "identity", "usr_a", record))
    open_ = _microseconds(lambda: envelope.open(TENANT, "identity", "usr_a", sealed))
    aead_seal = _microseconds(lambda: cipher.encrypt(nonce, record, b"usr_a"))
    aead_open = _microseconds(lambda: cipher.decrypt(nonce, raw, b"usr_a"))
    asked = keeper.calls
    return {
        "record_seal_us": seal,
        "record_seal_over_aead_us": round(seal - aead_seal, 1),
        "record_open_us": open_,
        "record_open_over_aead_us": round(open_ - aead_open, 1),
        "record_calls_to_the_keeper_of_keys": asked,
        **_objects(),
        **_rewrap(keeper, envelope),
    }


def _objects() -> dict[str, Any]:
    key, attempt, body = os.urandom(32), new_attempt(), os.urandom(PART)
    cipher, whole, nonce = AESGCM(key), os.urandom(PART), os.urandom(12)
    sealed, raw = seal_part(key, attempt, body), cipher.encrypt(nonce, whole, None)
    ours_seal = _microseconds(lambda: seal_part(key, attempt, body), PARTS)
    ours_open = _microseconds(lambda: open_chunks(key, attempt, PART, 0, sealed), PARTS)
    theirs_seal = _microseconds(lambda: cipher.encrypt(nonce, whole, None), PARTS)
    theirs_open = _microseconds(lambda: cipher.decrypt(nonce, raw, None), PARTS)
    worst = max(
        stored_range(PART, start // CHUNK, (start + CHUNK - 1) // CHUNK)[1] - stored_range(PART, start // CHUNK, 0)[0]
        for start in range(0, PART - CHUNK + 1, CHUNK // 4)
    )
    return {
        "object_64_mib_seal_mb_per_second": round(PART / ours_seal),
        "object_64_mib_seal_ratio_to_aesgcm": round(theirs_seal / ours_seal, 2),
        "object_64_mib_open_mb_per_second": round(PART / ours_open),
        "object_64_mib_open_ratio_to_aesgcm": round(theirs_open / ours_open, 2),
        "object_5_gib_chunks_read_for_1_mib": worst // (CHUNK + TAG),
    }


def _rewrap(keeper: MemoryDataKeys, envelope: Envelope) -> dict[str, Any]:
    """Our own share of moving a record on: what the keeper of keys and the tables take is theirs."""
    sealed = [envelope.seal(TENANT, "identity", str(number), b"x" * 300) for number in range(RECORDS)]
    keeper.rotate(TENANT)
    started = time.process_time()
    distinct = list({wrapping.wrapped: None for one in sealed if (wrapping := wrapping_of(one)) is not None})
    again = dict(zip(distinct, keeper.rewrap_all(TENANT, "identity", distinct), strict=True))
    for one in sealed:
        wrapping = wrapping_of(one)
        assert wrapping is not None
        new = again[wrapping.wrapped]
        assert new is not None
        rewrapped(one, new)
    taken = time.process_time() - started
    return {"rewrap_records_per_second_of_cpu": round(RECORDS / taken)}


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:40} {value}")
