"""Passwords: which are refused, and how the good ones are kept."""

import pytest

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


def test_a_hash_that_cannot_be_read_is_an_alarm():
    with pytest.raises(Broken):
        verify_password("correct horse battery", "$2b$12$", profile=CHEAP)


def test_the_list_holds_what_the_length_lets_through():
    assert len(common_passwords()) == 20_000
    assert min(map(len, common_passwords())) == 12
