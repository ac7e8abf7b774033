"""
A person's factors through the API: read by whom they are of, taken away by them after signing in, or by who administers.

They are enrolled on the pages alone, where an authenticator can be talked to.
"""

from typing import Any, Protocol

from platforma.edge.answer import Answer, content_version, tagged
from platforma.edge.call import Call
from platforma.edge.giving import Giving
from platforma.edge.schemas.identity import FactorView
from platforma.identity.factors import Factors
from platforma.kernel.errors import NotFound, PreconditionFailed


class World(Protocol):
    """What these use cases ask of the rest, which `bootstrap` fills with its ports."""

    identity: Any
    factors: Any

    def giving(self, call: Call) -> Giving:
        """What the caller may give."""


def list_factors(call: Call, world: World) -> Answer:
    """All of them, as one object with one entity tag."""
    return tagged(_list(_read(call, world)))


def get_factor(call: Call, world: World) -> Answer:
    """The one that the path names."""
    return tagged(_named(call, _read(call, world)))


def remove_factor(call: Call, world: World) -> Answer:
    """Take the one that the path names away."""
    before = _read(call, world)
    _require_removable(call, before, _named(call, before), world)
    world.factors.remove_factor(before.tenant_id, before.user_id, call.path["factor_id"], attempt=call.attempt)
    return Answer(204)


def reset_factors(call: Call, world: World) -> Answer:
    """Take all away."""
    before = _read(call, world)
    _require_removable(call, before, _list(before), world)
    world.factors.reset_factors(before.tenant_id, before.user_id, attempt=call.attempt)
    return Answer(204)


def _read(call: Call, world: World) -> Factors:
    """
    The factors of whom the path names, or of the caller, who has none where they are no person.

    Raises:
        NotFound: somebody else's, and the caller may see only their own; or nobody's.
    """
    user_id = call.caller.acting_id
    if call.endpoint.resource == "user" and call.path["id"] != user_id:
        user_id = call.path["id"]
        call.require_own(user_id)
        world.identity.read_user(call.tenant_id, user_id)
    found: Factors = world.factors.read_factors(call.tenant_id, user_id)
    return found


def _require_removable(call: Call, before: Factors, seen: dict[str, Any], world: World) -> None:
    """
    Require that the caller may take *seen* away.

    Raises:
        Forbidden: it is theirs, but they have not signed in by themselves; or another's, and the caller lacks
            `settings:manage`.
        PreconditionFailed: the caller saw another state.
    """
    call.require_own_change(before.user_id)
    if call.caller.acting_id != before.user_id:
        world.giving(call).require_manage("taking away another's factors")
    if call.if_match not in (None, content_version(seen)):
        raise PreconditionFailed


def _named(call: Call, factors: Factors) -> dict[str, Any]:
    found = next((each for each in factors.as_json() if each["id"] == call.path["factor_id"]), None)
    if found is None:
        raise NotFound
    return FactorView.of(found)


def _list(factors: Factors) -> dict[str, Any]:
    return {"items": [FactorView.of(each) for each in factors.as_json()], "next_cursor": None}
