"""A factor goes."""

from platforma.identity.factors.model import Factors
from platforma.identity.factors.ports import FactorStore
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt


def read_factors(tenant_id: str, user_id: str, *, factors: FactorStore) -> Factors:
    """The person's factors."""
    return factors.read(tenant_id, user_id)


def remove_factor(tenant_id: str, user_id: str, factor_id: str, *, factors: FactorStore, attempt: Attempt) -> None:
    """
    Let a factor of this id be good for nothing from now on; recovery codes go with the app that they stand for.

    Raises:
        NotFound: the person has none of this id.
    """
    before = factors.read(tenant_id, user_id)
    if factor_id == "totp" and before.totp is not None:
        after = before.changed(totp=None, recovery=())
    else:
        left = tuple(each for each in before.passkeys if each.id != factor_id)
        if len(left) == len(before.passkeys):
            raise NotFound
        after = before.changed(passkeys=left)
    factors.put(before, after, attempt.event("success", resource=factor_id, resource_type="factor"))
