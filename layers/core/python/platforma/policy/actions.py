"""
Actions and the patterns that match them.

An action is an operation (`domain.resource.verb`) or a bare permission (`domain:read`, `domain:manage`). A pattern is a
permission with `*` for the domain or the level, the bare `*`, or an operation with `*` for whole trailing segments.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from platforma.policy.catalogue import CONTROL_DOMAINS, PERMISSIONS, PLATFORM_DOMAIN, READING_VERBS
from platforma.policy.model import Effect

Level = Literal["read", "manage"]

MAX_ACTION = 200
_SEGMENT = r"[a-z][a-z0-9_-]*"
_OPERATION = re.compile(rf"({_SEGMENT})\.{_SEGMENT}\.({_SEGMENT})")
_PERMISSION = re.compile(rf"({_SEGMENT}):(read|manage)")
_PERMISSION_PATTERN = re.compile(rf"({_SEGMENT}|\*):(read|manage|\*)")
_OPERATION_PATTERN = re.compile(rf"({_SEGMENT})\.(?:\*|{_SEGMENT}\.\*|{_SEGMENT}\.({_SEGMENT})|\*\.\*)")


@dataclass(frozen=True, slots=True)
class Action:
    """
    What is asked. *domain* and *level* are of the permission it needs.

    *known* is whether the domain is one: in what gives (a grant, an allow) a wildcard domain does not reach one that is not.
    """

    name: str
    domain: str
    level: Level
    is_operation: bool
    known: bool = True


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    A pattern, read. A permission pattern has *levels* it names (a deny's meaning) and a *domain* or `*`.

    An operation pattern has *prefix* (all of it, or up to its `*`), and the *levels* that its operations may need.
    The bare `*` is the domain `*` with *everything*.
    """

    text: str
    domain: str
    levels: frozenset[Level]
    prefix: str | None = None
    whole: bool = False
    everything: bool = False


_BOTH: frozenset[Level] = frozenset({"read", "manage"})
_READ: frozenset[Level] = frozenset({"read"})
_MANAGE: frozenset[Level] = frozenset({"manage"})
_LEVELS: dict[str, frozenset[Level]] = {"read": _READ, "manage": _MANAGE, "*": _BOTH}


def permission_of(operation: str) -> str:
    """The permission that *operation* needs: the catalogue's, else by its verb."""
    if (permission := PERMISSIONS.get(operation)) is not None:
        return permission
    domain, _, rest = operation.partition(".")
    return f"{domain}:{'read' if rest.rpartition('.')[2] in READING_VERBS else 'manage'}"


def parse_action(name: str, domains: frozenset[str] | None = None) -> Action | None:
    """The action that *name* is, or None where it is neither operation nor permission; without *domains* any is known."""
    if len(name) > MAX_ACTION:
        return None
    is_operation = _OPERATION.fullmatch(name) is not None
    if not is_operation and not _PERMISSION.fullmatch(name):
        return None
    domain, _, level = (permission_of(name) if is_operation else name).partition(":")
    return Action(name, domain, "read" if level == "read" else "manage", is_operation, domains is None or domain in domains)


@lru_cache(maxsize=8192)
def parse_pattern(text: str) -> Pattern | None:
    """The pattern that *text* is, or None where it is none."""
    if len(text) > MAX_ACTION:
        return None
    if text == "*":
        return Pattern(text, "*", _BOTH, everything=True)
    if permission := _PERMISSION_PATTERN.fullmatch(text):
        return Pattern(text, permission[1], _LEVELS[permission[2]])
    if not (operation := _OPERATION_PATTERN.fullmatch(text)):
        return None
    domain, verb = operation.groups()
    if verb is None:
        return Pattern(text, domain, _BOTH, prefix=text.rstrip("*.") + ".")
    levels = _READ if verb in READING_VERBS else _MANAGE
    if permission_of(text).endswith(":read"):
        levels = levels | _READ
    return Pattern(text, domain, levels, prefix=text, whole=True)


def matches(pattern: Pattern, action: Action, effect: Effect) -> bool:
    """Whether *pattern*, in a statement of this *effect* (a grant and a scope are an allow), matches *action*."""
    if pattern.prefix is not None:
        if action.is_operation:
            return action.name == pattern.prefix if pattern.whole else action.name.startswith(pattern.prefix)
        return effect == "deny" and action.domain == pattern.domain and action.level in pattern.levels
    if pattern.domain != "*":
        in_domain = pattern.domain == action.domain
    elif action.domain == PLATFORM_DOMAIN or not (action.known or effect == "deny"):
        in_domain = False
    else:
        in_domain = pattern.everything or action.domain not in CONTROL_DOMAINS
    return in_domain and (action.level in pattern.levels or (effect == "allow" and action.level == "read"))


def candidate_patterns(action: Action) -> tuple[str, ...]:
    """Every pattern that may match *action*, in a fixed order; a bare permission is denied by operation patterns besides."""
    names = (action.domain, "*")
    texts = [f"{name}:{level}" for name in names for level in ("manage", "read", "*")] + ["*"]
    if action.is_operation:
        domain, resource, _ = action.name.split(".")
        texts += [action.name, f"{domain}.{resource}.*", f"{domain}.*", f"{domain}.*.*"]
    return tuple(texts)


@lru_cache(maxsize=65536)
def covered(scopes: tuple[str, ...], action: Action) -> bool:
    """Whether one of *scopes* covers *action*, by the rules for an allow; what is no pattern (`openid`) covers nothing."""
    return any(matches(pattern, action, "allow") for text in scopes if (pattern := parse_pattern(text)))


def covering(scopes: Iterable[str], action: str) -> tuple[str, ...]:
    """Those of *scopes* that cover *action*, an operation or a permission."""
    asked = parse_action(action)
    return () if asked is None else tuple(scope for scope in scopes if covered((scope,), asked))


def covers(patterns: Iterable[str], action: str) -> bool:
    """Whether *patterns*, as those of an allow, cover *action*, an operation or a permission; what is neither is not."""
    asked = parse_action(action)
    return asked is not None and covered(tuple(patterns), asked)


def within(inner: Iterable[str], outer: Iterable[str]) -> bool:
    """
    Whether all that the patterns *inner* could ever cover is covered by those of *outer*.

    Used before giving: a key's scopes, a role, a policy. What is no pattern at all is not within anything.
    """
    return _all_within(tuple(inner), tuple(outer))


@lru_cache(maxsize=8192)
def _all_within(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    held = [pattern for text in outer if (pattern := parse_pattern(text))]
    for text in inner:
        pattern = parse_pattern(text)
        if pattern is None or not all(_within(part, held) for part in _parts(pattern)):
            return False
    return True


def _parts(pattern: Pattern) -> list[Pattern]:
    """The bare `*` is the wildcard domain and each control domain; every other pattern is itself."""
    if not pattern.everything:
        return [pattern]
    return [Pattern(f"{domain}:manage", domain, _BOTH) for domain in ("*", *sorted(CONTROL_DOMAINS))]


def _within(pattern: Pattern, held: list[Pattern]) -> bool:
    if pattern.prefix is None:
        level: Level = "manage" if "manage" in pattern.levels else "read"
        stands_for = "any" if pattern.domain == "*" else pattern.domain
        return any(
            outer.prefix is None
            and (outer.domain == "*" or pattern.domain != "*")
            and matches(outer, Action(f"{stands_for}:{level}", stands_for, level, is_operation=False), "allow")
            for outer in held
        )
    if pattern.whole:
        action = parse_action(pattern.text)
        return action is not None and any(matches(outer, action, "allow") for outer in held)
    action = Action(pattern.prefix + "any", pattern.domain, "manage", is_operation=True)
    return any(
        action.name.startswith(outer.prefix) and not outer.whole
        if outer.prefix is not None
        else matches(outer, action, "allow")
        for outer in held
    )
