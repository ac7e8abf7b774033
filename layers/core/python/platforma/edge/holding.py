"""
What a caller surely holds: the measure of what it may give to others.

A grant or statement counts where it holds on everything and whatever the circumstances, within the credential's scopes, and
where no deny in force could ever meet it. What is attached to a key or client takes from this and adds nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

from platforma.policy.actions import Pattern, parse_pattern, within
from platforma.policy.compile import Attached, PolicySet
from platforma.policy.effective import effective_permissions
from platforma.policy.model import Subject

_WILD = "*"


class Holding:
    """The permissions that *subject* surely has under *policy_set*."""

    def __init__(self, policy_set: PolicySet, subject: Subject) -> None:
        self._policy_set, self._scopes = policy_set, subject.scopes
        alone = replace(subject.owner or subject, client_id=None)
        view = policy_set.view(subject)
        narrowed = {grant.statement for grant in view.replaced} - {
            grant.statement for grant in policy_set.view(alone).replaced
        }
        held = effective_permissions(policy_set, alone, unconditional=True) if subject.active else ()
        self._held = tuple(action for action in held if action not in narrowed)
        self._denied = [pattern for one in view.attached for text in one.denies if (pattern := parse_pattern(text))]

    def covers(self, actions: Iterable[str]) -> bool:
        """Whether each of these action patterns is held, whole."""
        return all(self._covers(action) for action in actions)

    def grants_of(self, roles: Iterable[str]) -> list[str]:
        """What *roles* grant by themselves."""
        return [action for role in roles for action in self._policy_set.roles.get(role, ())]

    def attached_to(self, kind: str, ids: Iterable[str]) -> list[str]:
        """The actions that statements attached to these speak of, whether they give or take."""
        return [action for each in ids for action in _spoken_of(self._policy_set.attached.get((kind, each)))]

    def _covers(self, action: str) -> bool:
        pattern = parse_pattern(action)
        return (
            pattern is not None
            and within([action], self._held)
            and (self._scopes is None or within([action], self._scopes))
            and not any(_meet(pattern, denied) for denied in self._denied)
        )


def _spoken_of(attached: Attached | None) -> list[str]:
    return [] if attached is None else [*attached.allows, *attached.denies]


def _meet(given: Pattern, denied: Pattern) -> bool:
    """Whether some action may be matched by both; where that is not plain, it is taken to be so."""
    if _WILD not in (given.domain, denied.domain) and given.domain != denied.domain:
        return False
    if given.prefix is not None and denied.prefix is not None:
        return given.prefix.startswith(denied.prefix) or denied.prefix.startswith(given.prefix)
    levels = given.levels | {"read"} if given.prefix is None else given.levels
    return not levels.isdisjoint(denied.levels)
