"""
What a check of an API key costs us: our own CPU time, reads and hashes, without network and client libraries.

    forged      a key with a right CRC32 and a wrong keyed checksum
    warm        a good key with a good ticket, and with the item at hand
    decoding    what the client library and we take to make a key of an item, beside that
    p99         of warm checks with the item decoded each time
    limiter     charges of one tenant's limit by one instance, and by ten, and what of it reaches the table
    cold        ten instances that share nothing but the table check ten keys, a thousand times an hour
"""

import random
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import bcrypt

from platforma.adapters.dynamodb.apikeys_items import KeyItem, fields_of, key_of
from platforma.adapters.memory.apikeys import MemoryKeys, MemoryLimits
from platforma.adapters.memory.keys import MemorySecrets
from platforma.apikeys import APIKey, IssuedKey, KeyRequest, Limiter, check_key, issue_key, verify_key
from platforma.apikeys.format import encode
from platforma.apikeys.model import RateLimit, SharedLimit
from platforma.apikeys.shared_limits import tenant_holder
from platforma.kernel.clock import rfc3339
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys import stored_secret
from platforma.keys.ports import Secrets
from platforma.keys.secrets import CachedSecrets

KEYS = INSTANCES = 10
CHECKS = 1000
HOURS = 3


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class Items:
    """A table whose items are at hand already; nothing is due to be written."""

    def __init__(self, *keys: APIKey) -> None:
        self.keys = {key.id: key for key in keys}
        self.reads = 0

    def find(self, key_id: str) -> APIKey | None:
        self.reads += 1
        return self.keys.get(key_id)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def _issue(keys: Any, secrets: Secrets, clock: Now) -> IssuedKey:
    return issue_key(
        KeyRequest("bench", "live", ("infrastructure:read", "orders:read"), ip_range=("192.0.2.0/24", "2001:db8::/32")),
        tenant_id=new_id("ten"),
        owner_type="user",
        owner_id=new_id("usr"),
        created_by=new_id("usr"),
        keys=keys,
        secrets=secrets,
        clock=clock,
        attempt=Attempt(request_id="bench", action="settings.api_keys.create", clock=clock),
    )


def _microseconds(work: Callable[[], Any], times: int = 5000, rounds: int = 5) -> float:
    """CPU time of one call, of the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time_ns()
        for _ in range(times):
            work()
        best = min(best, time.process_time_ns() - start)
    return round(best / times / 1000, 2)


def _checks() -> dict[str, Any]:
    clock = Now()
    secrets = CachedSecrets(MemorySecrets(), clock)
    issued = _issue(MemoryKeys(), secrets, clock)
    items: Any = Items(replace(issued.key, last_used_at=clock.at))
    attempt = Attempt(request_id="bench", action="a.b.c", clock=clock)
    shared: dict[str, Any] = {
        "keys": items,
        "secrets": secrets,
        "clock": clock,
        "ip_address": "192.0.2.7",
        "attempt": attempt,
    }
    checked = issued.text[:74] + "0" * 11
    forged = checked + encode(zlib.crc32(checked.encode()), 6)
    tenant: dict[str, Any] = {"tenant_id": issued.key.tenant_id, "limiter": Limiter(MemoryLimits(), lambda _: []), **shared}

    forged_us = _microseconds(lambda: check_key(forged, **tenant))
    forged_reads = items.reads
    warm_us = _microseconds(lambda: verify_key(issued.text, **shared))
    items.reads = 0
    verify_key(issued.text, **shared)
    item = KeyItem(f"KEY#{issued.key.id}", "KEY", **fields_of(issued.key))
    raw = item.serialize()
    return {
        "malformed_us": _microseconds(lambda: check_key(issued.text[:-1] + "_", **tenant)),
        "forged_us": forged_us,
        "forged_reads": forged_reads,
        "warm_us": warm_us,
        "warm_reads": items.reads,
        "decoding_us": _microseconds(lambda: key_of(KeyItem.from_raw_data(raw)), times=1000),
    }


def _check_p99_us(times: int = 5000) -> float:
    """The 99th percentile of a check from the raw item on, in microseconds."""
    clock = Now()
    secrets = CachedSecrets(MemorySecrets(), clock)
    issued = _issue(MemoryKeys(), secrets, clock)
    raw = KeyItem(f"KEY#{issued.key.id}", "KEY", **fields_of(replace(issued.key, last_used_at=clock.at))).serialize()
    raw["last_used_at"] = {"S": rfc3339(clock.at)}
    items: Any = Items()
    items.find = lambda _: key_of(KeyItem.from_raw_data(raw))
    shared: dict[str, Any] = {
        "keys": items,
        "secrets": secrets,
        "clock": clock,
        "ip_address": "192.0.2.7",
        "attempt": Attempt(request_id="bench", action="a.b.c", clock=clock),
    }
    taken = []
    for _ in range(times):
        start = time.process_time_ns()
        verify_key(issued.text, **shared)
        taken.append(time.process_time_ns() - start)
    return round(sorted(taken)[times * 99 // 100] / 1000, 1)


def _limiter(instances: int, charges: int = 100_000) -> dict[str, float]:
    """One tenant's limit, charged in turn by *instances*: charges a second of one CPU, and writes for a thousand of them."""
    clock, limits = Now(), MemoryLimits()
    key = _issue(MemoryKeys(), MemorySecrets(), clock).key
    shared = [SharedLimit(tenant_holder(key.tenant_id), RateLimit(charges, 60))]
    limiters = [Limiter(limits, lambda _: shared) for _ in range(instances)]
    start = time.process_time_ns()
    admitted = 0
    for number in range(charges):
        charge = limiters[number % instances].charge(key, 1, clock.at)
        admitted += charge is not None and charge.allowed
    spent = (time.process_time_ns() - start) / 1e9
    assert admitted <= charges, "a limit was exceeded"
    return {
        "charges_per_second": round(charges / spent),
        "writes_per_thousand": round(limits.writes * 1000 / admitted, 2),
        "admitted_percent": round(admitted * 100 / charges, 1),
    }


def _hashes_by_hour() -> list[int]:
    """How many bcrypts *CHECKS* checks pay in the hour after issue, and in each hour after it."""
    clock, secrets, keys = Now(), MemorySecrets(), MemoryKeys()
    issued = [_issue(keys, secrets, clock) for _ in range(KEYS)]
    chosen = random.Random(1)
    counts = []
    start = clock.at
    with mock.patch("bcrypt.checkpw", side_effect=bcrypt.checkpw) as hashed:
        for hour in range(HOURS):
            hashed.reset_mock()
            for number in range(CHECKS):
                clock.at = start + timedelta(hours=hour, seconds=number * 3600 / CHECKS)
                attempt = Attempt(request_id="bench", action="a.b.c", clock=clock)
                instance: dict[str, Any] = {"keys": keys, "secrets": secrets, "clock": clock, "attempt": attempt}
                verify_key(chosen.choice(issued).text, ip_address=f"192.0.2.{number % INSTANCES}", **instance)
            counts.append(hashed.call_count)
    return counts


def _bcrypt_ms() -> float:
    clock, secrets = Now(), MemorySecrets()
    start = time.process_time_ns()
    stored_secret.store("x" * 43, bound_to="key", pepper=secrets.pepper(), now=clock.at)
    return round((time.process_time_ns() - start) / 1e6, 1)


def run() -> dict[str, Any]:
    """The figures, by name; times are CPU time."""
    return {
        **_checks(),
        "check_p99_us": _check_p99_us(),
        "limiter_one_instance": _limiter(1),
        "limiter_ten_instances": _limiter(10),
        "bcrypt_cost": stored_secret.BCRYPT_COST,
        "bcrypt_ms": _bcrypt_ms(),
        "hashes_per_thousand_checks_of_ten_keys_by_hour": _hashes_by_hour(),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:50} {value}")
