"""
What the audit log records. An `Attempt` is a request while it is worked on; an `Event` is what became of it.

Whoever changes state writes the event in the same transaction. The edge writes the events of all other requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.ids import new_id
from platforma.kernel.tenancy import PLATFORM

Result = Literal["success", "denied", "failure", "error"]
Source = Literal["api", "schedule", "gateway", "external"]
PrincipalType = Literal["user", "api_key", "oauth_client", "service", "directory", "setup_link", "anonymous", "system"]


@dataclass(frozen=True, slots=True)
class Event:
    """An entry for a tenant's log; the field names are those of the API. *resource* is the bare id, times are RFC 3339."""

    id: str
    timestamp: str
    received_at: str
    tenant_id: str
    request_id: str
    source: Source
    principal_type: PrincipalType
    principal_id: str | None
    user_id: str | None
    action: str
    resource: str | None
    result: Result
    ip_address: str | None
    user_agent: str | None
    resource_type: str | None = None
    reason: str | None = None
    client_request_id: str | None = None
    part: int | None = None
    changes: Mapping[str, Any] | None = None
    decision: Mapping[str, Any] | None = None
    attempt: "Attempt | None" = field(default=None, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The event as the API shows it: nullable fields always there, optional ones only when known."""
        document: dict[str, Any] = {name: getattr(self, name) for name in _ALWAYS}
        document.update((name, value) for name in _OPTIONAL if (value := getattr(self, name)) is not None)
        return document


_ALWAYS = (
    *("id", "timestamp", "tenant_id", "user_id", "action", "resource", "result", "ip_address", "user_agent"),
    *("request_id", "source", "principal_type", "principal_id", "received_at"),
)
_OPTIONAL = ("part", "client_request_id", "resource_type", "reason", "changes", "decision")


@dataclass(slots=True)
class Attempt:
    """
    A request (or a scheduled run) whose outcome is not known yet.

    The edge makes it, authentication adds who is behind it, and whoever settles the outcome asks it for the event.
    Until `principal_type` is other than `anonymous` it belongs to no tenant and enters no log from here.
    """

    request_id: str
    action: str
    clock: Clock
    ip_address: str | None = None
    user_agent: str | None = None
    client_request_id: str | None = None
    source: Source = "api"
    tenant_id: str = PLATFORM
    principal_type: PrincipalType = "anonymous"
    principal_id: str | None = None
    user_id: str | None = None
    decision: Mapping[str, Any] | None = None
    resource: str | None = None
    resource_type: str | None = None
    id: str = field(default_factory=lambda: new_id("evt"))
    entered: bool = False

    def event(
        self,
        result: Result,
        *,
        resource: str | None = None,
        resource_type: str | None = None,
        reason: str | None = None,
        changes: Mapping[str, Any] | None = None,
        decision: Mapping[str, Any] | None = None,
        part: int | None = None,
    ) -> Event:
        """The event that this attempt becomes with *result*; *part* numbers the several events of one request from 1."""
        now = rfc3339(self.clock())
        return Event(
            id=self.id if part in (None, 1) else new_id("evt"),
            timestamp=now,
            received_at=now,
            tenant_id=self.tenant_id,
            request_id=self.request_id,
            client_request_id=self.client_request_id,
            source=self.source,
            principal_type=self.principal_type,
            principal_id=self.principal_id,
            user_id=self.user_id,
            action=self.action,
            resource=resource or self.resource,
            resource_type=resource_type or self.resource_type,
            result=result,
            ip_address=self.ip_address,
            user_agent=self.user_agent,
            reason=reason,
            changes=changes,
            decision=decision or self.decision,
            part=part,
            attempt=self,
        )


def entered(events: tuple[Event, ...]) -> None:
    """Tell the attempts of *events* that their events are in the outbox: whoever wrote them calls this, after the write."""
    for event in events:
        if event.attempt is not None:
            event.attempt.entered = True
