"""Services: programs of a tenant's that call with a client certificate, each registered by name with the roles it has."""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from platforma.identity.fields import parse_roles
from platforma.identity.model import Page
from platforma.kernel.errors import Conflict, FieldError, Unprocessable
from platforma.kernel.events import Attempt, Event

_NAME = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Service:
    """A program that its certificate names. A *name* is one service's in the whole system, and never another tenant's."""

    name: str
    tenant_id: str
    roles: tuple[str, ...]
    status: Literal["active", "suspended"] = "active"
    version: int = 1


class Services(Protocol):
    """Every service, by name; reads are consistent, a write commits its event with it."""

    def get(self, name: str) -> Service | None:
        """The service of this name."""

    def add(self, service: Service, event: Event) -> None:
        """
        Keep a new service.

        Raises:
            Conflict: the name is taken.
        """

    def replace(self, before: Service, after: Service, event: Event) -> None:
        """
        Change a service.

        Raises:
            PreconditionFailed: its version is not that of *before* any more.
        """

    def remove(self, service: Service, event: Event) -> None:
        """
        Delete a service; its name is free.

        Raises:
            PreconditionFailed: its version is not that of *service* any more, or it is gone.
        """

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Service]:
        """The tenant's services, by name."""


def is_service_name(text: str) -> bool:
    """Whether *text* can name a service: 1 to 63 of `a-z 0-9 -`, no hyphen at either end."""
    return _NAME.match(text) is not None


def register_service(
    name: str, roles: object, *, tenant_id: str, known_roles: frozenset[str], services: Services, attempt: Attempt
) -> Service:
    """
    See that the tenant has this service, active and with exactly *roles*. Doing it again writes nothing.

    Raises:
        Unprocessable: no such name can be, or a role does not exist.
        Conflict: the name is another tenant's.
    """
    if not is_service_name(name):
        fault = FieldError("/service/name", "1 to 63 of a-z, 0-9 and hyphens, which stand neither first nor last.")
        raise Unprocessable(errors=[fault])
    given = parse_roles(roles, known_roles=known_roles, pointer="/service/roles")
    wanted = Service(name, tenant_id, given)
    there = services.get(name)
    if there is None:
        services.add(wanted, service_event(attempt, None, wanted))
        return wanted
    if there.tenant_id != tenant_id:
        raise Conflict("The service's name is taken.")
    wanted = replace(wanted, version=there.version)
    if wanted == there:
        return there
    after = replace(wanted, version=there.version + 1)
    services.replace(there, after, service_event(attempt, there, after))
    return after


def service_event(attempt: Attempt, before: Service | None, after: Service | None) -> Event:
    """The event of a service that was made, changed or deleted."""
    named = after or before
    assert named is not None
    changes = {"before": before and _told(before), "after": after and _told(after)}
    return attempt.event("success", resource=named.name, resource_type="service", changes=changes)


def _told(service: Service) -> dict[str, Any]:
    return {"tenant_id": service.tenant_id, "roles": list(service.roles), "status": service.status}
