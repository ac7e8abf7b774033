"""Factors go: one of a person's, or all."""

from platforma.identity.factors.model import Factors
from platforma.identity.factors.ports import FactorStore
from platforma.identity.lockout import settled
from platforma.kernel.errors import Conflict, NotFound
from platforma.kernel.events import Attempt


def read_factors(tenant_id: str, user_id: str, *, factors: FactorStore) -> Factors:
    """The person's factors."""
    return factors.read(tenant_id, user_id)


def remove_factor(tenant_id: str, user_id: str, factor_id: str, *, factors: FactorStore, attempt: Attempt) -> None:
    """
    Let a factor of this id be good for nothing from now on; recovery codes go with the app that they stand for.

    Raises:
        NotFound: the person has none of this id.
        Conflict: recovery codes, which do not go by themselves.
    """

    def write() -> None:
        before = factors.read(tenant_id, user_id)
        if factor_id == "totp" and before.totp is not None:
            after = before.changed(totp=None, recovery=())
        else:
            if factor_id == "recovery_codes" and before.second:
                raise Conflict("Recovery codes go with the authenticator app that they stand for.")
            left = tuple(each for each in before.passkeys if each.id != factor_id)
            if len(left) == len(before.passkeys):
                raise NotFound
            after = before.changed(passkeys=left)
        factors.put(before, after, attempt.event("success", resource=factor_id, resource_type="factor"))

    settled(write, again_if_stale=True)


def reset_factors(tenant_id: str, user_id: str, *, factors: FactorStore, attempt: Attempt) -> None:
    """
    Let a person, who has lost them, sign in by the password alone until they add factors again.

    The event says how many there were of which kind. Challenges that were used stay used.
    """

    def write() -> None:
        before = factors.read(tenant_id, user_id)
        changes = {"before": {"factors": [each["type"] for each in before.as_json()]}, "after": {"factors": []}}
        event = attempt.event("success", resource=user_id, resource_type="user", changes=changes)
        factors.put(before, before.changed(totp=None, recovery=(), passkeys=()), event)

    settled(write, again_if_stale=True)
