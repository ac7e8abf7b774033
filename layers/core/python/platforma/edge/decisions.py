"""
Questions put to the decision engine from outside: `/v1/authorize`, its batch, AuthZEN, simulations.

What a caller says of resource, action and context is believed. A time of its own and attributes of a principal are not,
unless the caller holds `decisions:manage`; another principal than itself may be asked about with `decisions:read`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, cast

from platforma.edge.authorization import may, recorded
from platforma.edge.call import Call
from platforma.edge.endpoints import BY_OPERATION
from platforma.edge.resources import KnownOf, with_known
from platforma.edge.schemas.policy import AuthorizeRequest, DecisionContext, ResourceRef
from platforma.edge.subjects import Subjects
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import FieldError, Forbidden, Malformed, Unprocessable
from platforma.kernel.ids import new_id
from platforma.policy.compile import PolicySet
from platforma.policy.decide import decide
from platforma.policy.model import Context, Decision, Request, Subject, SubjectType
from platforma.policy.snapshots import Snapshot

_PRINCIPALS = ("user", "api_key", "oauth_client")
Record = dict[str, Any]
UserAt = Callable[[str, str], str | None]
"""The id of the tenant's (its id first) user of this e-mail address."""


class Desk:
    """Answers the questions of one call; what the caller may ask is looked up once."""

    def __init__(
        self, call: Call, snapshot: Snapshot, subjects: Subjects, *, known: KnownOf, user_at: UserAt, now: datetime
    ) -> None:
        self._call, self._snapshot, self._subjects, self._now = call, snapshot, subjects, now
        self._known, self._user_at = cache(known), cache(user_at)
        self._held: dict[str, bool] = {}

    def holds(self, permission: str) -> bool:
        """Whether the caller holds this bare permission."""
        if permission not in self._held:
            caller, address = self._call.caller.subject, self._call.attempt.ip_address
            self._held[permission] = may(self._snapshot, caller, permission, now=self._now, ip_address=address)
        return self._held[permission]

    def read(self, question: AuthorizeRequest, *, at: str = "") -> tuple[Subject, Request]:
        """
        Who and what *question* is about. *at* is its place in a batch.

        Raises:
            Forbidden: about another principal without `decisions:read`, or vouching without `decisions:manage`.
            Unprocessable: a time or resource that is none.
        """
        asked = question.principal
        subject = self._call.caller.subject
        if asked is not None:
            subject = self.principal(asked.type, asked.id, asked.attributes, at=f"{at}/principal")
        about = resource_of(question.resource, at=at)
        return subject, self.request(action=question.action, context=self._context_of(question.context, at), **about)

    def ask(self, question: AuthorizeRequest, *, at: str = "") -> tuple[Decision, Record]:
        """The decision, and what the audit event keeps of it; otherwise as `read`."""
        return self.decide(*self.read(question, at=at))

    def decide(self, subject: Subject, request: Request) -> tuple[Decision, Record]:
        """The decision, and what the audit event keeps of it."""
        decision = decide(self._snapshot.policy_set, subject, request, explain=self.holds("settings:read"))
        decision = decision._replace(decision_id=new_id("dec"))
        return decision, recorded(subject, request, decision)

    def allows(self, subject: Subject, request: Request) -> bool:
        """Whether *subject* is allowed *request*: no decision of its own, but one of those that a search is made of."""
        return decide(self._snapshot.policy_set, subject, request).allowed

    def as_asked(self, subject: Subject) -> Subject:
        """*subject* as `principal` finds it: the caller itself is who it is by its credential."""
        caller = self._call.caller.subject
        return caller if (subject.type, subject.id) == (caller.type, caller.id) else subject

    def id_of(self, kind: str, name: str) -> str:
        """The id of the principal of this type that *name* names: a user's e-mail address, else the id itself."""
        if kind != "user" or "@" not in name:
            return name
        return self._user_at(self._call.tenant_id, name) or name

    def told(self, decision: Decision) -> dict[str, Any]:
        """A decision as this caller may see it."""
        return decision.as_json(nearest=self.holds("settings:read"))

    def request(self, **fields: Any) -> Request:
        """A request of these fields, with what is known of its resource."""
        asked = Request(own_api=fields["action"] in BY_OPERATION, **fields)
        return with_known(asked, self._call.tenant_id, self._known)

    def principal(self, kind: str, identity: str, attributes: Mapping[str, Any] | None, *, at: str) -> Subject:
        """
        The principal of this type and id, known or not, with the *attributes* that the caller vouches for.

        Raises:
            Forbidden: another than the caller without `decisions:read`, or *attributes* without `decisions:manage`.
            Unprocessable: an attribute that is no scalar and no list.
        """
        caller = self._call.caller
        found: Subject | None
        if (kind, identity) == (caller.subject.type, caller.subject.id):
            found = caller.subject
        elif not self.holds("decisions:read"):
            raise Forbidden("You lack decisions:read, which asking about another principal needs.")
        else:
            found = self._subjects.of(caller.tenant_id, kind, identity) if kind in _PRINCIPALS else None
        if found is None:
            found = Subject(type=cast("SubjectType", kind), id=identity, tenant_id=caller.tenant_id, standing="unknown")
        if attributes is None:
            return found
        if not self.holds("decisions:manage"):
            raise Forbidden("You lack decisions:manage, which vouching for a principal's attributes needs.")
        return _described(found, attributes, at)

    def require_time(self) -> None:
        """
        Require that the caller may name a time.

        Raises:
            Forbidden: it lacks `decisions:manage`.
        """
        if not self.holds("decisions:manage"):
            raise Forbidden("You lack decisions:manage, which naming a time needs.")

    @property
    def policy_set(self) -> PolicySet:
        """The rules that these decisions follow."""
        return self._snapshot.policy_set

    @property
    def now(self) -> datetime:
        """The time of these decisions, unless a question names one."""
        return self._now

    def _context_of(self, stated: DecisionContext, at: str) -> Context:
        time = self._now
        if stated.time is not None:
            self.require_time()
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


def _described(subject: Subject, attributes: Mapping[str, Any], at: str) -> Subject:
    if any(isinstance(value, dict) for value in attributes.values()):
        fault = FieldError(f"{at}/attributes", "Attributes are scalars or lists of them.")
        raise Unprocessable("Attributes are scalars or lists of them.", errors=[fault])
    if subject.owner is not None:
        return replace(subject, owner=replace(subject.owner, attributes=attributes), vouched=True)
    return replace(subject, attributes=attributes, vouched=True)
