"""Addresses and networks as integers. What is v4-mapped (RFC 4291 section 2.5.5.2) is its v4 address or network."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from platforma.kernel.errors import FieldError

MAX_NETWORKS = 100
_LONGEST_ADDRESS = 45
_CIDR = re.compile(r"([0-9A-Fa-f:.]{2,45})(?:/(0|[1-9][0-9]{0,2}))?")
_MAPPED = 0xFFFF


class Address(NamedTuple):
    """*width* in bits tells the family: 32 or 128."""

    width: int
    value: int


class Network(NamedTuple):
    """An address is in it when it has its *width* and, shifted right by *shift*, its *value*."""

    width: int
    shift: int
    value: int


def parse_address(text: str | None) -> Address | None:
    """The address that *text* writes, without zone; None where it writes none."""
    return None if text is None or len(text) > _LONGEST_ADDRESS else _address(text)


@lru_cache(maxsize=8192)
def _address(text: str) -> Address | None:
    try:
        if ":" not in text:
            return Address(32, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big"))
        value = int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
    except (OSError, ValueError):
        return None
    return Address(32, value & 0xFFFFFFFF) if value >> 32 == _MAPPED else Address(128, value)


@lru_cache(maxsize=8192)
def parse_network(text: str) -> Network:
    """
    The network that a CIDR writes; an address alone is the network of just that address.

    Raises:
        ValueError: it writes none, or has bits set beyond its prefix.
    """
    match = _CIDR.fullmatch(text)
    if match is None:
        raise ValueError("Not a network in CIDR notation.")
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        raise ValueError("Not a network in CIDR notation.") from None
    if interface.ip != interface.network.network_address:
        raise ValueError("Bits are set beyond the prefix.")
    value, shift, width = int(interface.ip), interface.max_prefixlen - interface.network.prefixlen, interface.max_prefixlen
    if width == 128 and value >> 32 == _MAPPED and shift <= 32:
        value, width = value & 0xFFFFFFFF, 32
    return Network(width, shift, value >> shift)


def check_networks(value: Any, at: str) -> Iterator[FieldError]:
    """What is wrong with the value of `ip_range`: a CIDR or a list of them."""
    if isinstance(value, str):
        yield from _check_network(value, at)
    elif not isinstance(value, list) or not 1 <= len(value) <= MAX_NETWORKS:
        yield FieldError(at, f"A network in CIDR notation or a list of 1 to {MAX_NETWORKS}.")
    else:
        for index, text in enumerate(value):
            yield from _check_network(text, f"{at}/{index}")


def _check_network(text: Any, at: str) -> Iterator[FieldError]:
    try:
        parse_network(text if isinstance(text, str) else "")
    except ValueError as error:
        yield FieldError(at, str(error))


def networks_of(value: str | list[str]) -> tuple[Network, ...]:
    """The networks of a checked `ip_range`."""
    return tuple(parse_network(text) for text in ([value] if isinstance(value, str) else value))
