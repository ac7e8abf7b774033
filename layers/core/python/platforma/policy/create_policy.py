"""A new policy."""

from collections.abc import Sequence
from typing import Any

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.policy.document import parse_attachments, parse_document
from platforma.policy.guarded import with_policy, write_guarded
from platforma.policy.lockout import may_lock_out
from platforma.policy.model import Policy
from platforma.policy.ports import Holders, PolicyStore


def create_policy(
    tenant_id: str,
    *,
    name: str,
    document: Any,
    attachments: Sequence[Any] = (),
    description: str | None = None,
    store: PolicyStore,
    holders: Holders,
    attempt: Attempt,
    clock: Clock,
) -> Policy:
    """
    Check and keep a policy, with its event. *document* and *attachments* are as the caller wrote them.

    Whether the caller may give what it allows is not looked at here.

    Raises:
        Unprocessable: document or attachments are not valid; pointers are below `/document` and `/attachments`.
        WouldLockOut: nobody would surely administer the tenant any more.
    """
    statements = parse_document(document, "/document")
    now = rfc3339(clock())
    policy = Policy(
        id=new_id("pol"),
        tenant_id=tenant_id,
        name=name,
        description=description,
        document=document,
        attachments=parse_attachments(attachments, tenant_id),
        created_at=now,
        updated_at=now,
        updated_by=attempt.principal_id,
    )
    event = attempt.event("success", resource=policy.id, resource_type="policy", changes={"after": policy.as_change()})
    write_guarded(
        tenant_id,
        lambda unmoved: store.create(policy, event, unmoved=unmoved),
        takes=bool(policy.attachments) and may_lock_out(statements),
        after=with_policy(policy),
        source=store,
        holders=holders,
    )
    return policy
