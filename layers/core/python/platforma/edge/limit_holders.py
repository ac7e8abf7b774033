"""Whose rate limit a path names; a limit that is set is of somebody who exists."""

from platforma.apikeys.model import Holder, RateLimit
from platforma.apikeys.shared_limits import tenant_holder
from platforma.edge.call import Call
from platforma.edge.subjects import Subjects
from platforma.kernel.errors import Forbidden, NotFound
from platforma.kernel.ids import is_id
from platforma.policy.snapshots import Snapshots


def owner_named(call: Call, subjects: Subjects) -> Holder:
    """
    The owner of the caller's tenant whom the path names; the tenant itself can be looked at only.

    Raises:
        NotFound: there is none.
        Forbidden: it is the tenant, whose limit the platform sets.
    """
    kind, name = call.path["type"], call.path["id"]
    if kind == "tenant" and name == call.tenant_id:
        if call.endpoint.method != "GET":
            raise Forbidden("A tenant's limit is set by the platform.")
        return tenant_holder(call.tenant_id)
    if kind == "user":
        holder = Holder(call.tenant_id, "user", name)
    elif kind == "oauth_client":
        holder = Holder(call.tenant_id, "oauth_client", name)
    else:
        raise NotFound
    if call.endpoint.method == "PUT" and subjects.of(call.tenant_id, kind, name) is None:
        raise NotFound
    return holder


def tenant_named(call: Call, snapshots: Snapshots) -> Holder:
    """
    The tenant that the path names.

    Raises:
        NotFound: there is none.
    """
    tenant_id = call.path["id"]
    if not is_id(tenant_id, "ten") or snapshots.of(tenant_id).versions is None:
        raise NotFound
    return tenant_holder(tenant_id)


def limit_asked(call: Call) -> RateLimit:
    """The limit in the body."""
    return RateLimit(call.body.limit, call.body.period_seconds)
