"""
Events of another time, put where a function puts its own: into the outbox of the deployed table.

`planted` runs this file as that function would run, with its environment and in a process of its own.
"""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.running import Running

FUNCTION = "platforma-audit_events"
CORE = Path(__file__).parents[1] / "layers/core/python"


def planted(running: "Running", count: int, since: datetime, *, resource: str) -> list[str]:
    """Ids of *count* events about *resource*, a second apart from *since* on, that a service wrote for the demo tenant."""
    found = running.aws("lambda").get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
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
    command = [sys.executable, __file__, running.stack["tenant"]["id"], str(count), since.isoformat(), resource]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return list(json.loads(ran.stdout))


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


if __name__ == "__main__":
    _, tenant, many, moment, named = sys.argv
    print(json.dumps(plant(tenant, int(many), datetime.fromisoformat(moment), named)))  # noqa: T201  its answer
