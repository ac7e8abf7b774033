"""Who the caller is, and what it may do in general."""

from datetime import datetime
from typing import Any

from platforma.edge.authorization import may
from platforma.edge.call import Call
from platforma.policy.catalogue import BUILT_IN_DOMAINS
from platforma.policy.snapshots import Snapshot


def me(call: Call, snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """
    Principal, tenant, roles, effective permissions and scopes.

    A permission is listed where it is held on everything, here and now; policies may give more on single resources.
    """
    caller, address = call.caller, call.attempt.ip_address
    domains = sorted(BUILT_IN_DOMAINS | snapshot.policy_set.domains)
    asked = [f"{domain}:{level}" for domain in domains for level in ("read", "manage")]
    return {
        "principal": {"type": caller.subject.type, "id": caller.principal_id},
        "tenant_id": caller.tenant_id,
        "roles": sorted((caller.subject.owner or caller.subject).roles),
        "permissions": [each for each in asked if may(snapshot, caller.subject, each, now=now, ip_address=address)],
        "scopes": list(caller.subject.scopes or ()),
    }
