"""Conditions at their edges, three-valued; each kind against the reference over many values."""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.policy.conditions import Facts, compile_conditions
from platforma.policy.globs import compile_glob
from platforma.policy.networks import parse_address
from platforma.policy.times import seconds_of, windows_of, zone_names
from tests.unit.policy import reference
from tests.unit.policy.strategies import (
    CLOCKS,
    NETWORKS,
    ODD_VALUES,
    ZONES,
    a_window,
    some_attributes,
    some_tests,
)
from tests.unit.policy.worlds import request, user

RUNS = 500 * int(os.environ.get("PLATFORMA_FUZZ", "1"))
MANY = settings(max_examples=RUNS, deadline=None, database=None)


def answer(name, wanted, **circumstances):
    """What the one condition answers; *circumstances* are of the request."""
    conditions = compile_conditions({name: wanted}, {})
    facts = Facts(user(mfa=circumstances.pop("credential_mfa", None)), request("orders:read", **circumstances))
    answers = [condition.test(facts) for condition in conditions]
    return False if False in answers else None if None in answers else True


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("network", "address", "expected"),
    [
        ("10.0.0.0/8", "10.255.255.255", True),
        ("10.0.0.0/8", "11.0.0.0", False),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("::/0", "10.1.2.3", False),
        ("::/0", "::ffff:10.1.2.3", False),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("2001:db8::/32", "2001:DB8:0:0::1", True),
        ("10.0.0.0/8", None, None),
        ("10.0.0.0/8", "10.1.2", None),
        ("10.0.0.0/8", "010.1.2.3", None),
        ("10.0.0.0/8", "10.1.2.3\n", None),
        ("fe80::/10", "fe80::1%eth0", None),
        ("10.0.0.0/8", "1" * 5000, None),
        ("10.0.0.0/8", "10.1.2.\ud800", None),
    ],
)
def test_an_address_is_in_a_network_or_not_or_unknown(network, address, expected):
    assert answer("ip_range", [network], ip_address=address) is expected


@MANY
@given(
    networks=st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=4),
    address=st.one_of(
        st.ip_addresses().map(str), st.sampled_from(["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.128", "", "::ffff:0:0"])
    ),
)
def test_networks_agree_with_ipaddress(networks, address):
    assert answer("ip_range", networks, ip_address=address) == reference.in_networks(networks, address)


@MANY
@given(st.text(alphabet="0123456789abcdef:.%/x ", max_size=20))
def test_an_address_is_one_for_both_or_for_neither(text):
    assert (parse_address(text) is None) == (reference.address(text) is None)


NIGHT = {"start": "22:00", "end": "06:00", "timezone": "Europe/Berlin", "days": ["fri"]}


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-27T21:59:59.999999", False),
        ("2026-11-27T22:00", True),
        ("2026-11-28T05:59", True),
        ("2026-11-28T06:00", False),
        ("2026-11-27T05:00", False),
        ("2026-11-28T22:30", False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_it_began(time, expected):
    assert answer("time_window", NIGHT, time=berlin(time)) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), False),  # 01:59
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), True),  # 03:00, an hour later on the wall
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True),  # 02:30, summer time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), True),  # 02:30 again
        (datetime(2026, 10, 25, 2, 29, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), False),
    ],
)
def test_a_window_is_of_the_wall_clock_when_clocks_change(moment, expected):
    window = {"start": "02:00", "end": "03:30", "timezone": "Europe/Berlin"}

    assert answer("time_window", window, time=moment) is expected


def test_equal_ends_are_a_whole_day_from_its_start():
    window = {"start": "06:00", "end": "06:00", "timezone": "Europe/Berlin", "days": ["mon"]}

    times = ["2026-11-23T05:59", "2026-11-23T06:00", "2026-11-24T05:59", "2026-11-24T06:00"]

    assert [answer("time_window", window, time=berlin(time)) for time in times] == [False, True, True, False]


def test_a_time_without_zone_is_unknown():
    assert answer("time_window", NIGHT, time=datetime(2026, 11, 27, 23, 0)) is None  # noqa: DTZ001  without a zone


def test_a_wall_clock_beyond_the_calendar_is_unknown():
    window = {"start": "00:00", "end": "00:00", "timezone": "Pacific/Kiritimati"}

    assert answer("time_window", window, time=datetime.max.replace(tzinfo=UTC)) is None


@MANY
@given(window=a_window, minutes=st.integers(-60_000_000, 60_000_000), microseconds=st.sampled_from([0, 1, 59_999_999]))
def test_windows_agree_with_zoneinfo_at_any_time(window, minutes, microseconds):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes, microseconds=microseconds)

    assert answer("time_window", window, time=moment) == reference.in_window(window, moment)


@MANY
@given(
    zone=st.one_of(st.sampled_from(ZONES), st.sampled_from(sorted(zone_names()))),
    start=st.sampled_from(CLOCKS),
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  given beside
)
def test_what_is_remembered_of_a_minute_holds_for_all_of_it(zone, start, moment):
    window = {"start": start, "end": "13:00", "timezone": zone}
    (condition,) = compile_conditions({"time_window": window}, {})

    for second in (moment.replace(second=0, microsecond=0), moment, moment.replace(second=59, microsecond=999999)):
        facts = Facts(user(), request("orders:read", time=second))
        assert condition.test(facts) == reference.in_window(window, second)


def test_seconds_are_rounded_down():
    assert seconds_of(datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == -1


def test_the_ends_of_a_date_range_are_in_it():
    dates = {"not_before": "2026-11-24T10:00:00Z", "not_after": "2026-11-24T12:00:00+01:00"}
    moments = [datetime(2026, 11, 24, 10, 0, tzinfo=UTC), datetime(2026, 11, 24, 11, 0, tzinfo=UTC)]

    assert all(answer("date_range", dates, time=moment) for moment in moments)
    assert answer("date_range", dates, time=moments[0] - timedelta(microseconds=1)) is False
    assert answer("date_range", dates, time=moments[1] + timedelta(microseconds=1)) is False


@pytest.mark.parametrize(
    ("wanted", "given_", "expected"),
    [
        (1, True, False),
        (True, 1, False),
        (1, 1.0, True),
        (None, None, True),
        ("1", 1, False),
        ({"not_equals": "1"}, 1, True),
        (["eu", None], None, True),
        ({"not_in": ["eu"]}, "us", True),
        ({"lt": 5}, "4", None),
        ({"lt": "b"}, "a", True),
        ({"gt": 5}, True, None),
        ({"like": "eu*"}, 7, None),
        ({"not_like": "eu*"}, 7, None),
        ({"not_like": "eu*"}, "us", True),
        ("eu", ["eu"], None),
        ({"exists": True}, ["eu"], True),
        ({"exists": False}, None, False),
        ({"lt": 2**53 + 1}, 2.0**53, True),
        ({"gte": 1, "lt": 5}, 5, False),
        ({"gte": 1, "like": "x"}, 0, False),
        ("eu", float("nan"), None),
    ],
)
def test_an_attribute_is_compared_by_type_and_value(wanted, given_, expected):
    assert answer("resource_attributes", {"a": wanted}, attributes={"a": given_}) is expected


def test_a_missing_attribute_is_unknown_but_to_exists():
    assert answer("resource_attributes", {"a": {"not_equals": 1}}) is None
    assert answer("resource_attributes", {"a": {"exists": False}}) is True
    assert answer("resource_attributes", {"a": {"exists": True}}) is False


@MANY
@given(wanted=some_tests, attributes=some_attributes)
def test_attributes_agree_with_the_reference(wanted, attributes):
    assert answer("resource_attributes", wanted, attributes=attributes) == reference.attributes(wanted, attributes)


@pytest.mark.parametrize("value", ODD_VALUES)
def test_an_unknown_condition_is_unknown(value):
    assert answer("phase_of_the_moon", value) is None
    assert answer("ip_range", [value]) is None


def test_mfa_is_what_is_stated_and_else_what_the_credential_says():
    assert answer("mfa", True) is None
    assert answer("mfa", True, credential_mfa=True) is True
    assert answer("mfa", True, credential_mfa=True, mfa=False) is False


@pytest.mark.parametrize(("stated", "expected"), [("live", True), ("test", False), (None, None)])
def test_the_environment_is_the_one_stated(stated, expected):
    assert answer("environment", "live", environment=stated) is expected


@MANY
@given(glob=st.text("ab*?.\n[", max_size=8), text=st.text("ab.\n[*", max_size=10))
def test_globs_agree_with_dynamic_programming(glob, text):
    assert (compile_glob(glob).fullmatch(text) is not None) == reference.glob_matches(glob, text)


def test_no_glob_backtracks():
    """A matcher that did would try more ways than this test could wait for."""
    assert compile_glob("*a" * 100 + "*b").fullmatch("a" * 256) is None
    assert compile_glob("*?a" * 80 + "*b").fullmatch("a" * 256) is None


def test_windows_of_a_list_are_each_tried():
    assert len(windows_of([NIGHT, NIGHT])) == 2
