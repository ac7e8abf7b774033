"""Registering other APIs, and taking them off again. Their domains are the tenant's from then on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id, new_id
from platforma.policy.api_document import parse_api
from platforma.policy.attempts import on_current
from platforma.policy.model import Environment
from platforma.policy.ports import Page, ProtectedAPIStore
from platforma.policy.protected_api import ProtectedAPI


def create_protected_api(
    tenant_id: str,
    *,
    name: str,
    audience: str,
    environment: Environment,
    routes: Sequence[Any],
    domains: Sequence[Any] = (),
    store: ProtectedAPIStore,
    attempt: Attempt,
    clock: Clock,
) -> ProtectedAPI:
    """
    Check and keep an API, with its event. *routes* and *domains* are as the caller wrote them.

    Raises:
        Unprocessable: they are not valid; pointers are below `/routes` and `/domains`.
        Conflict: another API of the tenant has this audience.
    """
    own_domains, checked = parse_api(domains, routes)
    api = ProtectedAPI(
        id=new_id("api"),
        tenant_id=tenant_id,
        name=name,
        audience=audience,
        environment=environment,
        domains=own_domains,
        routes=checked,
        created_at=rfc3339(clock()),
    )
    changes = {"after": _told(api)}
    store.put_api(api, attempt.event("success", resource=api.id, resource_type="protected_api", changes=changes))
    return api


def get_protected_api(tenant_id: str, api_id: str, *, store: ProtectedAPIStore) -> ProtectedAPI:
    """
    The API as it stands.

    Raises:
        NotFound: the tenant has no such API.
    """
    api = store.api(tenant_id, api_id) if is_id(api_id, "api") else None
    if api is None:
        raise NotFound
    return api


def list_protected_apis(
    tenant_id: str, *, store: ProtectedAPIStore, limit: int = 50, after: str | None = None
) -> Page[ProtectedAPI]:
    """A page of the tenant's APIs, oldest first."""
    return store.apis(tenant_id, after=after, limit=limit)


def change_protected_api(
    tenant_id: str, api_id: str, *, if_match: int | None, store: ProtectedAPIStore, attempt: Attempt, **changed: Any
) -> ProtectedAPI:
    """
    Keep an API's next version, what is not *changed* (or None) as it was, with its event. *if_match* is what must stand
    now, None for any.

    Raises:
        NotFound: the tenant has no such API.
        PreconditionFailed: another version stands.
        Unprocessable: its domains and routes would not be valid; pointers are below `/routes` and `/domains`.
        Conflict: another API of the tenant has this audience.
    """

    def change() -> ProtectedAPI:
        before = get_protected_api(tenant_id, api_id, store=store)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        fields = {**before.as_json(), **{name: value for name, value in changed.items() if value is not None}}
        domains, routes = parse_api(fields["domains"], fields["routes"])
        kept = {name: fields[name] for name in ("name", "audience", "environment")}
        after = replace(before, **kept, domains=domains, routes=routes, version=before.version + 1)
        changes = {"before": _told(before), "after": _told(after)}
        store.put_api(after, attempt.event("success", resource=api_id, resource_type="protected_api", changes=changes))
        return after

    return on_current(change, if_match)


def delete_protected_api(
    tenant_id: str, api_id: str, *, if_match: int | None, store: ProtectedAPIStore, attempt: Attempt
) -> None:
    """
    Take an API off, with its event. *if_match* is what must stand now, None for any.

    Raises:
        NotFound: the tenant has no such API.
        PreconditionFailed: another version stands.
    """

    def change() -> None:
        api = get_protected_api(tenant_id, api_id, store=store)
        if if_match not in (None, api.version):
            raise PreconditionFailed
        changes = {"before": _told(api)}
        store.delete_api(api, attempt.event("success", resource=api_id, resource_type="protected_api", changes=changes))

    on_current(change, if_match)


def _told(api: ProtectedAPI) -> dict[str, Any]:
    """An API as an event tells of it: its routes by their hash, since there may be hundreds."""
    routes = json.dumps([route.as_json() for route in api.routes], sort_keys=True, separators=(",", ":")).encode("ascii")
    told = {"count": len(api.routes), "sha256": hashlib.sha256(routes).hexdigest()}
    return {**api.as_json(), "routes": told}
