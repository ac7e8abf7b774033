"""What is known of resources that others own: written by those who know, used where a request says nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platforma.kernel.errors import FieldError, NotFound, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.policy.attempts import on_current
from platforma.policy.attributes import MAX_NAME, MAX_TEXT, scalar_type
from platforma.policy.model import Environment
from platforma.policy.ports import ResourceStore
from platforma.policy.protected_api import KnownResource

_MAX_ATTRIBUTES = 50
_MAX_BYTES = 8192


def get_resource(tenant_id: str, resource_type: str, resource_id: str, *, store: ResourceStore) -> KnownResource:
    """
    What is known of the resource.

    Raises:
        NotFound: nothing is.
    """
    resource = store.resource(tenant_id, resource_type, resource_id)
    if resource is None:
        raise NotFound
    return resource


def put_resource(
    tenant_id: str,
    resource_type: str,
    resource_id: str,
    *,
    attributes: Mapping[str, Any],
    environment: Environment | None = None,
    if_match: int | None,
    store: ResourceStore,
    attempt: Attempt,
) -> KnownResource:
    """
    Keep what is known of a resource, whole, with its event. *if_match* is the version that must stand now, 0 where nothing
    may be known yet, None for any.

    Raises:
        Unprocessable: an attribute that conditions could never read.
        PreconditionFailed: another version stands.
    """
    _check(attributes)

    def change() -> KnownResource:
        before = store.resource(tenant_id, resource_type, resource_id)
        if if_match is not None and (0 if before is None else before.version) != if_match:
            raise PreconditionFailed
        after = KnownResource(
            tenant_id=tenant_id, type=resource_type, id=resource_id, attributes=dict(attributes), environment=environment
        )
        if before is not None:
            after = replace(after, version=before.version + 1)
        changes = {"before": None if before is None else _told(before), "after": _told(after)}
        store.put_resource(
            after, attempt.event("success", resource=resource_id, resource_type=resource_type, changes=changes)
        )
        return after

    return on_current(change, if_match)


def delete_resource(
    tenant_id: str, resource_type: str, resource_id: str, *, if_match: int | None, store: ResourceStore, attempt: Attempt
) -> None:
    """
    Forget a resource, with its event. *if_match* is the version that must stand now, None for any.

    Raises:
        NotFound: nothing is known of it.
        PreconditionFailed: another version stands.
    """

    def change() -> None:
        before = get_resource(tenant_id, resource_type, resource_id, store=store)
        if if_match not in (None, before.version):
            raise PreconditionFailed
        changes = {"before": _told(before)}
        store.delete_resource(
            before, attempt.event("success", resource=resource_id, resource_type=resource_type, changes=changes)
        )

    on_current(change, if_match)


def _told(resource: KnownResource) -> dict[str, Any]:
    return {"attributes": dict(resource.attributes), "environment": resource.environment}


def _check(attributes: Mapping[str, Any]) -> None:
    errors = [
        FieldError(
            f"/attributes/{name.replace('~', '~0').replace('/', '~1')}", "A scalar under a name of 1 to 128 characters."
        )
        for name, value in attributes.items()
        if not 1 <= len(name) <= MAX_NAME or scalar_type(value) is None or (isinstance(value, str) and len(value) > MAX_TEXT)
    ]
    size = len(json.dumps(dict(attributes), ensure_ascii=False).encode("utf-8", "replace"))
    if len(attributes) > _MAX_ATTRIBUTES or size > _MAX_BYTES:
        errors.append(FieldError("/attributes", f"At most {_MAX_ATTRIBUTES} attributes and {_MAX_BYTES} bytes."))
    if errors:
        raise Unprocessable("The attributes are not valid.", errors=errors)
