"""Who may claim a domain, and in whose name."""

from collections.abc import Callable

from platforma.edge.authorization import may
from platforma.edge.call import Call
from platforma.identity.model import Tenant
from platforma.kernel.errors import FieldError, Forbidden, NotFound, Unprocessable
from platforma.policy.snapshots import Snapshots


def vouched_tenant(call: Call, snapshots: Callable[[], Snapshots], read_tenant: Callable[[str], Tenant]) -> str | None:
    """
    The tenant that a platform client vouches for; None where the caller claims a domain for its own tenant.

    Raises:
        Forbidden: the caller may not do either.
        Unprocessable: only one of `tenant_id` and `vouched` was given, or there is no such tenant.
    """
    tenant_id, vouched = call.body.tenant_id, call.body.vouched
    if tenant_id is None and vouched is None:
        if not call.permitted:
            raise Forbidden(f"You lack {call.endpoint.permission}, which {call.endpoint.operation} needs.")
        return None
    snapshot = snapshots().of(call.tenant_id)
    ip_address = call.attempt.ip_address
    if not may(snapshot, call.caller.subject, "platform:manage", now=call.now, ip_address=ip_address):
        raise Forbidden("You lack platform:manage, which vouching for a domain needs.")
    if tenant_id is None or vouched is None:
        raise Unprocessable(errors=[FieldError("/tenant_id", "A tenant is vouched for by tenant_id and vouched together.")])
    try:
        return read_tenant(tenant_id).id
    except NotFound:
        raise Unprocessable(errors=[FieldError("/tenant_id", "There is no such tenant.")]) from None
