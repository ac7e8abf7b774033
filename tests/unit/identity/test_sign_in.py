"""Signing in by a password: one answer for every refusal, delays that bound guessing, and no lock by a stranger."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from platforma.identity import change_user, check_password
from platforma.identity.sign_in import place_of
from platforma.identity.throttle import FREE_ATTEMPTS, FREE_ATTEMPTS_OF_AN_ADDRESS, LONGEST_DELAY
from platforma.kernel.errors import RateLimited, Unauthenticated
from platforma.kernel.events import Attempt

KNOWN = frozenset({"admin"})
PASSWORD = "correct horse battery"
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def sign_in(house, password=PASSWORD, email="ada@acme.test", ip=HOME):
    attempt = Attempt("req", "oauth.sessions.start", lambda: house.now, ip_address=ip)
    try:
        ports = {"directory": house.directory, "counts": house.counts, "attempt": attempt}
        return check_password(house.tenant.id, email, password, **ports)
    except Unauthenticated as refused:
        return refused, attempt
    except RateLimited as limited:
        return limited, attempt


def test_the_right_password_gives_the_user_however_its_address_is_written(house):
    assert sign_in(house, email="ADA@acme.test").id == house.admin.id


def test_unknown_wrong_none_and_suspended_are_refused_alike(house):
    house.user(email="invited@acme.test")
    suspended = house.user(email="gone@acme.test", password="grey mornings at sea")
    change_user(house.tenant.id, suspended.id, {"status": "suspended"}, if_match=None, known_roles=KNOWN, **house.people())

    refusals = [
        sign_in(house, email="nobody@acme.test")[0],
        sign_in(house, password="wrong horse battery")[0],
        sign_in(house, email="invited@acme.test")[0],
        sign_in(house, email="gone@acme.test", password="grey mornings at sea")[0],
    ]

    assert {(type(each), each.detail) for each in refusals} == {(Unauthenticated, refusals[0].detail)}


def test_every_refusal_costs_one_hash_and_the_same_reads(house, monkeypatch):
    asked: list[str] = []
    real = house.directory.with_password
    monkeypatch.setattr(house.directory, "with_password", lambda *a: asked.append("with_password") or real(*a))
    monkeypatch.setattr(
        "platforma.identity.sign_in.verify_password",
        lambda *a, **k: asked.append("hash") or (_ for _ in ()).throw(Unauthenticated()),
    )

    sign_in(house, email="nobody@acme.test")
    unknown, asked[:] = list(asked), []
    sign_in(house)

    assert unknown == asked == ["with_password", "hash"]


def test_a_failure_at_a_known_user_is_its_tenants_and_one_at_an_unknown_is_nobodys(house):
    _, known = sign_in(house, password="wrong horse battery")
    _, unknown = sign_in(house, email="nobody@acme.test")

    assert (known.tenant_id, known.user_id) == (house.tenant.id, house.admin.id)
    assert unknown.principal_type == "anonymous"


def test_guesses_wait_at_unknown_addresses_as_at_known_ones(house):
    for email in ("ada@acme.test", "nobody@acme.test"):
        for _ in range(FREE_ATTEMPTS):
            assert isinstance(sign_in(house, "wrong", email)[0], Unauthenticated)
        limited, attempt = sign_in(house, PASSWORD, email)
        assert isinstance(limited, RateLimited)
        assert attempt.principal_type == "anonymous"


def test_a_stranger_elsewhere_does_not_delay_the_user_where_it_signed_in_before(house):
    sign_in(house)
    for _ in range(FREE_ATTEMPTS + 3):
        sign_in(house, "wrong", ip=ELSEWHERE)

    assert isinstance(sign_in(house, ip=ELSEWHERE)[0], RateLimited)
    assert sign_in(house).id == house.admin.id


def test_even_for_a_new_address_the_longest_wait_is_a_quarter_of_an_hour(house):
    for _ in range(FREE_ATTEMPTS + 30):
        house.now += LONGEST_DELAY
        sign_in(house, "wrong", ip=ELSEWHERE)

    house.now += LONGEST_DELAY
    assert sign_in(house, ip="192.0.2.1").id == house.admin.id


def test_one_address_may_not_try_one_password_at_many_accounts(house):
    for number in range(FREE_ATTEMPTS_OF_AN_ADDRESS):
        assert isinstance(sign_in(house, "wrong", f"user{number}@acme.test")[0], Unauthenticated)

    assert isinstance(sign_in(house, "wrong", "another@acme.test")[0], RateLimited)


def test_good_sign_ins_of_one_address_cost_it_nothing_and_win_it_nothing(house):
    for _ in range(FREE_ATTEMPTS_OF_AN_ADDRESS - 1):
        sign_in(house, "wrong", f"user{_}@acme.test")
    for _ in range(10):
        assert sign_in(house).id == house.admin.id
        house.now += timedelta(seconds=1)

    sign_in(house, "wrong", "one@acme.test")
    assert isinstance(sign_in(house, "wrong", "two@acme.test")[0], RateLimited)


def test_a_hash_of_an_older_profile_is_replaced_at_sign_in(house, monkeypatch):
    before = house.directory.password_hash(house.tenant.id, house.admin.id)
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr("platforma.identity.passwords._hasher", lambda _profile: stronger)

    sign_in(house)

    after = house.directory.password_hash(house.tenant.id, house.admin.id)
    assert after != before
    assert "t=2" in after
    assert sign_in(house).id == house.admin.id


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_attempts_are_counted_by_what_one_subscriber_has(address, place):
    assert place_of(address) == place
