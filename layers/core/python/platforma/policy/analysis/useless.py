"""Statements of one document that decide nothing: which no question ever meets, or which others decide in place of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from platforma.policy.analysis.boxes import Box, Boxes
from platforma.policy.analysis.compare import EFFORT
from platforma.policy.analysis.space import Space
from platforma.policy.document import Statement


@dataclass(frozen=True, slots=True)
class Useless:
    """*never* are the places of statements that never apply; *shadowed* has for each other one those that shadow it."""

    never: tuple[int, ...] = ()
    shadowed: dict[int, tuple[int, ...]] = field(default_factory=dict)


def useless(statements: Sequence[Statement], *, domains: frozenset[str], now: datetime, effort: int = EFFORT) -> Useless:
    """
    What of *statements*, always in force together, decides nothing in the ten years from *now*. All of it could go at once.

    A deny is shadowed by denies, an allow by either. An allow that never decides still replaces the grants that it lists.

    Raises:
        TooComplex: an exact answer would take more than *effort*.
    """
    space = Space(statements, domains=domains, now=now)
    boxes = Boxes(space.full, effort=effort)
    of = {place: box for place, one in enumerate(statements) if (box := space.box(one)) is not None}
    left = dict(of)
    shadowed: dict[int, tuple[int, ...]] = {}
    for place in reversed(of):
        effect = statements[place].effect
        others = {
            other: box for other, box in left.items() if other != place and effect in ("allow", statements[other].effect)
        }
        if boxes.outside(of[place], list(others.values())) is None:
            shadowed[place] = _shadowing(of[place], others, boxes)
            del left[place]
    never = tuple(place for place in range(len(statements)) if place not in of)
    return Useless(never, dict(sorted(shadowed.items())))


def _shadowing(box: Box, others: dict[int, Box], boxes: Boxes) -> tuple[int, ...]:
    """The one that has all of *box*, if one does; else all that have some."""
    for place, other in others.items():
        if all(not box.get(name, boxes.full[name]) & ~classes for name, classes in other.items()):
            return (place,)
    return tuple(place for place, other in others.items() if boxes.meeting([box, other]) is not None)
