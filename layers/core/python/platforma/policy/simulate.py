"""A change to a tenant's policies that is tried and not made: the rules before it and after it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platforma.kernel.errors import FieldError, Unprocessable
from platforma.kernel.ids import new_id
from platforma.policy.compile import PolicySet, Target, compile_rules
from platforma.policy.document import parse_attachments, parse_document
from platforma.policy.errors import WouldLockOut
from platforma.policy.lockout import check_administered
from platforma.policy.model import Attachment, Policy, Subject
from platforma.policy.ports import Holders, PolicyStore, Rules


@dataclass(frozen=True, slots=True)
class Trial:
    """
    A tenant's rules as they stand, and as they would; *locks_out* says that the write would be refused.

    *touched* is what the policies that change are attached to, before or after. *alone* is who has nothing but one of two
    documents that are tried.
    """

    before: PolicySet
    after: PolicySet
    locks_out: bool
    touched: frozenset[Target]
    alone: Subject | None = None


def simulate(tenant_id: str, *, changes: Sequence[Mapping[str, Any]], store: PolicyStore, holders: Holders) -> Trial:
    """
    The rules with *changes* made, in their order: `{"op": "put", "id"?, "name"?, "document", "attachments"?}` (without an id
    a new policy; attachments left out stay) and `{"op": "delete", "id"}`. Nothing is written.

    Raises:
        Unprocessable: a change is not valid, or names a policy that is not there; pointers are below `/changes`.
    """
    rules = store.load(tenant_id)
    policies = {policy.id: policy for policy in rules.policies}
    for index, change in enumerate(changes):
        at = f"/changes/{index}"
        policy_id = change.get("id")
        if policy_id is not None and policy_id not in policies:
            raise Unprocessable("There is no such policy.", errors=[FieldError(f"{at}/id", "No policy of this id.")])
        if change["op"] == "delete":
            del policies[policy_id or ""]
        else:
            kept = _changed(tenant_id, policies.get(policy_id or ""), change, at)
            policies[kept.id] = kept
    after = compile_rules(tenant_id, replace(rules, policies=tuple(policies.values())))
    changed = [one for one in rules.policies if policies.get(one.id) is not one]
    touched = attached_to([*changed, *(one for one in policies.values() if one not in rules.policies)])
    return Trial(compile_rules(tenant_id, rules), after, locks_out=_locks_out(after, holders), touched=touched)


def try_documents(tenant_id: str, *, before: Any, after: Any, store: PolicyStore) -> Trial:
    """
    Two documents, each as all that somebody has.

    Raises:
        Unprocessable: one is not valid; pointers are below `/before` and `/after`.
    """
    alone = Subject(type="user", id=new_id("usr"), tenant_id=tenant_id)
    apis = store.load(tenant_id).apis

    def compiled(document: Any, at: str) -> PolicySet:
        parse_document(document, at)
        policy = _new(tenant_id, document, (Attachment("user", alone.id),))
        return compile_rules(tenant_id, Rules(policies=(policy,), apis=apis))

    sides = compiled(before, "/before"), compiled(after, "/after")
    return Trial(*sides, locks_out=False, touched=frozenset(), alone=alone)


def attached_to(policies: Iterable[Policy]) -> frozenset[Target]:
    """What *policies* are attached to."""
    return frozenset((one.type, one.id) for policy in policies for one in policy.attachments)


def _changed(tenant_id: str, before: Policy | None, change: Mapping[str, Any], at: str) -> Policy:
    parse_document(change["document"], f"{at}/document")
    attached = change.get("attachments")
    if before is None:
        attachments = parse_attachments(attached or [], tenant_id, f"{at}/attachments")
        return _new(tenant_id, change["document"], attachments)
    attachments = before.attachments if attached is None else parse_attachments(attached, tenant_id, f"{at}/attachments")
    return replace(before, document=change["document"], attachments=attachments)


def _new(tenant_id: str, document: Any, attachments: tuple[Attachment, ...]) -> Policy:
    return Policy(
        id=new_id("pol"),
        tenant_id=tenant_id,
        name="",
        document=document,
        attachments=attachments,
        created_at="",
        updated_at="",
        updated_by=None,
    )


def _locks_out(after: PolicySet, holders: Holders) -> bool:
    try:
        check_administered(after, holders)
    except WouldLockOut:
        return True
    return False
