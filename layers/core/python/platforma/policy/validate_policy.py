"""A policy checked and not written: what is wrong with it, and what its author may not have meant."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from platforma.kernel.clock import Clock
from platforma.kernel.errors import FieldError, Unprocessable
from platforma.policy.actions import covers, parse_pattern
from platforma.policy.analysis import TooComplex, useless
from platforma.policy.compile import PolicySet
from platforma.policy.document import Statement, check_document, parse_attachments, read_document
from platforma.policy.model import Attachment, Subject
from platforma.policy.never import never_holds
from platforma.policy.ports import Holders
from platforma.policy.snapshots import Snapshots

_EVERYTHING = ("*", "*:*", "*:manage")
_EFFORT = 300_000
"""Comparisons of two boxes for a warning: a tenth of what an analysis may take."""
_MOST_NAMED = 5


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
    if len(statements) > 1:
        yield from _shadowed(statements, policy_set, now, "/document")


def _gives_everywhere(statement: Statement) -> bool:
    everywhere = not {"*", "*:*"}.isdisjoint(statement.resources)
    return statement.effect == "allow" and everywhere and not statement.conditions


def _shadowed(statements: Sequence[Statement], policy_set: PolicySet, now: datetime, at: str) -> Iterator[FieldError]:
    """The statements that others decide in place of, exactly, or that this would take too long to say."""
    try:
        found = useless(statements, domains=policy_set.domains, now=now, effort=_EFFORT).shadowed
    except TooComplex:
        yield FieldError(at, "Which statements others shadow is too much to say here: ask `/v1/policies/analyze`.")
        return
    for place, by in found.items():
        others = (
            f"statement {by[0]} already decides" if len(by) == 1 else f"statements {_listed(by)} together already decide"
        )
        yield FieldError(f"{at}/statements/{place}", f"Shadowed: {others} all that this one could.")


def _listed(places: Sequence[int]) -> str:
    return ", ".join(map(str, places[:_MOST_NAMED])) + (", ..." if len(places) > _MOST_NAMED else "")


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
