"""
OpenID AuthZEN Authorization API 1.0 over the one decision engine: the same trust as `/v1/authorize`, another form.

    subject    a principal of the tenant, by our id, or a user by e-mail address; of any other type or id it is not known,
               and denied
    action     an operation or a permission; a bare word is the verb of an operation of the domain `resources` on the
               resource's type: `read` on a `record` is `resources.record.read`
    context    `ip_address`, `time`, `mfa` and `environment` are looked at; what is not of its type is not known

Subject properties stand for the principal's attributes, and like a time of one's own they take `decisions:manage`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from platforma.edge.bodies import held_to
from platforma.edge.decisions import Desk, Record
from platforma.edge.problems import authzen_error
from platforma.edge.schemas.authzen import Evaluation, Evaluations, Party
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import Forbidden, Invalid, Malformed
from platforma.policy.model import Context, Subject

_NEEDED = {"subject": ("type", "id"), "action": ("name",), "resource": ("type", "id")}
_STOPS = {"deny_on_first_deny": False, "permit_on_first_permit": True}

Answered = tuple[dict[str, Any], Record | None]
"""An answer, and what the audit event keeps of it where something was decided."""


def configuration(url: str) -> dict[str, str]:
    """The metadata (section 9): what is served at *url*, which is how this decision point is named."""
    return {
        "policy_decision_point": url,
        "access_evaluation_endpoint": f"{url}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{url}/access/v1/evaluations",
        "search_subject_endpoint": f"{url}/access/v1/search/subject",
        "search_resource_endpoint": f"{url}/access/v1/search/resource",
        "search_action_endpoint": f"{url}/access/v1/search/action",
    }


def evaluate(desk: Desk, asked: Evaluation) -> tuple[dict[str, Any], Record]:
    """
    The answer to one question (section 6), and what the audit event keeps of it.

    Raises:
        Forbidden: the caller may not ask about this subject, or may not vouch for its properties or the time.
    """
    subject = subject_of(desk, asked.subject)
    request = desk.request(
        action=operation_of(asked.action.name, asked.resource.type),
        action_attributes=asked.action.properties or {},
        resource_type=asked.resource.type,
        resource_id=asked.resource.id,
        resource_attributes=asked.resource.properties or {},
        context=context_of(desk, asked.context),
    )
    decision, record = desk.decide(subject, request)
    told = desk.told(decision)
    del told["decision"]
    return {"decision": decision.allowed, "context": told}, record


def evaluate_each(desk: Desk, asked: Evaluations) -> Iterator[Answered]:
    """
    The answers to several questions in their order (section 7), as far as the semantics asked for goes; one that is not a
    question, or that the caller may not ask, is denied in its place and was decided by nobody.
    """
    stop = _STOPS.get(asked.options.evaluations_semantic)
    for each in asked.evaluations:
        try:
            answered: Answered = evaluate(desk, held_to(Evaluation, merged(asked, each)))
        except (Invalid, Forbidden) as error:
            answered = {"decision": False, "context": {"error": authzen_error(error)}}, None
        yield answered
        if answered[0]["decision"] is stop:
            return


def merged(asked: Evaluations, own: Any) -> Any:
    """
    A question with the defaults in place of what it leaves out: whole entities, and of those that it has but the fields
    without which they are none.
    """
    if not isinstance(own, Mapping):
        return own
    question = dict(own)
    for name in ("subject", "action", "resource", "context"):
        default = getattr(asked, name)
        if default is None:
            continue
        if name not in question:
            question[name] = default
        elif isinstance(question[name], Mapping):
            kept = {field: default[field] for field in _NEEDED.get(name, ()) if field in default}
            question[name] = {**kept, **question[name]}
    return question


def operation_of(name: str, resource_type: str) -> str:
    """The operation or permission that an action's *name* means."""
    return name if "." in name or ":" in name else f"resources.{resource_type}.{name}"


def subject_of(desk: Desk, named: Party) -> Subject:
    """
    The principal that is *named*, with the properties that the caller vouches for.

    Raises:
        Forbidden: another than the caller without `decisions:read`, or properties without `decisions:manage`.
    """
    return desk.principal(named.type, desk.id_of(named.type, named.id), named.properties, at="/subject")


def context_of(desk: Desk, stated: Mapping[str, Any]) -> Context:
    """The circumstances. A time that is none is not known: what asks for one does not allow, and denies."""
    time: datetime | None = desk.now
    if "time" in stated:
        desk.require_time()
        try:
            time = parse_rfc3339(stated["time"]) if isinstance(stated["time"], str) else None
        except Malformed:
            time = None
    address, mfa, environment = (stated.get(name) for name in ("ip_address", "mfa", "environment"))
    return Context(
        time=time,
        ip_address=address if isinstance(address, str) else None,
        mfa=mfa if isinstance(mfa, bool) else None,
        environment=environment if environment in ("live", "test") else None,
    )
