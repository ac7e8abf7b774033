"""
Questions put to the decision engine from outside: `/v1/authorize`, its batch, and the second half of a key's verification.

What a caller says of resource and context is believed. A time of its own and attributes of a principal are not, unless the
caller holds `decisions:manage`; another principal than itself may be asked about with `decisions:read`.
"""

from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from platforma.edge.authorization import may, recorded
from platforma.edge.call import Call
from platforma.edge.endpoints import BY_OPERATION
from platforma.edge.resources import KnownOf, with_known
from platforma.edge.schemas.policy import AuthorizeRequest, DecisionContext, PrincipalRef, ResourceRef
from platforma.edge.subjects import Subjects
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import FieldError, Forbidden, Malformed, Unprocessable
from platforma.kernel.ids import new_id
from platforma.policy.decide import decide
from platforma.policy.model import Context, Decision, Request, Subject
from platforma.policy.snapshots import Snapshot


class Desk:
    """Answers the questions of one call; what the caller may ask is looked up once."""

    def __init__(self, call: Call, snapshot: Snapshot, subjects: Subjects, known: KnownOf, now: datetime) -> None:
        self._call, self._snapshot, self._subjects, self._now = call, snapshot, subjects, now
        self._known = cache(known)
        self._held: dict[str, bool] = {}

    def holds(self, permission: str) -> bool:
        """Whether the caller holds this bare permission."""
        if permission not in self._held:
            caller, address = self._call.caller.subject, self._call.attempt.ip_address
            self._held[permission] = may(self._snapshot, caller, permission, now=self._now, ip_address=address)
        return self._held[permission]

    def ask(self, question: AuthorizeRequest, *, at: str = "") -> tuple[Decision, dict[str, Any]]:
        """
        The decision, and what the audit event keeps of it. *at* is the question's place in a batch.

        Raises:
            Forbidden: about another principal without `decisions:read`, or vouching without `decisions:manage`.
            Unprocessable: a time or resource that is none.
        """
        subject = self._subject_of(question.principal, at)
        request = with_known(
            Request(
                action=question.action,
                context=self._context_of(question.context, at),
                own_api=question.action in BY_OPERATION,
                **resource_of(question.resource, at=at),
            ),
            self._call.tenant_id,
            self._known,
        )
        decision = decide(self._snapshot.policy_set, subject, request, explain=self.holds("settings:read"))
        decision = decision._replace(decision_id=new_id("dec"))
        return decision, recorded(subject, request, decision)

    def _subject_of(self, principal: PrincipalRef | None, at: str) -> Subject:
        caller = self._call.caller
        if principal is None:
            return caller.subject
        itself = (principal.type, principal.id) == (caller.subject.type, caller.subject.id)
        if not itself and not self.holds("decisions:read"):
            raise Forbidden("You lack decisions:read, which asking about another principal needs.")
        if itself:
            subject: Subject | None = caller.subject
        else:
            subject = self._subjects.of(caller.tenant_id, principal.type, principal.id)
        if subject is None:
            subject = Subject(type=principal.type, id=principal.id, tenant_id=caller.tenant_id, standing="unknown")
        if principal.attributes is not None:
            if not self.holds("decisions:manage"):
                raise Forbidden("You lack decisions:manage, which vouching for a principal's attributes needs.")
            subject = _described(subject, principal.attributes, at)
        return subject

    def _context_of(self, stated: DecisionContext, at: str) -> Context:
        time = self._now
        if stated.time is not None:
            if not self.holds("decisions:manage"):
                raise Forbidden("You lack decisions:manage, which naming a time needs.")
            try:
                time = parse_rfc3339(stated.time)
            except Malformed as error:
                fault = FieldError(f"{at}/context/time", error.detail)
                raise Unprocessable("The time cannot be read.", errors=[fault]) from None
        return Context(time=time, ip_address=stated.ip_address, mfa=stated.mfa, environment=stated.environment)


def resource_of(stated: ResourceRef | str | None, *, at: str = "") -> dict[str, Any]:
    """
    The resource fields of a `Request`; a short form is `type:id`.

    Raises:
        Unprocessable: a short form without a type or an id.
    """
    if stated is None:
        return {}
    if isinstance(stated, str):
        kind, colon, identity = stated.partition(":")
        if not (kind and colon and identity):
            raise Unprocessable("A resource is `type:id`.", errors=[FieldError(f"{at}/resource", "Write it as `type:id`.")])
        return {"resource_type": kind, "resource_id": identity}
    return {"resource_type": stated.type, "resource_id": stated.id, "resource_attributes": stated.attributes}


def _described(subject: Subject, attributes: dict[str, Any], at: str) -> Subject:
    if any(isinstance(value, dict) for value in attributes.values()):
        fault = FieldError(f"{at}/principal/attributes", "Attributes are scalars or lists of them.")
        raise Unprocessable("Attributes are scalars or lists of them.", errors=[fault])
    if subject.owner is not None:
        return replace(subject, owner=replace(subject.owner, attributes=attributes))
    return replace(subject, attributes=attributes)
