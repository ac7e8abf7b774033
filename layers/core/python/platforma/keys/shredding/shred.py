"""
Destroy a tenant's key, and state it.

    1  enter what waits for the tenant's logs: sealed under this key, it could be entered no more
    2  note the key's versions and how far the logs have come
    3  destroy the key
    4  sign the statement, and keep it with the event that tells of it, in the platform's log

Killed between any two it is done again, to the same end; what 2 noted first stays.
"""

import json
from dataclasses import replace

from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id
from platforma.keys.errors import NoSuchKey
from platforma.keys.shredding.model import Shredding
from platforma.keys.shredding.ports import MortalKeys, Shreddings, Statements, TenantLogs

ACTION = "platform.tenants.shred"


def shred_tenant(
    tenant_id: str,
    *,
    keys: MortalKeys,
    shreddings: Shreddings,
    logs: TenantLogs,
    statements: Statements,
    attempt: Attempt,
) -> Shredding:
    """
    The shredding, done. The caller has seen to it that nothing new is sealed for this tenant.

    Raises:
        Unavailable: something of it was not done; asked again it goes on.
    """
    begun = shreddings.get(tenant_id)
    if begun is not None and begun.statement is not None:
        return begun
    if begun is None:
        settled = tuple(logs.settle(tenant_id))
        begun = shreddings.begin(Shredding(tenant_id, f"tenant-{tenant_id}", _versions(tenant_id, keys), settled))
    keys.destroy_tenant_key(tenant_id)
    done = replace(begun, destroyed_at=attempt.clock().replace(microsecond=0))
    done = replace(done, statement=statements.sign(statement_of(done)))
    telling = replace(attempt, action=ACTION, id=new_id("evt"), entered=False)
    changes = {"after": {"key_id": done.key_id, "statement": done.statement}}
    return shreddings.finish(done, telling.event("success", resource=tenant_id, resource_type="tenant", changes=changes))


def read_shredding(tenant_id: str, *, shreddings: Shreddings) -> Shredding:
    """
    The tenant's shredding.

    Raises:
        NotFound: its key was not destroyed.
    """
    found = shreddings.get(tenant_id) if is_id(tenant_id, "ten") else None
    if found is None or found.statement is None:
        raise NotFound("No key of this tenant was destroyed.")
    return found


def statement_of(done: Shredding) -> str:
    """What is signed: a line that no checkpoint begins with, then the facts as one line of JSON."""
    assert done.destroyed_at is not None
    assert done.backups_until is not None
    facts = {
        "tenant_id": done.tenant_id,
        "keys": [{"id": done.key_id, "versions": list(done.versions)}],
        "destroyed_at": rfc3339(done.destroyed_at),
        "logs": [{"id": log.id, "size": log.size, "root": log.root} for log in done.logs],
        "backups_until": rfc3339(done.backups_until),
    }
    return f"platforma key destruction 1\n{json.dumps(facts)}\n"


def _versions(tenant_id: str, keys: MortalKeys) -> tuple[int, ...]:
    try:
        return tuple(sorted(keys.describe(tenant_id).versions))
    except NoSuchKey:
        return ()
