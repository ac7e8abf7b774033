"""
Where a request's statements are found: by the thing they are attached to, the action pattern, the resource's literal prefix
and, where many are left, the network. What a look-up costs follows what matches, not how many statements there are.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from platforma.policy.conditions import Condition, Facts, Test
from platforma.policy.document import ResourcePattern, Statement
from platforma.policy.globs import compile_glob, is_literal, literal_prefix
from platforma.policy.model import Match
from platforma.policy.networks import Address, Network

_CROWD = 8


class Compiled:
    """A statement ready to be tried. *networks* are those of its `ip_range`, if that can be read."""

    __slots__ = ("conditions", "match", "networks", "statement", "tests")

    def __init__(
        self,
        statement: Statement,
        match: Match,
        conditions: tuple[Condition, ...],
        networks: tuple[Network, ...] | None,
    ) -> None:
        self.statement = statement
        self.match = match
        self.conditions = conditions
        self.networks = networks
        self.tests: tuple[Test, ...] = tuple(condition.test for condition in conditions)

    def applies(self, facts: Facts) -> bool:
        """Whether its conditions let it: an allow needs each to be true, a deny only that none is false."""
        if self.match.effect == "deny":
            return all(test(facts) is not False for test in self.tests)
        return all(test(facts) is True for test in self.tests)


class Entry(NamedTuple):
    """A statement under one of its resources. *glob* is left to be matched where the look-up has not done it."""

    compiled: Compiled
    glob: re.Pattern[str] | None


class Leaf:
    """The entries at one place, by network where they are many."""

    __slots__ = ("_by_network", "_deny", "_entries", "_unbound")

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = tuple(entries)
        self._deny = bool(entries) and entries[0].compiled.statement.effect == "deny"
        self._unbound: tuple[Entry, ...] = self._entries
        self._by_network: dict[int, list[tuple[int, dict[int, list[Entry]]]]] | None = None
        if len(entries) > _CROWD and any(entry.compiled.networks is not None for entry in entries):
            self._by_network = _by_network(entries)
            self._unbound = tuple(entry for entry in entries if entry.compiled.networks is None)

    def entries(self, address: Address | None) -> Sequence[Entry]:
        """Those that may apply to a request from *address*; without one a deny may, and an allow that asks for it cannot."""
        if self._by_network is None:
            return self._entries
        if address is None:
            return self._entries if self._deny else self._unbound
        found = list(self._unbound)
        for shift, networks in self._by_network.get(address.width, ()):
            found += networks.get(address.value >> shift, ())
        return found

    def all(self) -> tuple[Entry, ...]:
        """Every entry here."""
        return self._entries


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

    def find(self, text: str, leaves: list[Leaf]) -> None:
        if (leaf := self.exact.get(text)) is not None:
            leaves.append(leaf)
        for length, table in self.prefixes:
            if (leaf := table.get(text[:length])) is not None:
                leaves.append(leaf)

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
                glob = None if text == prefix + "*" and prefix[-1:] != ":" else compile_glob(text)
                prefixes[side].setdefault(prefix, []).append(Entry(compiled, glob))
        self._by_key = _Table(exact[0], prefixes[0])
        self._by_id = _Table(exact[1], prefixes[1]) if exact[1] or prefixes[1] else None

    def candidates(self, facts: Facts) -> list[Compiled]:
        """Those whose resource matches, and whose network may; each once."""
        leaves: list[Leaf] = []
        self._by_key.find(facts.key, leaves)
        found = [
            compiled
            for leaf in leaves
            for compiled, glob in leaf.entries(facts.address)
            if glob is None or glob.fullmatch(facts.key)
        ]
        if self._by_id is not None and facts.resource_id is not None:
            leaves.clear()
            self._by_id.find(facts.resource_id, leaves)
            found += [
                compiled
                for leaf in leaves
                for compiled, glob in leaf.entries(facts.address)
                if glob is None or glob.fullmatch(facts.resource_id)
            ]
        return found

    def all(self) -> Iterator[Compiled]:
        """Every statement here, once for each of its resources."""
        for table in (self._by_key, self._by_id):
            if table is not None:
                for leaf in table.leaves():
                    yield from (entry.compiled for entry in leaf.all())
