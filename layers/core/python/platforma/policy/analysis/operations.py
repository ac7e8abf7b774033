"""Actions that patterns can tell apart: those they name, and one of each kind that they do not."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, count

from platforma.policy.actions import Pattern, candidate_patterns, covered, matches, parse_action, parse_pattern
from platforma.policy.catalogue import CONTROL_DOMAINS, PERMISSIONS, PLATFORM_DOMAIN, READING_VERBS
from platforma.policy.model import Effect


class Operations:
    """
    *values* are the names, by class. The domain `platform` is left out: no policy can name it and no wildcard reaches it.

    *own* are operations to be told apart though no pattern names them.
    """

    def __init__(self, patterns: Iterable[str], domains: frozenset[str], own: Iterable[str] = ()) -> None:
        read = [pattern for text in sorted(set(patterns)) if (pattern := parse_pattern(text)) is not None]
        self._actions = [
            action for name in _names(read, domains, own) if (action := parse_action(name, domains)) is not None
        ]
        self.values = [action.name for action in self._actions]
        self.full = (1 << len(self.values)) - 1
        self._masks: dict[Effect, dict[str, int]] = {"allow": {}, "deny": {}}
        texts = {pattern.text: pattern for pattern in read}
        by_domain: dict[str, list[Pattern]] = {}
        for pattern in read:
            if pattern.prefix is not None:
                by_domain.setdefault(pattern.domain, []).append(pattern)
        for at, action in enumerate(self._actions):
            near = [texts[text] for text in candidate_patterns(action) if text in texts]
            if not action.is_operation:
                near += by_domain.get(action.domain, [])
            for effect, masks in self._masks.items():
                for pattern in near:
                    if matches(pattern, action, effect):
                        masks[pattern.text] = masks.get(pattern.text, 0) | 1 << at

    def matched(self, patterns: Iterable[str], effect: Effect) -> int:
        """The classes that one of *patterns* matches, in a statement of this effect."""
        found = 0
        for text in patterns:
            found |= self._masks[effect].get(text, 0)
        return found

    def covered(self, scopes: tuple[str, ...]) -> int:
        """The classes that *scopes* cover, as step 6 of a decision looks at them."""
        return self._where(covered(scopes, replace(action, known=True)) for action in self._actions)

    def ours_to_manage(self, own: frozenset[str]) -> int:
        """The classes that change something of this API itself, whose operations are *own*."""
        return self._where(
            action.level == "manage" and (action.domain in CONTROL_DOMAINS or action.name in own) for action in self._actions
        )

    def _where(self, answers: Iterable[bool]) -> int:
        return sum(1 << at for at, answer in enumerate(answers) if answer)


def _names(patterns: list[Pattern], domains: frozenset[str], own: Iterable[str]) -> list[str]:
    known = domains | {pattern.domain for pattern in patterns} | {name.partition(".")[0] for name in own}
    known -= {"*", PLATFORM_DOMAIN}
    verbs: dict[str, dict[str, set[str]]] = {domain: {} for domain in known}
    operations = [pattern.prefix for pattern in patterns if pattern.prefix is not None] + [*PERMISSIONS, *own]
    for name in operations:
        domain, *further = name.rstrip(".").split(".")
        if domain in verbs and further:
            resource, *verb = further
            verbs[domain].setdefault(resource, set()).update(verb)
    for domain in (*verbs, fresh("elsewhere", known)):
        verbs.setdefault(domain, {}).setdefault(fresh("things", verbs.get(domain, ())), set())
    return [name for domain, resources in sorted(verbs.items()) for name in _of_domain(domain, resources)]


def _of_domain(domain: str, resources: dict[str, set[str]]) -> list[str]:
    names = []
    for resource, named in sorted(resources.items()):
        others = [fresh("change", named | READING_VERBS), *sorted(READING_VERBS - named)[:1]]
        names += [f"{domain}.{resource}.{verb}" for verb in (*sorted(named), *others)]
    return [*names, f"{domain}:read", f"{domain}:manage"]


def fresh(wish: str, taken: Iterable[str]) -> str:
    """A name that is not *taken*, *wish* if possible."""
    taken = set(taken)
    return next(name for name in chain([wish], (f"{wish}{number}" for number in count(2))) if name not in taken)
