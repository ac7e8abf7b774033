"""A policy's next version."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.policy.attempts import on_current
from platforma.policy.document import parse_attachments, parse_document
from platforma.policy.guarded import Refuse, with_policy, write_guarded
from platforma.policy.lockout import may_lock_out
from platforma.policy.model import Policy
from platforma.policy.ports import Holders, PolicyStore
from platforma.policy.read_policy import get_policy


def replace_policy(
    tenant_id: str,
    policy_id: str,
    *,
    if_match: int | None,
    name: str,
    document: Any,
    attachments: Sequence[Any] = (),
    description: str | None = None,
    store: PolicyStore,
    holders: Holders,
    attempt: Attempt,
    clock: Clock,
    refuse: Callable[[Policy, Policy], Refuse] | None = None,
) -> Policy:
    """
    Check and keep the next version of a policy, whole, with its event. *if_match* is what must stand now, None for any.

    Whether the caller may give what it allows is not looked at here. *refuse*, where given, makes of the policy before and
    after what is asked whether it has anything against the change.

    Raises:
        NotFound: the tenant has no such policy.
        PreconditionFailed: another version stands.
        Unprocessable: document or attachments are not valid; pointers are below `/document` and `/attachments`.
        WouldLockOut: nobody would surely administer the tenant any more.
    """
    statements = parse_document(document, "/document")
    attached = parse_attachments(attachments, tenant_id)

    def change() -> Policy:
        current = get_policy(tenant_id, policy_id, store=store)
        if if_match not in (None, current.version):
            raise PreconditionFailed
        policy = replace(
            current,
            name=name,
            description=description,
            document=document,
            attachments=attached,
            updated_at=rfc3339(clock()),
            updated_by=attempt.principal_id,
            version=current.version + 1,
        )
        changes = {"before": current.as_change(), "after": policy.as_change()}
        event = attempt.event("success", resource=policy.id, resource_type="policy", changes=changes)
        write_guarded(
            tenant_id,
            lambda unmoved: store.replace(policy, event, unmoved=unmoved),
            takes=bool(policy.attachments) and may_lock_out(statements),
            after=with_policy(policy),
            source=store,
            holders=holders,
            refuse=None if refuse is None else refuse(current, policy),
        )
        return policy

    return on_current(change, if_match)
