"""
Exact comparisons of policies, told so that they can be tried: each finding is a question as `/v1/authorize` takes it.

Two documents are compared as what one user without roles has. A change to the tenant's policies is compared for everyone
whom it may concern, as they stand now, but with whatever attributes a directory may give them one day.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from platforma.edge.endpoints import BY_OPERATION
from platforma.edge.principals import Principals
from platforma.kernel.clock import rfc3339_exact
from platforma.policy.analysis import Comparison, Witness, useless
from platforma.policy.compile import PolicySet
from platforma.policy.document import read_document
from platforma.policy.errors import NewAccess
from platforma.policy.guarded import Refuse
from platforma.policy.model import Decision, Policy, Subject
from platforma.policy.simulate import Trial, attached_to

_OWN = frozenset(BY_OPERATION)


class Analyst:
    """Compares rules of a tenant as of *now*."""

    def __init__(self, tenant_id: str, now: datetime, principals: Principals) -> None:
        self._tenant_id, self._now, self._principals = tenant_id, now, principals

    def analysis(self, body: Any, trial: Trial) -> dict[str, Any]:
        """
        The answer of `POST /v1/policies/analyze`.

        Raises:
            TooComplex: an exact one would take too long.
        """
        compared = list(self._compared(trial))
        more, less = ([_told(one, trial) for one in map(ask, compared) if one] for ask in (Comparison.more, Comparison.less))
        never, shadowed = self._useless(body, trial.after)
        return {
            "equivalent": not more and not less,
            "grants_more": more,
            "grants_less": less,
            "never_applies": never,
            "shadowed": shadowed,
        }

    def check(self, body: Any, trial: Trial) -> dict[str, Any]:
        """
        The answer of `POST /v1/policies/check-no-new-access`: what was found, and first of all whether it is new access.

        Raises:
            TooComplex: an exact one would take too long.
        """
        found = self.analysis(body, trial)
        more = found["grants_more"]
        return {"no_new_access": not more, "witness": more[0] if more else None, **found}

    def refusing(self, before: Policy, after: Policy) -> Refuse:
        """What refuses the change from the policy *before* to that *after* where it gives anybody new access."""
        touched = attached_to([before, after])

        def refuse(rules: PolicySet, changed: PolicySet) -> None:
            trial = Trial(rules, changed, locks_out=False, touched=touched)
            found = next((one for compared in self._compared(trial) if (one := compared.more())), None)
            if found is not None:
                raise NewAccess(_told(found, trial))

        return refuse

    def _compared(self, trial: Trial) -> Iterator[Comparison]:
        """A comparison for one principal of each kind that the two sets of rules treat alike."""
        seen = set()
        for subject in self._subjects(trial):
            kind = _kind(subject, trial)
            if kind not in seen:
                seen.add(kind)
                yield Comparison(trial.before, trial.after, subject, now=self._now, own=_OWN)

    def _subjects(self, trial: Trial) -> Iterable[Subject]:
        if trial.alone is not None:
            return [trial.alone]
        return self._principals.concerned(self._tenant_id, trial.touched)

    def _useless(self, body: Any, rules: PolicySet) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        documents = (
            {"/after": body.after}
            if body.changes is None
            else {
                f"/changes/{place}/document": change.document for place, change in enumerate(body.changes) if change.document
            }
        )
        never: list[dict[str, Any]] = []
        shadowed: list[dict[str, Any]] = []
        for at, document in documents.items():
            place_of = _places(at, document)
            found = useless(read_document(document), domains=rules.domains, now=self._now)
            never += [{"pointer": place_of(place)} for place in found.never]
            shadowed += [
                {"pointer": place_of(place), "by": [place_of(one) for one in by]} for place, by in found.shadowed.items()
            ]
        return never, shadowed


def _places(at: str, document: Any) -> Callable[[int], str]:
    return (lambda place: f"{at}/statements/{place}") if "statements" in document else (lambda _: at)


def _kind(subject: Subject, trial: Trial) -> tuple[object, ...]:
    """What of *subject* its decisions follow from, its attributes apart."""
    base = subject.owner or subject
    attached = trial.before.attached.keys() | trial.after.attached.keys()
    groups = frozenset(group for group in base.groups if ("group", group) in attached)
    own = [(one.type, one.id) for one in (subject, base) if (one.type, one.id) in attached]
    standing = (subject.standing, base.standing, subject.environment, subject.scopes)
    return (subject.type, base.type, base.roles, groups, tuple(own), subject.client_id, standing)


def _told(found: Witness, trial: Trial) -> dict[str, Any]:
    subject, request = found.subject, found.request
    context: dict[str, Any] = {
        "ip_address": request.context.ip_address,
        "time": None if request.context.time is None else rfc3339_exact(request.context.time),
        "mfa": request.context.mfa,
        "environment": request.context.environment,
    }
    resource = {"type": request.resource_type, "id": request.resource_id, "attributes": dict(request.resource_attributes)}
    asked: dict[str, Any] = {
        "action": request.action,
        "resource": {name: value for name, value in resource.items() if value},
        "context": {name: value for name, value in context.items() if value is not None},
    }
    if trial.alone is None:
        attributes = (subject.owner or subject).attributes
        asked["principal"] = {"type": subject.type, "id": subject.id, **({"attributes": attributes} if attributes else {})}
    told: dict[str, Any] = {"request": asked, "before": _decided(found.before), "after": _decided(found.after)}
    if subject.client_id is not None:
        told["client_id"] = subject.client_id
    if request.action_attributes:
        told["action_properties"] = dict(request.action_attributes)
    return told


def _decided(decision: Decision) -> dict[str, Any]:
    """A decision that nobody made: it has no id."""
    told = decision.as_json()
    del told["decision_id"]
    return told
