"""Audit events."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from platforma.edge.schemas.common import Paging, ResourceID, Timestamp, View


class EventQuery(Paging):
    """Which events; all filters must match."""

    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None
    user_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    action: Annotated[str, StringConstraints(max_length=200)] | None = None
    resource: ResourceID | None = None
    result: Literal["success", "denied", "failure", "error"] | None = None
    ip_address: Annotated[str, StringConstraints(max_length=64)] | None = None
    request_id: Annotated[str, StringConstraints(max_length=128)] | None = None
    q: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    order: Literal["asc", "desc"] = "desc"


class EventView(View):
    """One event."""

    id: str
    timestamp: Timestamp
    tenant_id: str
    user_id: str | None
    action: str
    resource: str | None
    result: str
    ip_address: str | None
    user_agent: str | None
    request_id: str
    source: str
    principal_type: str
    principal_id: str | None
    received_at: Timestamp
    part: int | None = None
    client_request_id: str | None = None
    resource_type: str | None = None
    reason: str | None = None
    changes: dict[str, Any] | None = None
    decision: dict[str, Any] | None = None
    sequence: int | None = None


class EventList(View):
    """A page of events."""

    items: list[EventView]
    next_cursor: str | None
