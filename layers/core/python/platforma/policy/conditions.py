"""
Conditions of a statement. Facts may be missing, so each is true, false or *unknown* (None).

A stored condition that cannot be read (written by a newer version, or damaged) is unknown whatever the facts.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import FieldError
from platforma.policy.attributes import MISSING, attribute_test, check_attributes
from platforma.policy.model import Request, Subject
from platforma.policy.networks import Network, check_networks, networks_of, parse_address
from platforma.policy.times import EPOCH, Openings, check_dates, check_windows, dates_of, windows_of


class Facts:
    """
    What conditions look at, collected from a request and its subject once for each decision.

    *key* is `type:id` (no id, nothing after the colon), or empty where no pattern with a type can match. *seconds* are since
    1970; of a time without zone nothing is known.
    """

    __slots__ = ("address", "key", "request", "seconds", "subject")

    def __init__(self, subject: Subject, request: Request) -> None:
        context, kind = request.context, request.resource_type
        self.subject = subject
        self.request = request
        self.address = parse_address(context.ip_address)
        self.seconds: int | None = None
        if context.time is not None:  # as `seconds_of` has it, without a call
            try:
                since = context.time - EPOCH
                self.seconds = since.days * 86400 + since.seconds
            except TypeError:
                pass
        self.key = f"{kind}:{request.resource_id or ''}" if kind and ":" not in kind else ""


Test = Callable[[Facts], bool | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """
    A condition, ready to be tried. *name* and *wanted* are as written, *saw* reads what it looks at (`MISSING` if nothing).

    One that is not *readable* is unknown whatever the facts.
    """

    name: str
    wanted: Any
    test: Test
    saw: Callable[[Facts], Any]
    readable: bool = True


def check_conditions(value: Any, at: str) -> Iterator[FieldError]:
    """What is wrong with a statement's `conditions`."""
    if not isinstance(value, dict):
        yield FieldError(at, "An object of conditions.")
        return
    for name, wanted in value.items():
        place = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name in _CHECKS:
            yield from _CHECKS[name](wanted, place)
        else:
            yield FieldError(place, "Unknown condition.")


_encode = json.JSONEncoder(sort_keys=True, default=repr).encode


def compile_conditions(value: Mapping[str, Any], shared: dict[str, tuple[Condition, ...]]) -> tuple[Condition, ...]:
    """The conditions of a statement; *shared* keeps one of each, since statements repeat them."""
    compiled: list[Condition] = []
    for name, wanted in value.items():
        key = _encode((name, wanted))
        if key not in shared:
            shared[key] = tuple(_compile(name, wanted))
        compiled += shared[key]
    return tuple(compiled)


def _compile(name: str, wanted: Any) -> Iterator[Condition]:
    if name not in _CHECKS or next(_CHECKS[name](wanted, ""), None) is not None:
        yield Condition(name, wanted, lambda _: None, lambda _: MISSING, readable=False)
    elif name in _ATTRIBUTES:
        for attribute, value in wanted.items():
            yield _attribute(name, attribute, value)
    else:
        test, saw = _COMPILERS[name](wanted)
        yield Condition(name, wanted, test, saw)


def _check_mfa(value: Any, at: str) -> Iterator[FieldError]:
    if value is not True:
        yield FieldError(at, "Only true.")


def _check_environment(value: Any, at: str) -> Iterator[FieldError]:
    if value not in ("live", "test"):
        yield FieldError(at, "live or test.")


_ATTRIBUTES: Mapping[str, Callable[[Facts], Mapping[str, Any]]] = {
    "resource_attributes": lambda facts: facts.request.resource_attributes,
    "principal_attributes": lambda facts: (facts.subject.owner or facts.subject).attributes,
    "action_attributes": lambda facts: facts.request.action_attributes,
}
_CHECKS: Mapping[str, Callable[[Any, str], Iterator[FieldError]]] = {
    "ip_range": check_networks,
    "time_window": check_windows,
    "date_range": check_dates,
    **dict.fromkeys(_ATTRIBUTES, check_attributes),
    "mfa": _check_mfa,
    "environment": _check_environment,
}


def _ip_range(wanted: Any) -> tuple[Test, Callable[[Facts], Any]]:
    networks = networks_of(wanted)
    if len(networks) == 1:
        return _in_network(networks[0]), _saw_address

    def test(facts: Facts) -> bool | None:
        if facts.address is None:
            return None
        own, value = facts.address
        for width, shift, network in networks:  # noqa: SIM110  a generator costs more than the whole test
            if width == own and value >> shift == network:
                return True
        return False

    return test, _saw_address


def _in_network(network: Network) -> Test:
    width, shift, value = network

    def test(facts: Facts) -> bool | None:
        address = facts.address
        return None if address is None else address[1] >> shift == value and address[0] == width

    return test


def _saw_address(facts: Facts) -> Any:
    return _or_missing(facts.request.context.ip_address)


def _time_window(wanted: Any) -> tuple[Test, Callable[[Facts], Any]]:
    openings = Openings(windows_of(wanted))
    known = openings.known

    def test(facts: Facts) -> bool | None:
        seconds = facts.seconds
        if seconds is None:
            return None
        try:
            return known[seconds // 60]
        except KeyError:
            return openings.at(seconds)

    return test, _saw_time


def _date_range(wanted: Any) -> tuple[Test, Callable[[Facts], Any]]:
    ranges = dates_of(wanted)

    def test(facts: Facts) -> bool | None:
        time = facts.request.context.time
        return None if time is None or facts.seconds is None else any(first <= time <= last for first, last in ranges)

    return test, _saw_time


def _mfa(_: Any) -> tuple[Test, Callable[[Facts], Any]]:
    return _signed_in_twice, lambda facts: _or_missing(_signed_in_twice(facts))


def _signed_in_twice(facts: Facts) -> bool | None:
    stated = facts.request.context.mfa
    return facts.subject.mfa if stated is None else stated


def _environment(wanted: Any) -> tuple[Test, Callable[[Facts], Any]]:
    def test(facts: Facts) -> bool | None:
        environment = facts.request.context.environment
        return None if environment is None else environment == wanted

    return test, lambda facts: _or_missing(facts.request.context.environment)


_COMPILERS: Mapping[str, Callable[[Any], tuple[Test, Callable[[Facts], Any]]]] = {
    "ip_range": _ip_range,
    "time_window": _time_window,
    "date_range": _date_range,
    "mfa": _mfa,
    "environment": _environment,
}


def _attribute(kind: str, name: str, wanted: Any) -> Condition:
    test = attribute_test(wanted)

    attributes = _ATTRIBUTES[kind]

    def saw(facts: Facts) -> Any:
        return attributes(facts).get(name, MISSING)

    return Condition(f"{kind}.{name}", wanted, lambda facts: test(saw(facts)), saw)


def _saw_time(facts: Facts) -> Any:
    time = facts.request.context.time
    return MISSING if time is None or facts.seconds is None else rfc3339(time)


def _or_missing(value: Any) -> Any:
    return MISSING if value is None else value
