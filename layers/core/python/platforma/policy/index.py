"""
Where a request's statements are found: by the thing they are attached to, the action pattern, the resource's literal prefix
and, where many are left, the network. What a look-up costs follows what matches, not how many statements there are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from platforma.policy.conditions import Condition, Facts, Test
from platforma.policy.document import ResourcePattern, Statement
from platforma.policy.globs import compile_glob, is_literal, literal_prefix
from platforma.policy.model import Match
from platforma.policy.networks import Address, Network

CROWD = 8
"""With more entries than this in one place, it pays to look by network."""


class Compiled:
    """A statement ready to be tried. *networks* are those of its `ip_range`, if that can be read."""

    __slots__ = ("conditions", "denies", "match", "networks", "statement", "tests")

    def __init__(
        self,
        statement: Statement,
        match: Match,
        conditions: tuple[Condition, ...],
        networks: tuple[Network, ...] | None,
    ) -> None:
        self.statement = statement
        self.match = match
        self.denies = match.effect == "deny"
        self.conditions = conditions
        self.networks = networks
        self.tests: tuple[Test, ...] = tuple(condition.test for condition in conditions)

    def applies(self, facts: Facts) -> bool:
        """Whether its conditions let it apply: for an allow each must be true, for a deny none may be false."""
        for test in self.tests:
            answer = test(facts)
            if answer is not True and (answer is False or not self.denies):
                return False
        return True


class Entry(NamedTuple):
    """A statement under one of its resources. *matches* is what remains to be tested after the look-up, if anything."""

    compiled: Compiled
    matches: Callable[[str], object] | None


class Leaf:
    """The *entries* at one place. If they are not *few* and some have networks, they are indexed by network too."""

    __slots__ = ("_by_network", "_unbound", "_unknown", "entries", "few")

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = tuple(entries)
        self.few = len(entries) <= CROWD or all(entry.compiled.networks is None for entry in entries)
        if not self.few:
            self._by_network = _by_network(entries)
            self._unbound = tuple(entry for entry in entries if entry.compiled.networks is None)
            self._unknown = self.entries if entries[0].compiled.denies else self._unbound

    def near(self, address: Address | None) -> Sequence[Entry]:
        """
        Those that may apply to a request from *address*. If the address is unknown, a deny with networks may apply and
        an allow with networks cannot.
        """
        if self.few:
            return self.entries
        if address is None:
            return self._unknown
        found = list(self._unbound)
        for shift, networks in self._by_network.get(address.width, ()):
            found += networks.get(address.value >> shift, ())
        return found


def _by_network(entries: list[Entry]) -> dict[int, list[tuple[int, dict[int, list[Entry]]]]]:
    tables: dict[tuple[int, int], dict[int, list[Entry]]] = {}
    for entry in entries:
        for network in entry.compiled.networks or ():
            tables.setdefault((network.width, network.shift), {}).setdefault(network.value, []).append(entry)
    found: dict[int, list[tuple[int, dict[int, list[Entry]]]]] = {}
    for (width, shift), table in sorted(tables.items()):
        found.setdefault(width, []).append((shift, table))
    return found


class _Table:
    """Leaves by exact text, and by prefix: one look-up for each length of prefix that occurs."""

    __slots__ = ("exact", "prefixes")

    def __init__(self, exact: dict[str, list[Entry]], prefixes: dict[str, list[Entry]]) -> None:
        self.exact = {text: Leaf(entries) for text, entries in exact.items()}
        by_length: dict[int, dict[str, Leaf]] = {}
        for text, entries in prefixes.items():
            by_length.setdefault(len(text), {})[text] = Leaf(entries)
        self.prefixes = tuple(sorted(by_length.items()))

    def collect(self, text: str, address: Address | None) -> list[Compiled]:
        """The statements that match *text*, and that may apply to a request from *address*."""
        found: list[Compiled] = []
        if self.exact and (leaf := self.exact.get(text)) is not None:
            found += [compiled for compiled, _ in leaf.near(address)]
        for length, table in self.prefixes:
            if (leaf := table.get(text[:length])) is not None:
                for compiled, matches in leaf.entries if leaf.few else leaf.near(address):
                    if matches is None or matches(text):
                        found.append(compiled)
        return found

    def about(self, text: str) -> Iterator[Compiled]:
        """The statements that match *text*, whatever their network."""
        if (leaf := self.exact.get(text)) is not None:
            yield from (entry.compiled for entry in leaf.entries)
        for length, table in self.prefixes:
            if (leaf := table.get(text[:length])) is not None:
                yield from (one for one, matches in leaf.entries if matches is None or matches(text))

    def leaves(self) -> Iterator[Leaf]:
        yield from self.exact.values()
        for _, table in self.prefixes:
            yield from table.values()


class ResourceIndex:
    """The statements of one effect under one action pattern, by `type:id`, and by id alone those of any type."""

    __slots__ = ("_by_id", "_by_key")

    def __init__(self, entries: Iterable[tuple[Compiled, ResourcePattern]]) -> None:
        exact: tuple[dict[str, list[Entry]], ...] = ({}, {})
        prefixes: tuple[dict[str, list[Entry]], ...] = ({}, {})
        for compiled, pattern in entries:
            side, text = (1, pattern.glob) if pattern.type == "*" else (0, f"{pattern.type}:{pattern.glob}")
            if pattern.glob == "*":
                prefixes[0].setdefault("" if side else text[:-1], []).append(Entry(compiled, None))
            elif is_literal(pattern.glob):
                exact[side].setdefault(text, []).append(Entry(compiled, None))
            else:
                prefix = literal_prefix(text)
                matches = None if text == prefix + "*" else compile_glob(text).fullmatch
                prefixes[side].setdefault(prefix, []).append(Entry(compiled, matches))
        self._by_key = _Table(exact[0], prefixes[0])
        self._by_id = _Table(exact[1], prefixes[1]) if exact[1] or prefixes[1] else None

    def candidates(self, facts: Facts) -> list[Compiled]:
        """Those whose resource matches, and whose network may; one with several resources perhaps more than once."""
        found = self._by_key.collect(facts.key, facts.address)
        if self._by_id is None or not facts.request.resource_id:
            return found
        return found + self._by_id.collect(facts.request.resource_id, facts.address)

    def about(self, facts: Facts) -> Iterator[Compiled]:
        """Those whose resource matches, also where their network does not."""
        yield from self._by_key.about(facts.key)
        if self._by_id is not None and facts.request.resource_id:
            yield from self._by_id.about(facts.request.resource_id)

    def all(self) -> Iterator[Compiled]:
        """Every statement here, once for each of its resources."""
        for table in (self._by_key, self._by_id):
            if table is not None:
                for leaf in table.leaves():
                    yield from (entry.compiled for entry in leaf.entries)
