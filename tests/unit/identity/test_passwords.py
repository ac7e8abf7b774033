"""Passwords: which are refused, and how the good ones are kept."""

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError

from platforma.identity.passwords import (
    PASSWORD,
    Argon2Profile,
    common_passwords,
    hash_password,
    parse_password,
    verify_password,
)
from platforma.kernel.errors import Broken, Unauthenticated, Unprocessable

CHEAP = Argon2Profile(time_cost=1, memory_kib=64, parallelism=1)


@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "1qaz2wsx3edc",
        "QWERTY123456",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "abcdefghijkl",
        "platforma2026",
        "AdaLovelace1!",
        "ada@acme.test",
        "tab\tin the middle",
        "\ud800 is no character",
        "x" * 1025,
        None,
        12345678901234,
    ],
)
def test_a_password_that_is_easily_guessed_or_unreadable_is_refused(password):
    with pytest.raises(Unprocessable) as refused:
        parse_password(password, about=("ada@acme.test", "Ada Lovelace"))

    assert [error["pointer"] for error in refused.value.errors] == ["/password"]
    assert not isinstance(password, str) or password not in str(refused.value.errors)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "пароль из двух слов", "alllowercaseandlong", "Ada walks to the sea"]
)
def test_length_is_enough_whatever_it_is_composed_of(password):
    assert parse_password(password, about=("ada@acme.test", "Ada Lovelace")) == password


def test_the_profile_is_the_second_of_rfc_9106():
    assert hash_password("correct horse battery").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (PASSWORD.salt_bytes, PASSWORD.hash_bytes) == (16, 32)


def test_the_right_password_is_verified_in_any_normal_form():
    stored = hash_password("caf\u00e9 at the harbour", profile=CHEAP)

    assert verify_password("cafe\u0301 at the harbour", stored, profile=CHEAP) is None


@pytest.mark.parametrize("presented", ["correct horse batterz", "", "\ud800", "x" * 5000])
def test_a_wrong_password_and_none_at_all_end_the_same(presented):
    stored = hash_password("correct horse battery", profile=CHEAP)

    with pytest.raises(Unauthenticated) as wrong:
        verify_password(presented, stored, profile=CHEAP)
    with pytest.raises(Unauthenticated) as none:
        verify_password(presented, None, profile=CHEAP)

    assert str(wrong.value) == str(none.value)


def test_without_a_stored_hash_nothing_passes():
    with pytest.raises(Unauthenticated):
        verify_password("nobody's password", None, profile=CHEAP)


def test_a_hash_of_another_profile_gives_its_replacement():
    stored = hash_password("correct horse battery", profile=CHEAP)

    replacement = verify_password("correct horse battery", stored, profile=Argon2Profile(2, 64, 1))

    assert replacement is not None
    assert "t=2" in replacement


class Counted:
    """Argon2 that does nothing but count its passes over a KiB."""

    work = 0

    def __init__(self, profile):
        self.profile = profile

    def hash(self, _):
        Counted.work += self.profile.time_cost * self.profile.memory_kib
        return f"$argon2id$v=19$m={self.profile.memory_kib},t={self.profile.time_cost},p=4$c2FsdHNhbHQ$aGFzaA"

    def verify(self, stored, _):
        took = extract_parameters(stored)
        Counted.work += took.time_cost * took.memory_cost
        raise VerifyMismatchError


@pytest.mark.parametrize("older", [(1, 1024), (2, 64 * 1024), (3, 19456), (3, 64 * 1024), None])
def test_a_refusal_costs_what_the_profile_in_force_costs_whatever_is_stored(monkeypatch, older):
    monkeypatch.setattr("platforma.identity.passwords._hasher", Counted)
    stored = older and f"$argon2id$v=19$m={older[1]},t={older[0]},p=4$c2FsdHNhbHQ$aGFzaA"
    nobody = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA"
    monkeypatch.setattr("platforma.identity.passwords._nobody", lambda _: nobody)
    monkeypatch.setattr(Counted, "work", 0)

    with pytest.raises(Unauthenticated):
        verify_password("a wrong password", stored)

    assert Counted.work == pytest.approx(PASSWORD.time_cost * PASSWORD.memory_kib, rel=1e-4)


def test_the_work_that_an_older_hash_spared_is_really_done():
    stored = hash_password("a fine old password", profile=Argon2Profile(1, 64, 1))

    with pytest.raises(Unauthenticated):
        verify_password("a wrong password", stored, profile=Argon2Profile(2, 128, 1))


def test_a_hash_that_cannot_be_read_is_an_alarm():
    with pytest.raises(Broken):
        verify_password("correct horse battery", "$2b$12$", profile=CHEAP)


def test_the_list_holds_what_the_length_lets_through():
    assert len(common_passwords()) == 20_000
    assert min(map(len, common_passwords())) == 12
