"""
Two sets of rules, compared exactly for one principal: whether the second lets it do something that the first does not.

A question is gained where the second's permits reach it and none of its denies do, while in the first a deny does or no
permit does. Each permit of the second is searched for such a question; one that is found is put to the engine itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from platforma.kernel.errors import Broken
from platforma.policy.analysis.boxes import Box, Boxes
from platforma.policy.analysis.space import ACTION, ADDRESS, ENVIRONMENT, MFA, RESOURCE, TIME, Space
from platforma.policy.attributes import MISSING
from platforma.policy.compile import PolicySet, View
from platforma.policy.decide import decide
from platforma.policy.document import Statement
from platforma.policy.model import Context, Decision, Request, Subject

EFFORT = 3_000_000
"""Comparisons of two boxes: a few seconds."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A question that two sets of rules answer differently, and how; the attributes of *subject* are vouched for."""

    subject: Subject
    request: Request
    before: Decision
    after: Decision


@dataclass(frozen=True, slots=True)
class _Side:
    """A principal's rules, by their places in the space; *alone* are the permits without those of its key or client."""

    permits: frozenset[int]
    denies: frozenset[int]
    alone: frozenset[int]

    @property
    def permitting(self) -> tuple[frozenset[int], ...]:
        return (self.permits,) if self.alone == self.permits else (self.permits, self.alone)


class Comparison:
    """
    *before* and *after* as they are for *subject*. *own* are the operations of this API itself.

    Raises:
        TooComplex: they divide the questions into too many classes; so do the methods, where it takes too much work.
    """

    def __init__(
        self, before: PolicySet, after: PolicySet, subject: Subject, *, now: datetime, own: frozenset[str] = frozenset()
    ) -> None:
        self._before, self._after, self._subject, self._own = before, after, subject, own
        rules: dict[object, int] = {}
        statements: list[Statement] = []

        def placed(found: Iterable[Statement]) -> frozenset[int]:
            places = set()
            for statement in found:
                place = rules.setdefault(_content(statement), len(statements))
                if place == len(statements):
                    statements.append(statement)
                places.add(place)
            return frozenset(places)

        self._sides = [_side(policy_set, subject, placed) for policy_set in (before, after)]
        stands = subject.active and (subject.owner is None or subject.owner.active)
        self.same = self._sides[0] == self._sides[1] or not stands
        if not self.same:
            told_apart = own if subject.environment == "test" else ()
            scopes = [text for one in (subject, subject.owner) if one is not None for text in one.scopes or ()]
            domains = before.domains | after.domains
            self._space = Space(statements, domains=domains, now=now, own=told_apart, scopes=scopes)
            self._boxes = Boxes(self._space.full, effort=EFFORT)
            self._of = [self._space.box(statement) for statement in statements]

    def more(self) -> Witness | None:
        """A question that *after* allows and *before* does not."""
        return None if self.same else self._gained(*self._sides)

    def less(self) -> Witness | None:
        """A question that *before* allows and *after* does not."""
        return None if self.same else self._gained(*reversed(self._sides))

    def _gained(self, first: _Side, second: _Side) -> Witness | None:
        denied = self._some(second.denies)
        lost = self._some(first.denies - second.denies)
        for places, reached in self._reached(second):
            for deny in lost:
                common = self._boxes.meeting([reached, deny])
                if common is not None and (found := self._boxes.outside(common, denied)) is not None:
                    return self._witness(found)
            for permits in first.permitting:
                if not places.isdisjoint(permits):
                    continue  # what it reaches, these reach
                if (found := self._boxes.outside(reached, [*denied, *self._some(permits)])) is not None:
                    return self._witness(found)
        return None

    def _reached(self, side: _Side) -> Iterator[tuple[frozenset[int], Box]]:
        """What permits reach, within what caps leave; with the permits."""
        cap = self._cap()
        is_capped = len(side.permitting) > 1
        for place in sorted(side.permits):
            for other in sorted(side.alone) if is_capped else [place]:
                one, two = self._of[place], self._of[other]
                if one is not None and two is not None and (common := self._boxes.meeting([one, two, cap])) is not None:
                    yield frozenset([place, other]), common

    def _cap(self) -> Box:
        """What scopes and environment leave: these are the principal's, and the same on both sides."""
        subject, space = self._subject, self._space
        actions = space.full[ACTION]
        for one in (subject, subject.owner):
            if one is not None and one.scopes is not None:
                actions &= space.operations.covered(one.scopes)
        if subject.environment == "test":
            actions &= ~space.operations.ours_to_manage(self._own)
        cap = {ACTION: actions}
        if subject.environment is not None:
            places = [at for at, value in enumerate(space.values[ENVIRONMENT]) if value in (None, subject.environment)]
            cap[ENVIRONMENT] = sum(1 << at for at in places)
        return cap

    def _some(self, places: frozenset[int]) -> list[Box]:
        return [box for place in sorted(places) if (box := self._of[place]) is not None]

    def _witness(self, found: Box) -> Witness:
        subject, request = question(self._space, found, self._subject, own=self._own)
        before, after = (decide(rules, subject, request) for rules in (self._before, self._after))
        if before.allowed == after.allowed:
            raise Broken("An analysis and a decision differ.", request=repr(request))
        return Witness(subject, request, before, after)


def question(space: Space, box: Box, subject: Subject, *, own: frozenset[str]) -> tuple[Subject, Request]:
    """A question of *box*, of *subject* with the attributes that make it one."""
    told = {name: space.value(name, box) for name in space.values if name != ENVIRONMENT or name in box}
    attributes: dict[str, dict[str, Any]] = {"resource": {}, "principal": {}, "action": {}}
    for dimension, value in told.items():
        kind, dot, name = dimension.partition("_attributes.")
        if dot and value is not MISSING:
            attributes[kind][name] = value
    action, (kind, identity) = told[ACTION], told[RESOURCE]
    request = Request(
        action=action,
        resource_type=kind,
        resource_id=identity,
        resource_attributes=attributes["resource"],
        action_attributes=attributes["action"],
        own_api=action in own,
        context=Context(time=told.get(TIME), ip_address=told.get(ADDRESS), mfa=told[MFA], environment=told.get(ENVIRONMENT)),
    )
    return _vouched(subject, attributes["principal"]), request


def _vouched(subject: Subject, attributes: Mapping[str, Any]) -> Subject:
    if subject.owner is not None:
        return replace(subject, mfa=None, owner=replace(subject.owner, attributes=attributes), vouched=True)
    return replace(subject, mfa=None, attributes=attributes, vouched=True)


def _side(policy_set: PolicySet, subject: Subject, placed: Any) -> _Side:
    view = policy_set.view(subject)
    alone = policy_set.view(replace(subject.owner or subject, client_id=None))
    allows, denies = _statements(view)
    permits = placed([*_grants(view), *allows])
    return _Side(
        permits=permits,
        denies=placed(denies),
        alone=permits if alone is view else placed([*_grants(alone), *_statements(alone)[0]]),
    )


def _grants(view: View) -> list[Statement]:
    return [Statement("allow", (str(grant.statement),), ("*",), {}) for grant in view.grants]


def _statements(view: View) -> tuple[list[Statement], list[Statement]]:
    """The statements in force, those that allow and those that deny, each once."""
    found: list[dict[int, Statement]] = []
    for side in ("allows", "denies"):
        indexes = [index for attached in view.attached for index in getattr(attached, side).values()]
        found.append({id(one): one.statement for index in indexes for one in index.all()})
    return list(found[0].values()), list(found[1].values())


def _content(statement: Statement) -> object:
    return (
        statement.effect,
        frozenset(statement.actions),
        frozenset(statement.resources),
        repr(sorted(statement.conditions.items())),
    )
