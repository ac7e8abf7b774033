"""The end of a policy. It cannot lock anybody out: the guard counts role grants, which a policy only takes from."""

from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.policy.attempts import on_current
from platforma.policy.ports import PolicyStore
from platforma.policy.read_policy import get_policy


def delete_policy(tenant_id: str, policy_id: str, *, if_match: int | None, store: PolicyStore, attempt: Attempt) -> None:
    """
    Take a policy away, with its event. *if_match* is what must stand now, None for any.

    Raises:
        NotFound: the tenant has no such policy.
        PreconditionFailed: another version stands.
    """

    def change() -> None:
        current = get_policy(tenant_id, policy_id, store=store)
        if if_match not in (None, current.version):
            raise PreconditionFailed
        event = attempt.event("success", resource=policy_id, resource_type="policy", changes={"before": current.as_change()})
        store.delete(current, event)

    on_current(change, if_match)
