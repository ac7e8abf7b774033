"""A change to a tenant's policies that is tried and not made: the rules before it and after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import FieldError, Unprocessable
from platforma.kernel.ids import new_id
from platforma.policy.compile import PolicySet, compile_rules
from platforma.policy.document import parse_attachments, parse_document
from platforma.policy.errors import WouldLockOut
from platforma.policy.lockout import check_administered
from platforma.policy.model import Policy
from platforma.policy.ports import Holders, PolicyStore


@dataclass(frozen=True, slots=True)
class Trial:
    """A tenant's rules as they stand, and as they would; *locks_out* says that the write would be refused."""

    before: PolicySet
    after: PolicySet
    locks_out: bool


def simulate(
    tenant_id: str, *, changes: Sequence[Mapping[str, Any]], store: PolicyStore, holders: Holders, clock: Clock
) -> Trial:
    """
    The rules with *changes* made, in their order: `{"op": "put", "id"?, "name"?, "document", "attachments"?}` (without an id
    a new policy; attachments left out stay) and `{"op": "delete", "id"}`. Nothing is written.

    Raises:
        Unprocessable: a change is not valid, or names a policy that is not there; pointers are below `/changes`.
    """
    rules = store.load(tenant_id)
    policies = {policy.id: policy for policy in rules.policies}
    now = rfc3339(clock())
    for index, change in enumerate(changes):
        at = f"/changes/{index}"
        policy_id = change.get("id")
        if policy_id is not None and policy_id not in policies:
            raise Unprocessable("There is no such policy.", errors=[FieldError(f"{at}/id", "No policy of this id.")])
        if change["op"] == "delete":
            del policies[policy_id or ""]
        else:
            kept = _changed(tenant_id, policies.get(policy_id or ""), change, at, now)
            policies[kept.id] = kept
    after = compile_rules(tenant_id, replace(rules, policies=tuple(policies.values())))
    return Trial(compile_rules(tenant_id, rules), after, locks_out=_locks_out(after, holders))


def _changed(tenant_id: str, before: Policy | None, change: Mapping[str, Any], at: str, now: str) -> Policy:
    parse_document(change["document"], f"{at}/document")
    attached = change.get("attachments")
    if before is None:
        attachments = parse_attachments(attached or [], tenant_id, f"{at}/attachments")
        return Policy(
            id=new_id("pol"),
            tenant_id=tenant_id,
            name=change.get("name") or "",
            document=change["document"],
            attachments=attachments,
            created_at=now,
            updated_at=now,
            updated_by=None,
        )
    attachments = before.attachments if attached is None else parse_attachments(attached, tenant_id, f"{at}/attachments")
    return replace(before, document=change["document"], attachments=attachments)


def _locks_out(after: PolicySet, holders: Holders) -> bool:
    try:
        check_administered(after, holders)
    except WouldLockOut:
        return True
    return False
