"""Resources that patterns can tell apart, by type and id."""

from collections.abc import Iterable

from platforma.policy.analysis.operations import fresh
from platforma.policy.analysis.texts import telling_texts
from platforma.policy.document import ResourcePattern, parse_resource_pattern

MAX_ID = 256


class Things:
    """*values* are pairs of a type and an id (None: the type as a whole), by class."""

    def __init__(self, patterns: Iterable[str]) -> None:
        read = {pattern for text in set(patterns) if (pattern := parse_resource_pattern(text)) is not None}
        types = {pattern.type for pattern in read} - {"*"}
        self.values: list[tuple[str, str | None]] = []
        self._masks: dict[ResourcePattern, int] = dict.fromkeys(read, 0)
        for kind in (*sorted(types), fresh("thing", types)):
            self._add(kind, sorted((one for one in read if one.type in ("*", kind)), key=lambda one: (one.type, one.glob)))
        self.full = (1 << len(self.values)) - 1

    def _add(self, kind: str, patterns: list[ResourcePattern]) -> None:
        every = [one for one in patterns if one.glob == "*"]
        some = [one for one in patterns if one.glob != "*"]
        first = len(self.values)
        self.values.append((kind, None))
        for text, matched in telling_texts([one.glob for one in some], longest=MAX_ID):
            if text:
                for index in matched:
                    self._masks[some[index]] |= 1 << len(self.values)
                self.values.append((kind, text))
        for one in every:
            self._masks[one] |= (1 << len(self.values)) - (1 << first)

    def matched(self, patterns: Iterable[str]) -> int:
        """The classes that one of *patterns* matches."""
        found = 0
        for text in patterns:
            if (pattern := parse_resource_pattern(text)) is not None:
                found |= self._masks[pattern]
        return found
