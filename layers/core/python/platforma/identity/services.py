"""A tenant's services are listed, read, given other roles, suspended and deleted; each use reads them anew."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from platforma.identity.fields import parse_roles
from platforma.identity.lockout import settled
from platforma.identity.model import Page
from platforma.identity.service import Service, Services, is_service_name, service_event
from platforma.kernel.errors import FieldError, NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt


def list_services(tenant_id: str, *, services: Services, limit: int = 50, after: str | None = None) -> Page[Service]:
    """A page of the tenant's services, by name."""
    return services.page(tenant_id, limit=limit, after=after)


def read_service(tenant_id: str, name: str, *, services: Services) -> Service:
    """
    The tenant's service of this name.

    Raises:
        NotFound: it has none.
    """
    service = services.get(name) if is_service_name(name) else None
    if service is None or service.tenant_id != tenant_id:
        raise NotFound
    return service


def change_service(
    tenant_id: str,
    name: str,
    changes: Mapping[str, object],
    *,
    if_match: int | None,
    known_roles: frozenset[str],
    services: Services,
    attempt: Attempt,
    may: Callable[[Service, Service], None],
) -> Service:
    """
    The service after *changes*: `status` (`active` or `suspended`), `roles`. Suspended, it is refused from its next request.

    *may* is asked with the service before and after whether the caller may give and take that. *if_match* None means any
    version.

    Raises:
        NotFound: the tenant has no service of this name.
        Forbidden: *may* says so.
        PreconditionFailed: it has another version.
        Unprocessable: a field is not valid, or not one of these.
    """

    def write() -> Service:
        before = read_service(tenant_id, name, services=services)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        after = replace(_changed(before, changes, known_roles), version=before.version + 1)
        may(before, after)
        services.replace(before, after, service_event(attempt, before, after))
        return after

    return settled(write, again_if_stale=if_match is None)


def delete_service(tenant_id: str, name: str, *, if_match: int | None, services: Services, attempt: Attempt) -> None:
    """
    Delete the service: whatever its certificate, it is nobody from its next request. *if_match* None means any version.

    Raises:
        NotFound: the tenant has no service of this name.
        PreconditionFailed: it has another version.
    """

    def write() -> None:
        before = read_service(tenant_id, name, services=services)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        services.remove(before, service_event(attempt, before, None))

    settled(write, again_if_stale=if_match is None)


def _changed(before: Service, changes: Mapping[str, object], known_roles: frozenset[str]) -> Service:
    after = before
    for field, value in changes.items():
        if field == "roles":
            after = replace(after, roles=parse_roles(value, known_roles=known_roles))
        elif field == "status" and value == "active":
            after = replace(after, status="active")
        elif field == "status" and value == "suspended":
            after = replace(after, status="suspended")
        else:
            raise Unprocessable(errors=[FieldError(f"/{field}", "Cannot be changed so.")])
    return after
