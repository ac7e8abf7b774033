"""What a principal holds, as action patterns: what `/v1/me` shows, and the measure of what it may give to others."""

from platforma.policy.actions import parse_action
from platforma.policy.compile import PolicySet
from platforma.policy.model import Subject


def effective_permissions(policy_set: PolicySet, subject: Subject, *, unconditional: bool = False) -> tuple[str, ...]:
    """
    The action patterns that *subject* holds: grants that are not replaced, and actions of allow statements in force.

    With *unconditional*, statements count only on all resources and without condition. Scopes and denies are not looked at:
    a scope caps what is held, a deny takes from it at each decision.
    """
    if not subject.active:
        return ()
    view = policy_set.view(subject.owner or subject)
    held = {str(grant.statement) for grant in view.grants}
    for attached in view.attached:
        for action, index in attached.allows.items():
            if not unconditional or any(
                not one.conditions and ("*" in one.statement.resources or "*:*" in one.statement.resources)
                for one in index.all()
            ):
                held.add(action)
    return tuple(sorted(held))


def named_operations(policy_set: PolicySet) -> frozenset[str]:
    """The operations that the tenant's protected APIs have, and that its roles and allow statements name one by one."""
    routed = (route.action for api in policy_set.apis.values() for route in api.routes)
    granted = (action for actions in policy_set.roles.values() for action in actions)
    allowed = (action for attached in policy_set.attached.values() for action in attached.allows)
    operations = (parse_action(name) for names in (routed, granted, allowed) for name in names)
    return frozenset(one.name for one in operations if one is not None and one.is_operation)
