"""Who administers a tenant, as the identity area's lock-out guard asks and the policy area knows."""

from platforma.policy.compile import PolicySet
from platforma.policy.lockout import administers, administrator_roles
from platforma.policy.model import Subject


class Administration:
    """A tenant's rules as they stand at this moment, read afresh for one judgement."""

    def __init__(self, tenant_id: str, policy_set: PolicySet) -> None:
        self._tenant_id, self._policy_set = tenant_id, policy_set

    @property
    def roles(self) -> frozenset[str]:
        """The roles with a grant that covers `settings:manage`."""
        return administrator_roles(self._policy_set)

    def administers(self, user_id: str, roles: frozenset[str], groups: frozenset[str]) -> bool:
        """Whether the user, active and with exactly these roles and groups, surely administers the tenant."""
        subject = Subject(
            type="user", id=user_id, tenant_id=self._tenant_id, roles=frozenset(roles), groups=frozenset(groups)
        )
        return administers(self._policy_set, subject)
