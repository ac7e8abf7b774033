"""Witnesses as a caller sees them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from platforma.audit.model import tenant_of
from platforma.audit.ports import LogStore
from platforma.audit.witnesses import ChosenWitness, Offered, status_of
from platforma.audit.witnesses.ports import Witnesses
from platforma.kernel.clock import rfc3339


def witness_view(witness: ChosenWitness, *, witnesses: Witnesses, store: LogStore) -> dict[str, Any]:
    """The witness, and how it stands with each log of the tenant that chose it."""
    offered = witnesses.offered(witness)
    logs = {log_id: offered.get(log_id, Offered()) for log_id in store.logs_of(witness.tenant_id)}
    return {
        "id": witness.id,
        "name": witness.verifier.name,
        "verifier_key": witness.key,
        "url": witness.url,
        "created_at": witness.created_at,
        "created_by": witness.created_by,
        "health": {
            "status": status_of(offered),
            "logs": [_log(log_id, one, store) for log_id, one in logs.items()],
            "others_failing": sum(bool(one.failing_since) for one in _others(witness, offered).values()),
        },
    }


def _others(witness: ChosenWitness, offered: Mapping[str, Offered]) -> dict[str, Offered]:
    """What the platform's own witness was offered of tenants' logs."""
    return {log_id: one for log_id, one in offered.items() if tenant_of(log_id) != witness.tenant_id}


def _log(log_id: str, offered: Offered, store: LogStore) -> dict[str, Any]:
    head = store.head(log_id)
    waits = offered.next_try and offered.failing_since
    return {
        "log": log_id,
        "cosigned_size": offered.size,
        "cosigned_at": offered.cosigned_at,
        "checkpoint_size": head.checkpoint_size if head else 0,
        "failing_since": offered.failing_since,
        "tries": offered.tries,
        "next_try_at": rfc3339(datetime.fromtimestamp(offered.next_try, UTC)) if waits else None,
        "error": offered.error,
        "contradicts": offered.contradicts,
    }
