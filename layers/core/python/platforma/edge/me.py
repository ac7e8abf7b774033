"""Who the caller is, and what it may do in general."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from platforma.edge.authorization import may
from platforma.edge.call import Call
from platforma.policy.actions import within
from platforma.policy.catalogue import BUILT_IN_DOMAINS
from platforma.policy.compile import PolicySet
from platforma.policy.effective import effective_permissions
from platforma.policy.model import Subject
from platforma.policy.snapshots import Snapshot


def me(call: Call, snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """
    Principal, tenant, roles, effective permissions and scopes.

    A permission is listed where it is held on everything, here and now. *limited* are the action patterns that policies give
    besides: on some resources, or in some circumstances.
    """
    caller, address = call.caller, call.attempt.ip_address
    domains = sorted(BUILT_IN_DOMAINS | snapshot.policy_set.domains)
    asked = [f"{domain}:{level}" for domain in domains for level in ("read", "manage")]
    held = [each for each in asked if may(snapshot, caller.subject, each, now=now, ip_address=address)]
    return {
        "principal": {"type": caller.subject.type, "id": caller.principal_id},
        "tenant_id": caller.tenant_id,
        "roles": sorted((caller.subject.owner or caller.subject).roles),
        "permissions": held,
        "limited": _limited(snapshot.policy_set, caller.subject),
        "scopes": list(caller.subject.scopes or ()),
    }


def _limited(policy_set: PolicySet, subject: Subject) -> list[str]:
    """
    What policies give on some resources or in some circumstances: no more than the owner or subject has without what is
    attached to the key or client, and within the scopes as far as one of the two covers the other.
    """
    alone = replace(subject.owner or subject, client_id=None)
    patterns = set(effective_permissions(policy_set, alone)) - set(
        effective_permissions(policy_set, alone, unconditional=True)
    )
    scopes = subject.scopes
    if scopes is None:
        return sorted(patterns)
    inside = {pattern for pattern in patterns if within([pattern], scopes)}
    return sorted(inside | {scope for scope in scopes if within([scope], patterns)})
