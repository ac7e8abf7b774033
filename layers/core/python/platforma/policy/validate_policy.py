"""A policy checked and not written: what is wrong with it, and what its author may not have meant."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from platforma.kernel.clock import Clock
from platforma.kernel.errors import FieldError, Unprocessable
from platforma.policy.actions import covers, parse_pattern, within
from platforma.policy.compile import PolicySet
from platforma.policy.document import Statement, check_document, parse_attachments, parse_resource_pattern, read_document
from platforma.policy.globs import compile_glob
from platforma.policy.model import Attachment, Subject
from platforma.policy.never import never_holds
from platforma.policy.ports import Holders
from platforma.policy.snapshots import Snapshots

_EVERYTHING = ("*", "*:*", "*:manage")


def validate_policy(
    tenant_id: str,
    *,
    document: Any,
    attachments: Sequence[Any] = (),
    snapshots: Snapshots,
    holders: Holders,
    clock: Clock,
) -> dict[str, Any]:
    """`{"valid", "errors", "warnings"}`; faults and warnings have JSON pointers below `/document` or `/attachments`."""
    errors = list(check_document(document, "/document"))
    attached: tuple[Attachment, ...] = ()
    try:
        attached = parse_attachments(list(attachments), tenant_id)
    except Unprocessable as error:
        errors += error.errors
    warnings: list[FieldError] = []
    if not errors:
        policy_set = snapshots.of(tenant_id).policy_set
        warnings += _document_warnings(document, attached, policy_set, clock())
        warnings += _attachment_warnings(attached, policy_set)
        warnings += _replacing(read_document(document), attached, policy_set, holders)
    return {"valid": not errors, "errors": errors, "warnings": warnings}


def _attachment_warnings(attached: Sequence[Attachment], policy_set: PolicySet) -> Iterator[FieldError]:
    for index, one in enumerate(attached):
        if one.type == "role" and one.id not in policy_set.roles:
            yield FieldError(f"/attachments/{index}", f"No role is called {one.id}: in force for nobody until one is.")


def _document_warnings(
    document: Any, attached: Sequence[Attachment], policy_set: PolicySet, now: datetime
) -> Iterator[FieldError]:
    statements = read_document(document)
    to_all = any(one.type == "tenant" for one in attached)
    for index, statement in enumerate(statements):
        at = f"/document/statements/{index}" if "statements" in document else "/document"
        if _gives_everywhere(statement):
            if any(action in _EVERYTHING for action in statement.actions):
                yield FieldError(at, "Over-broad: it allows almost anything on every resource, without condition.")
            elif to_all and covers(statement.actions, "settings:manage"):
                yield FieldError(at, "Over-broad: it makes an administrator of everybody in the tenant.")
        for place, text in enumerate(statement.actions):
            pattern = parse_pattern(text)
            if pattern is not None and pattern.domain not in ("*", *policy_set.domains):
                yield FieldError(f"{at}/actions/{place}", f"The domain {pattern.domain} is not known in this tenant.")
        for condition, why in never_holds(statement, now):
            yield FieldError(f"{at}/conditions/{condition}", f"Never matches: {why}")
        for other, shadow in enumerate(statements):
            if other != index and _shadows(shadow, statement) and not (_shadows(statement, shadow) and other > index):
                yield FieldError(at, f"Shadowed: statement {other} already decides all that this one could.")
                break


def _gives_everywhere(statement: Statement) -> bool:
    everywhere = not {"*", "*:*"}.isdisjoint(statement.resources)
    return statement.effect == "allow" and everywhere and not statement.conditions


def _shadows(shadow: Statement, statement: Statement) -> bool:
    """
    Whether *shadow* surely applies wherever *statement* does, and leaves it nothing to decide: that it never applied would
    change no decision. (An allow that never applies still replaces grants.) It may miss some.
    """
    if shadow.effect == "allow" and statement.effect == "deny":
        return False
    if any(statement.conditions.get(name) != wanted for name, wanted in shadow.conditions.items()):
        return False
    if shadow.effect == "deny" and shadow.effect != statement.effect and shadow.conditions:
        return False
    return _within_actions(statement, shadow) and all(
        any(_within_resource(text, wide) for wide in shadow.resources) for text in statement.resources
    )


def _within_actions(statement: Statement, shadow: Statement) -> bool:
    if shadow.effect == "allow":
        return within(statement.actions, shadow.actions)
    return set(statement.actions) <= set(shadow.actions) if statement.effect == "deny" else "*" in shadow.actions


def _within_resource(text: str, wide: str) -> bool:
    if wide in ("*", "*:*") or text == wide:
        return True
    inner, outer = parse_resource_pattern(text), parse_resource_pattern(wide)
    if inner is None or outer is None or outer.type not in ("*", inner.type):
        return False
    literal = outer.glob == "*" or (inner.glob != "*" and "?" not in outer.glob)
    return literal and compile_glob(outer.glob).fullmatch(inner.glob) is not None


def _replacing(
    statements: Sequence[Statement], attached: Sequence[Attachment], policy_set: PolicySet, holders: Holders
) -> Iterator[FieldError]:
    """
    How many users' grants the policy would replace: of those in its reach, who hold as a grant what it lists, and of whom no
    policy in force replaces it already.
    """
    listed = {action for statement in statements if statement.effect == "allow" for action in statement.actions}
    granting = {
        name: sorted(listed.intersection(grants)) for name, grants in policy_set.roles.items() if listed.intersection(grants)
    }
    if not granting or not attached:
        return
    targets = {(attachment.type, attachment.id) for attachment in attached}
    narrowed = [
        member.subject.id
        for member in holders(policy_set.tenant_id, frozenset(granting))
        if not targets.isdisjoint(_targets(member.subject))
        and any(grant.statement in listed for grant in policy_set.view(member.subject).grants)
    ]
    if narrowed:
        actions = ", ".join(sorted({action for grants in granting.values() for action in grants}))
        users = "1 user" if len(narrowed) == 1 else f"{len(narrowed)} users"
        yield FieldError("/document", f"Narrows {users}: their roles' grant of {actions} is replaced by this policy.")


def _targets(subject: Subject) -> set[tuple[str, str]]:
    own = {("tenant", subject.tenant_id), (subject.type, subject.id)}
    return own | {("role", role) for role in subject.roles} | {("group", group) for group in subject.groups}
