"""
Texts that globs and orders can tell apart: one, the shortest, for each way in which they can match or compare.

All patterns are read side by side, as one automaton whose states are the places that each has come to; every state that can
be reached gives its shortest text. A comparison is a place as well: how much of its text was equal so far, or which is less.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from platforma.policy.analysis.errors import TooComplex

EFFORT = 1_500_000
"""Places gone to, in all: a second or so."""
_LESS, _GREATER = -1, -2
_PLEASANT = "xyzabcdefghijklmnopqrstuvw0123456789-_.ABCDEFGHIJKLMNOPQRSTUVWXYZ ~!"
_SURROGATES = range(0xD800, 0xE000)
_END = 0x110000

Place = tuple[int, int]
"""A pattern, or behind the patterns a bound, and how far it has come."""


def telling_texts(
    globs: Sequence[str], bounds: Sequence[str] = (), *, literals: Sequence[str] = (), longest: int
) -> Iterator[tuple[str, frozenset[int]]]:
    """
    A text of at most *longest* characters for each class that *globs*, *literals* and the order towards each of *bounds* can
    tell apart, perhaps several of a class; with each, which of the globs and (behind them) literals match it.

    Raises:
        TooComplex: there are too many ways.
    """
    automaton = _Automaton([_tokens(glob) for glob in globs] + [list(text) for text in literals], bounds)
    state = automaton.start
    seen = {state}
    wave = [("", state)]
    length, left = 0, EFFORT
    while wave:
        following: list[tuple[str, frozenset[Place]]] = []
        for text, state in wave:
            yield text, automaton.accepted(state)
            if length == longest:
                continue
            for character, next_state in automaton.steps(state):
                left -= len(next_state) + 1
                if left < 0:
                    raise TooComplex
                if next_state not in seen:
                    seen.add(next_state)
                    following.append((text + character, next_state))
        wave, length = following, length + 1


_STAR, _ANY = "*any run", "?any one"  # longer than one character, so that no literal is one of them


def _tokens(glob: str) -> list[str]:
    return [_STAR if character == "*" else _ANY if character == "?" else character for character in glob]


class _Automaton:
    def __init__(self, patterns: list[list[str]], bounds: Sequence[str]) -> None:
        self._patterns, self._bounds = patterns, bounds
        first_bound = len(patterns)
        places = {place for index in range(first_bound) for place in self._reached(index, 0)}
        self.start = frozenset(places | {(first_bound + at, 0) for at in range(len(bounds))})

    def accepted(self, state: frozenset[Place]) -> frozenset[int]:
        patterns = self._patterns
        return frozenset(index for index, at in state if index < len(patterns) and at == len(patterns[index]))

    def steps(self, state: frozenset[Place]) -> Iterator[tuple[str, frozenset[Place]]]:
        """Each character that leads somewhere of its own, and one for all the others (of each gap, where order counts)."""
        kept: set[Place] = set()
        by_character: dict[str, set[Place]] = {}
        open_bounds: list[Place] = []
        for index, at in state:
            if index >= len(self._patterns):
                if at < 0:
                    kept.add((index, at))
                else:
                    open_bounds.append((index, at))
                continue
            pattern = self._patterns[index]
            if at == len(pattern):
                continue
            if pattern[at] == _STAR:
                kept.update(self._reached(index, at))
            elif pattern[at] == _ANY:
                kept.update(self._reached(index, at + 1))
            else:
                by_character.setdefault(pattern[at], set()).update(self._reached(index, at + 1))
        named = set(by_character) | {text[at] for index, at in open_bounds if at < len(text := self._bound(index))}
        for character in (*sorted(named), *_others(sorted(named), gaps=bool(open_bounds))):
            moved = {self._compared(index, at, character) for index, at in open_bounds}
            yield character, frozenset(kept | moved | by_character.get(character, set()))

    def _reached(self, index: int, at: int) -> Iterator[Place]:
        """The place, and those behind it that are reached without a character."""
        pattern = self._patterns[index]
        yield index, at
        if at < len(pattern) and pattern[at] == _STAR:
            yield from self._reached(index, at + 1)

    def _bound(self, index: int) -> str:
        return self._bounds[index - len(self._patterns)]

    def _compared(self, index: int, at: int, character: str) -> Place:
        text = self._bound(index)
        if at == len(text) or character > text[at]:
            return index, _GREATER
        return (index, at + 1) if character == text[at] else (index, _LESS)


def _others(named: list[str], *, gaps: bool) -> Iterator[str]:
    """A character that is not *named*; with *gaps* one before, between and behind them each, where there is one."""
    if not gaps:
        yield next(character for character in _all_characters() if character not in named)
        return
    points = [-1, *map(ord, named), _END]
    for low, high in pairwise(points):
        inside = (one for one in _PLEASANT if low < ord(one) < high)
        if (found := next(inside, None)) is None:
            found = next((chr(point) for point in range(low + 1, high) if point not in _SURROGATES), None)
        if found is not None:
            yield found


def _all_characters() -> Iterator[str]:
    yield from _PLEASANT
    yield from (chr(point) for point in range(0x21, _END) if point not in _SURROGATES)
