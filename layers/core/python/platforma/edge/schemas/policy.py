"""Policies, decisions, protected APIs."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from platforma.edge.schemas.common import Attributes, Body, Name, Paging, ResourceID, Timestamp, View

PrincipalKind = Literal["user", "api_key", "oauth_client"]


class Attachment(Body):
    """Whom a policy speaks of."""

    type: Literal["tenant", "role", "group", "user", "api_key", "oauth_client"]
    id: ResourceID


class PolicyWrite(Body):
    """A policy as its author writes it; *document* is one statement or `{"statements": [...]}`."""

    name: Name
    description: Annotated[str, StringConstraints(max_length=2000)] | None = None
    document: dict[str, Any]
    attachments: Annotated[list[Attachment], Field(max_length=50)] = []


class PolicyQuery(Paging):
    """Which policies: all, or those attached to one thing."""

    attachment_type: Literal["tenant", "role", "group", "user", "api_key", "oauth_client"] | None = None
    attachment_id: ResourceID | None = None

    @model_validator(mode="after")
    def _both(self) -> "PolicyQuery":
        if (self.attachment_type is None) != (self.attachment_id is None):
            raise ValueError("attachment_type and attachment_id go together.")
        return self


class PolicyRollback(Body):
    """The former version that shall stand again, as the next one."""

    version: Annotated[int, Field(ge=1, le=10**9)]


class PolicyCheck(Body):
    """A policy to be checked, not written."""

    document: dict[str, Any]
    attachments: Annotated[list[Attachment], Field(max_length=50)] = []


class Fault(View):
    """One fault or warning, at a JSON pointer."""

    pointer: str
    detail: str


class PolicyChecked(View):
    """What is wrong, and what is odd."""

    valid: bool
    errors: list[Fault]
    warnings: list[Fault]


class AttachmentView(View):
    """Whom a policy speaks of."""

    type: str
    id: str


class PolicyView(View):
    """A policy as it stands; *version* counts its writes from 1."""

    id: str
    name: str
    description: str | None
    document: dict[str, Any]
    attachments: list[AttachmentView]
    version: int
    created_at: Timestamp
    updated_at: Timestamp
    updated_by: str | None


class PolicyList(View):
    """A page of policies."""

    items: list[PolicyView]
    next_cursor: str | None


class PrincipalRef(Body):
    """A principal of the tenant."""

    type: PrincipalKind
    id: ResourceID
    attributes: Attributes | None = None


class ResourceRef(Body):
    """What is acted on; without *id*, the type as a whole."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    id: ResourceID | None = None
    attributes: Attributes = {}


class DecisionContext(Body):
    """The circumstances, as the caller states them."""

    ip_address: Annotated[str, StringConstraints(max_length=64)] | None = None
    time: Timestamp | None = None
    mfa: bool | None = None
    environment: Literal["live", "test"] | None = None


class AuthorizeRequest(Body):
    """One question: may this principal (the caller, if none is named) do this to that, now."""

    principal: PrincipalRef | None = None
    action: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    resource: ResourceRef | Annotated[str, StringConstraints(min_length=1, max_length=321)]
    context: DecisionContext = DecisionContext()


class AuthorizeBatch(Body):
    """Several questions, answered in order."""

    requests: Annotated[list[AuthorizeRequest], Field(min_length=1, max_length=100)]


class DecisionView(View):
    """The answer, and what decided it. *policy_set* is the hash of the tenant's policies as they stood."""

    decision: Literal["allow", "deny"]
    decision_id: str
    kind: str
    reason: str
    matched: list[dict[str, Any]]
    policy_set: str
    nearest: list[dict[str, Any]] | None = None


class DecisionBatch(View):
    """The answers, in the order of the questions."""

    decisions: list[DecisionView]


class PolicyChange(Body):
    """A policy that would be written (without *id* a new one; attachments left out stay), or taken away."""

    op: Literal["put", "delete"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    name: Name | None = None
    document: dict[str, Any] | None = None
    attachments: Annotated[list[Attachment], Field(max_length=50)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "PolicyChange":
        if self.op == "put" and self.document is None:
            raise ValueError("A put has a document.")
        if self.op == "delete" and (self.id is None or self.document is not None or self.attachments is not None):
            raise ValueError("A delete has an id and nothing else.")
        return self


class Simulation(Body):
    """
    Changes to try on *requests*, or else on the decisions that the audit log has between *from* and *to*: of a week until
    now unless said, newest first, *limit* of them a call.
    """

    changes: Annotated[list[PolicyChange], Field(min_length=1, max_length=50)]
    requests: Annotated[list[AuthorizeRequest], Field(min_length=1, max_length=100)] | None = None
    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None
    only_changed: bool = False
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = None


class PolicyReplacement(Body):
    """Whether a change that gives anybody new access shall be refused."""

    deny_if_new_access: Literal["true", "false"] = "false"


class Comparable(Body):
    """Two documents, or changes to the tenant's policies."""

    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    changes: Annotated[list[PolicyChange], Field(min_length=1, max_length=50)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Comparable":
        if (self.before is None, self.after is None) != ((self.changes is not None),) * 2:
            raise ValueError("Either before and after, or changes.")
        return self


class FoundQuestion(View):
    """
    A question that is answered differently, to be put to `/v1/authorize`. A token's *client_id* and an action's properties
    stand beside it: the one is asked with such a token, the other under `/access/v1`.
    """

    request: dict[str, Any]
    client_id: str | None = None
    action_properties: dict[str, Any] | None = None
    before: dict[str, Any]
    after: dict[str, Any]


class UselessStatement(View):
    """A statement that decides nothing; *by* are those that shadow it."""

    pointer: str
    by: list[str] | None = None


class Analysis(View):
    """What is allowed afterwards and not before, and the other way round: a question for each kind of principal."""

    equivalent: bool
    grants_more: list[FoundQuestion]
    grants_less: list[FoundQuestion]
    never_applies: list[UselessStatement]
    shadowed: list[UselessStatement]


class AccessCheck(Analysis):
    """Whether nobody may do more afterwards; if somebody may, the first question that shows it; and the whole analysis."""

    no_new_access: bool
    witness: FoundQuestion | None


class PolicySets(View):
    """Hashes of the rules as they stand, and as they would."""

    before: str
    after: str


class Outcome(View):
    """What is decided before a change and after it; *recorded* is what was decided then, by which rules."""

    principal: dict[str, str]
    action: str
    resource: dict[str, Any] | None
    before: dict[str, Any]
    after: dict[str, Any]
    changed: bool
    recorded: dict[str, Any] | None = None


class Simulated(View):
    """What a change would do, and whether it would be refused since it locks everybody out."""

    policy_set: PolicySets
    would_lock_out: bool
    decided: int
    changed: int
    decisions: list[Outcome]
    next_cursor: str | None


class RouteResource(Body):
    """Which resource a route acts on; `{name}` is a path parameter, `{query.name}` a query parameter."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    id: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    attributes: dict[str, str] = {}


class Route(Body):
    """One route of another API, and the operation that it performs."""

    method: Literal["*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    path: Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^/")]
    action: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    resource: RouteResource | None = None


class ProtectedAPIWrite(Body):
    """Another API whose gateway asks our authorizer."""

    name: Name
    audience: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    environment: Literal["live", "test"]
    domains: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=64)]], Field(max_length=20)] = []
    routes: Annotated[list[Route], Field(max_length=500)]


class ProtectedAPIPatch(Body):
    """What may be changed of a protected API; what is left out, or null, stays."""

    name: Name | None = None
    audience: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    environment: Literal["live", "test"] | None = None
    domains: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=64)]], Field(max_length=20)] | None = (
        None
    )
    routes: Annotated[list[Route], Field(max_length=500)] | None = None


class ProtectedAPIView(View):
    """A protected API as it stands."""

    id: str
    name: str
    audience: str
    environment: str
    domains: list[str]
    routes: list[dict[str, Any]]
    created_at: Timestamp
    version: int


class ProtectedAPIList(View):
    """A page of protected APIs."""

    items: list[ProtectedAPIView]
    next_cursor: str | None


RoleName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Actions = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=200)]], Field(max_length=100)]
Description = Annotated[str, StringConstraints(max_length=2000)]


class RoleCreate(Body):
    """A role to be; it grants its actions on everything, without condition."""

    name: RoleName
    description: Description | None = None
    actions: Actions


class RolePatch(Body):
    """What may be changed of a role; what is left out stays."""

    description: Description | None = None
    actions: Actions | None = None


class RoleView(View):
    """A role."""

    name: str
    description: str | None
    actions: list[str]
    created_at: Timestamp | None
    version: int


class RoleList(View):
    """All roles of the tenant."""

    items: list[RoleView]
    next_cursor: str | None


class ResourceWrite(Body):
    """What is known of a resource that others own."""

    attributes: Attributes = {}
    environment: Literal["live", "test"] | None = None


class ResourceView(View):
    """What is known of a resource."""

    type: str
    id: str
    attributes: dict[str, Any]
    environment: str | None
    version: int
