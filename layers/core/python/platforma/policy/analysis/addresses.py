"""Addresses that networks can tell apart: one of each stretch between two of their ends, and none (None) first."""

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable

from platforma.policy.networks import Network

_MAPPED, _BEHIND_MAPPED = 0xFFFF << 32, 0x10000 << 32
"""Addresses of version 6 that are addresses of version 4 (RFC 4291 section 2.5.5.2), and the first behind them."""


class Addresses:
    """*values* are the addresses, by class; *unknown* is the class of no address."""

    unknown = 1

    def __init__(self, networks: Iterable[Network]) -> None:
        networks = set(networks)
        self.values: list[str | None] = [None]
        self._starts: dict[int, list[int]] = {}
        self._first: dict[int, int] = {}
        self._absent = 0
        for width in (32, 128):
            ends = {0} | {end for one in networks if one.width == width for end in _ends(one)}
            starts = sorted(end for end in ends if end < 1 << width)
            self._starts[width], self._first[width] = starts, len(self.values)
            for at, start in enumerate(starts):
                limit = starts[at + 1] if at + 1 < len(starts) else 1 << width
                own = _BEHIND_MAPPED if width == 128 and start == _MAPPED else start
                if own >= limit:
                    self._absent |= 1 << len(self.values)
                self.values.append(str(ipaddress.IPv4Address(own) if width == 32 else ipaddress.IPv6Address(own)))
        self.full = (1 << len(self.values)) - 1 & ~self._absent

    def within(self, networks: Iterable[Network]) -> int:
        """The classes that lie in one of *networks*, which are of those that this was made of."""
        found = 0
        for one in networks:
            starts, first = self._starts[one.width], self._first[one.width]
            begin, end = (bisect_left(starts, bound) for bound in _ends(one))
            found |= ((1 << end - begin) - 1) << first + begin
        return found & self.full


def _ends(network: Network) -> tuple[int, int]:
    return network.value << network.shift, network.value + 1 << network.shift
