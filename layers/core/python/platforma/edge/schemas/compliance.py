"""Compliance reports, access reviews, records of processing."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from platforma.edge.schemas.common import Body, Paging, Timestamp, View


class EvidenceView(View):
    """What was seen, and when. `unread`: it could not be seen, or not all of it."""

    name: str
    verdict: Literal["pass", "fail", "unread"]
    summary: str
    expected: str
    facts: dict[str, Any]
    seen_at: Timestamp


class ControlView(View):
    """How it stands with a control, and by what evidence; `by_people` is what no system can show."""

    id: str
    title: str
    status: Literal["pass", "fail", "manual"]
    reason: str
    by_people: str | None
    evidence: list[EvidenceView]


class ReportView(View):
    """A framework's controls as they stood when this was made."""

    framework: Literal["soc2", "iso27001", "gdpr"]
    title: str
    scope: str
    tenant_id: str
    generated_at: Timestamp
    summary: dict[str, int]
    controls: list[ControlView]


class ActivityView(View):
    """Something that is done with personal data."""

    id: str
    purpose: str
    data_subjects: list[str]
    personal_data: list[str]
    recipients: list[str]
    kept: list[str]


class TermView(View):
    """How long a kind of data is kept, and what becomes of it then."""

    data: str
    kept_for: str
    then: str


class ProcessingView(View):
    """Records of processing activities (GDPR article 30); `by_people` is what only the controller knows."""

    tenant_id: str
    role: Literal["processor"]
    controller: dict[str, str]
    legal_bases: dict[str, str]
    transfers: dict[str, Any]
    security: str
    activities: list[ActivityView]
    retention: list[TermView]


class NewReview(Body):
    """What came of reviewing access; `policy_version` is the one that the reviewed page showed."""

    outcome: Literal["confirmed", "changes_made", "changes_needed"]
    note: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")] = ""
    policy_version: Annotated[int, Field(ge=0)] | None = None


class PrincipalView(View):
    """A type and an id."""

    type: str
    id: str


class ReviewView(View):
    """A completed access review; its id is also its event's."""

    id: str
    completed_at: Timestamp
    completed_by: PrincipalView
    outcome: str
    note: str
    policy_version: int


class ReviewList(View):
    """Completed reviews, newest first."""

    items: list[ReviewView]
    next_cursor: str | None


class AccessQuery(Paging):
    """Whose access; without a type first people, then clients, then keys, then services."""

    type: Literal["user", "oauth_client", "api_key", "service"] | None = None


class HeldRoleView(View):
    """A role, and by whom it was given as far as that is known; of a group's or a mapping's, by which."""

    role: str
    source: str
    group_id: str | None
    connection_id: str | None
    given_by: dict[str, str] | None
    given_at: Timestamp | None


class AccessView(View):
    """
    What a principal holds: `permissions` everywhere and always, `limited` on some resources or in some circumstances, both
    within its `scopes`; `policies` are those in force for it.
    """

    principal: PrincipalView
    name: str | None
    email: str | None
    status: str | None
    roles: list[HeldRoleView]
    permissions: list[str]
    limited: list[str]
    policies: list[str]
    scopes: list[str] | None
    owner: PrincipalView | None
    created_at: Timestamp | None
    created_by: str | None
    expires_at: Timestamp | None
    second_factor: bool | None
    last_used_at: Timestamp | None


class AccessList(View):
    """A page of who can do what; a completed review names the `policy_version` that it was read at."""

    items: list[AccessView]
    next_cursor: str | None
    policy_version: int
