"""
Boxes: what a rule applies to, as a set of classes (bits) in each dimension that it asks about, and any in all others.

Whether a box lies wholly in others is decided by taking them off it. A box that can be left on one side only cuts the rest
down to that side; where there are several, each is tried in turn, the next only in what the one before has left.
"""

from collections.abc import Iterable, Mapping, Sequence

from platforma.policy.analysis.errors import TooComplex

Box = Mapping[str, int]


class Boxes:
    """The dimensions, each with all its classes (*full*), and how much work is left before an answer is refused."""

    def __init__(self, full: Mapping[str, int], *, effort: int) -> None:
        self.full = full
        self._left = effort

    def meeting(self, boxes: Iterable[Box]) -> Box | None:
        """What all of *boxes* have in common; None if nothing."""
        common: dict[str, int] = {}
        for box in boxes:
            for dimension, classes in box.items():
                left = common.get(dimension, self.full[dimension]) & classes
                if not left:
                    return None
                common[dimension] = left
        return common

    def outside(self, box: Box, others: Sequence[Box]) -> Box | None:
        """
        A part of *box* that none of *others* has anything of; None if there is none.

        Raises:
            TooComplex: it takes more work than is left.
        """
        waiting = [(dict(box), others)]
        while waiting:
            part, inside_of = waiting.pop()
            touching = self._narrowed(part, inside_of)
            if touching is None:
                continue
            if not touching:
                return part
            waiting += reversed(self._split(part, touching))
        return None

    def _narrowed(self, part: dict[str, int], others: Sequence[Box]) -> list[Box] | None:
        """The boxes that *part* can leave in several ways, once it left those that it can leave in one; None: it cannot."""
        left = others
        while True:
            touching: list[Box] = []
            narrowed = False
            for other in left:
                ways = self._ways(part, other)
                if ways is None:
                    continue
                if not ways:
                    return None
                if len(ways) == 1:
                    part[ways[0]] = part.get(ways[0], self.full[ways[0]]) & ~other[ways[0]]
                    narrowed = True
                else:
                    touching.append(other)
            if not narrowed:
                return touching
            left = touching

    def _ways(self, part: Box, other: Box) -> list[str] | None:
        """The dimensions in which *part* has classes that *other* has not; None if they have nothing in common."""
        self._left -= 1
        if self._left < 0:
            raise TooComplex
        ways = []
        for dimension, classes in other.items():
            own = part.get(dimension, self.full[dimension])
            if not own & classes:
                return None
            if own & ~classes:
                ways.append(dimension)
        return ways

    def _split(self, part: dict[str, int], touching: list[Box]) -> list[tuple[dict[str, int], Sequence[Box]]]:
        """The ways to leave one of *touching*, first that in which most of the others are left with it."""
        one = min(touching, key=len)
        ways = self._ways(part, one) or []
        outside = {way: part.get(way, self.full[way]) & ~one[way] for way in ways}
        self._left -= len(touching)
        leaving = {way: sum(1 for other in touching if way in other and not other[way] & outside[way]) for way in ways}
        parts: list[tuple[dict[str, int], Sequence[Box]]] = []
        inside = dict(part)
        for way in sorted(ways, key=lambda way: -leaving[way]):
            parts.append(({**inside, way: outside[way]}, touching))
            inside[way] = part.get(way, self.full[way]) & one[way]
        return parts
