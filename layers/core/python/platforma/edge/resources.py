"""What is known of resources that others own, where a request names one."""

import re
from collections.abc import Callable
from dataclasses import replace

from platforma.edge.call import Call
from platforma.kernel.errors import NotFound, Unprocessable
from platforma.policy.model import Request
from platforma.policy.protected_api import KnownResource

KnownOf = Callable[[str, str, str], KnownResource | None]
"""What a tenant (its id first) has told of the resource of this type and id."""

_MAX_ID = 256
_TYPE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def may_be_known(resource_type: str, resource_id: str) -> bool:
    """Whether anything can be kept of a resource of this type and id: a word, and up to 256 bytes without controls."""
    fits = 0 < len(resource_id.encode("utf-8", "replace")) <= _MAX_ID
    return fits and resource_id.isprintable() and _TYPE.fullmatch(resource_type) is not None


def named_resource(call: Call) -> tuple[str, str]:
    """
    Type and id of the resource that the path names.

    Raises:
        NotFound: they are none, so that nothing can be known of it.
        Unprocessable: the same, where something is to be told of it.
    """
    named = call.path["type"], call.path["id"]
    if may_be_known(*named):
        return named
    if call.endpoint.method == "PUT":
        raise Unprocessable("A resource has a type, a word of at most 64 characters, and an id of at most 256 bytes.")
    raise NotFound


def with_known(request: Request, tenant_id: str, known: KnownOf) -> Request:
    """
    *request* with what is known of its resource: attributes where the caller says nothing, and the environment, which is
    not for the caller to say.
    """
    kind, identity = request.resource_type, request.resource_id
    if kind is None or identity is None or not may_be_known(kind, identity):
        return request
    found = known(tenant_id, kind, identity)
    return request if found is None else filled(request, found)


def filled(request: Request, found: KnownResource) -> Request:
    """*request* with what was *found* of its resource."""
    return replace(
        request,
        resource_attributes={**found.attributes, **request.resource_attributes},
        context=replace(request.context, environment=found.environment or request.context.environment),
    )
