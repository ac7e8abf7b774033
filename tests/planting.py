"""
Events of another time, put where a function puts its own: into the outbox of the deployed table; and a tenant's second log.

This file is run as that function would run, with its environment and in a process of its own.
"""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.running import Running

CORE = Path(__file__).parents[1] / "layers/core/python"


def planted(running: "Running", count: int, since: datetime, *, resource: str) -> list[str]:
    """Ids of *count* events about *resource*, a second apart from *since* on, that a service wrote for the demo tenant."""
    tenant = running.stack["tenant"]["id"]
    return list(_as_function(running, "audit_events", "events", tenant, str(count), since.isoformat(), resource))


def spread(running: "Running", tenant_id: str) -> None:
    """Give a tenant its second log, as the relay does where the first has too many events a second."""
    assert _as_function(running, "audit_relay", "log", tenant_id)


def _as_function(running: "Running", name: str, *arguments: str) -> Any:
    function = f"platforma-{name}"
    found = running.aws("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    aws = running.stack["aws"]
    environment = found | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CORE),
        "AWS_ENDPOINT_URL": aws["endpoint_url"],
        "AWS_REGION": aws["region"],
        "AWS_DEFAULT_REGION": aws["region"],
        "AWS_ACCESS_KEY_ID": aws["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": aws["secret_access_key"],
    }
    command = [sys.executable, __file__, *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def plant(tenant_id: str, count: int, since: datetime, resource: str) -> list[str]:
    """The same, as the function."""
    from platforma.audit.external import external_events
    from platforma.bootstrap.parts import ground
    from platforma.kernel.clock import rfc3339

    ids = []
    for number in range(count):
        now = since + timedelta(seconds=number)
        said = {
            "id": f"{resource}-{number}",
            "timestamp": rfc3339(now),
            "action": "orders.invoices.pay",
            "result": "success",
        }
        said |= {"resource": resource, "user_id": f"usr_{number}", "ip_address": f"192.0.2.{number}", "reason": "=1+1"}
        [event] = external_events(
            [said], tenant_id=tenant_id, writer_type="oauth_client", writer_id="cli_old", control_domains=(), now=now
        )
        ground.outbox().enter(event)
        ids.append(event.id)
    return ids


def add_log(tenant_id: str) -> bool:
    """The same, as the relay: whoever has the lease of the first log adds one. Whether it was added."""
    from platforma import bootstrap
    from platforma.audit.spreading import log_added

    store, now = bootstrap.audit_store(), datetime.now(UTC)
    until = now + timedelta(seconds=30)
    origin = f"{bootstrap.host()}/audit/{tenant_id}"
    while (head := store.lease(tenant_id, origin=origin, owner="planting", now=datetime.now(UTC), until=until)) is None:
        assert datetime.now(UTC) < until, "another relay kept the log"
        time.sleep(0.2)
    added: bool = bootstrap.outbox().add_log(head, 2, log_added(f"{tenant_id}.2", 200, lambda: now))
    store.release(head, "planting", heed_bells=False)
    return added


if __name__ == "__main__":
    _, what, tenant, *rest = sys.argv
    answer = add_log(tenant) if what == "log" else plant(tenant, int(rest[0]), datetime.fromisoformat(rest[1]), rest[2])
    print(json.dumps(answer))  # noqa: T201  its answer
