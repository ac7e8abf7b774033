"""The classes into which analysis divides what rules look at: each value is of one, and stands for it truly."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platforma.policy.analysis import TooComplex
from platforma.policy.analysis.addresses import Addresses
from platforma.policy.analysis.boxes import Boxes
from platforma.policy.analysis.moments import HORIZON, Moments
from platforma.policy.analysis.texts import telling_texts
from platforma.policy.analysis.values import telling_values
from platforma.policy.attributes import attribute_test
from platforma.policy.globs import compile_glob
from platforma.policy.networks import parse_address, parse_network
from platforma.policy.times import Openings, dates_of, seconds_of, windows_of
from tests.unit.policy.strategies import MOMENTS, NETWORKS, a_date_range, a_scalar, a_test, a_window

RUNS = 50 * int(os.environ.get("PLATFORMA_FUZZ", "1"))
FUZZ = settings(max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(
    globs=st.lists(st.text(alphabet="ab*?", min_size=1, max_size=5).filter(lambda glob: "**" not in glob), max_size=4),
    bounds=st.lists(st.text(alphabet="abc", max_size=3), max_size=2),
    text=st.text(alphabet="abcdz", max_size=7),
)
def test_every_text_is_of_a_class_that_has_one(globs, bounds, text):
    def told(one: str) -> tuple[object, ...]:
        matched = [compile_glob(glob).fullmatch(one) is not None for glob in globs]
        return (*matched, *((one > bound) - (one < bound) for bound in bounds))

    found = list(telling_texts(globs, bounds, longest=7))

    assert told(text) in {told(one) for one, _ in found}
    for one, matched in found:
        assert matched == {at for at, glob in enumerate(globs) if compile_glob(glob).fullmatch(one)}


@FUZZ
@given(
    windows=st.lists(a_window, min_size=1, max_size=3),
    dates=st.lists(a_date_range, max_size=2),
    now=st.sampled_from([MOMENTS[0], MOMENTS[1], MOMENTS[7], MOMENTS[24]]),
    minutes=st.lists(st.integers(0, 10 * 365 * 1440), min_size=10, max_size=10),
)
def test_every_moment_of_ten_years_is_of_a_class_that_has_one(windows, dates, now, minutes):
    moments = Moments(windows, dates, now)
    openings = [Openings(windows_of(one)) for one in windows]
    ranges = [dates_of(one) for one in dates]

    def told(moment: datetime) -> tuple[object, ...]:
        held = [any(first <= moment <= last for first, last in one) for one in ranges]
        return (*(one.at(seconds_of(moment)) for one in openings), *held)

    classes = {}
    for at, moment in enumerate(moments.values):
        if moment is not None:
            masks = (*(moments.open(one) for one in windows), *(moments.held(one) for one in dates))
            classes[told(moment)] = tuple(bool(mask >> at & 1) for mask in masks)
    assert all(key == value for key, value in classes.items())
    edges = [edge for one in ranges for span in one for edge in span if now <= edge <= now + HORIZON]
    for moment in [*(now + timedelta(minutes=one) for one in minutes), *edges]:
        assert told(moment) in classes


@FUZZ
@given(tests=st.lists(a_test, min_size=1, max_size=3), value=st.one_of(a_scalar, st.integers(), st.floats(), st.text()))
def test_every_value_is_of_a_class_that_has_one(tests, value):
    def told(one: object) -> list[object]:
        return [attribute_test(test)(one) for test in tests]

    assert told(value) in [told(one) for one in telling_values(tests)]


@FUZZ
@given(networks=st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=4), value=st.integers(0, 2**128 - 1))
def test_every_address_is_of_a_class_that_has_one(networks, value):
    read = [parse_network(text) for text in networks]
    addresses = Addresses(read)

    def told(address: str) -> list[bool]:
        width, own = parse_address(address)
        return [one.width == width and own >> one.shift == one.value for one in read]

    known = [(at, one) for at, one in enumerate(addresses.values) if one is not None and addresses.full >> at & 1]
    for at, one in known:
        assert [bool(addresses.within([network]) >> at & 1) for network in read] == told(one)
    for address in (
        str(IPv6Address(value)),
        str(IPv4Address(value % 2**32)),
        str(IPv6Address(0xFFFF << 32 | value % 2**32)),
    ):
        assert told(address) in [told(one) for _, one in known]


def test_ten_years_have_both_changes_of_the_clock():
    """An hour that comes twice, and one that never comes."""
    window = {"start": "02:10", "end": "02:20", "timezone": "Europe/Berlin", "days": ["sun"]}
    skipped = {"not_before": "2027-03-28T00:00:00Z", "not_after": "2027-03-28T23:00:00Z"}
    twice = {"not_before": "2026-10-25T00:30:00Z", "not_after": "2026-10-25T23:00:00Z"}
    now = datetime(2026, 10, 1, tzinfo=UTC)

    moments = Moments([window], [skipped, twice], now)

    assert not moments.open(window) & moments.held(skipped)
    found = moments.open(window) & moments.held(twice)
    assert [moments.values[at] for at in range(found.bit_length()) if found >> at & 1] == [
        datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    ]


def test_what_would_take_too_long_is_refused():
    everything = (1 << 20) - 1
    boxes = Boxes(dict.fromkeys("abcdef", everything), effort=2000)
    others = [{name: everything & ~(1 << (at * 7 + place) % 20) for place, name in enumerate("abcdef")} for at in range(60)]

    with pytest.raises(TooComplex):
        boxes.outside({}, [*others, *(dict.fromkeys("abcdef", 1 << at) for at in range(20))])
