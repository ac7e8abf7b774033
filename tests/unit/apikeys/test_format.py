import hashlib
import hmac
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.apikeys.format import ALPHABET, PATTERN, check_checksum, decode, encode, make, new_secret, parse, prefix
from platforma.kernel.errors import Broken, Malformed, Unauthenticated
from platforma.kernel.ids import new_id
from platforma.keys.model import Pepper

PEPPER = Pepper(1, bytes(range(32)))
KEY_ID = "key_01j0000000e008000000000001"
SECRET = "0" * 42 + "z"
TEXT = make("live", KEY_ID, SECRET, PEPPER)


def base62(number):
    """The independent check: by repeated division, least digit last."""
    return (base62(number // 62) if number >= 62 else "") + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[
        number % 62
    ]


def forge(body, pepper=PEPPER):
    """A text with a right CRC32 over *body*, and a keyed checksum under *pepper*."""
    mac = hmac.new(pepper.key, body.encode(), hashlib.sha256).digest()[:8]
    checked = body + base62(int.from_bytes(mac, "big")).rjust(11, "0")
    return checked + base62(zlib.crc32(checked.encode())).rjust(6, "0")


def test_a_key_is_what_the_contract_says_part_by_part():
    number = sum(32 ** (25 - i) * "0123456789abcdefghjkmnpqrstvwxyz".index(c) for i, c in enumerate(KEY_ID[4:]))

    assert forge("pk_live_1" + base62(number).rjust(22, "0") + SECRET) == TEXT
    assert re.fullmatch(r"pk_(live|test)_[0-9A-Za-z]{83}", TEXT)
    assert re.fullmatch(PATTERN, TEXT)


@given(
    st.sampled_from(["live", "test"]), st.integers(0, 2**256 - 1), st.integers(1, 61), st.binary(min_size=32, max_size=32)
)
def test_what_is_made_is_parsed(environment, number, version, key):
    key_id, secret, pepper = new_id("key"), encode(number, 43), Pepper(version, key)

    parsed = parse(make(environment, key_id, secret, pepper))

    assert (parsed.environment, parsed.id, parsed.secret, parsed.pepper_version) == (environment, key_id, secret, version)
    check_checksum(parsed, pepper)


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(ALPHABET + "_\n\0é"))
def test_one_mistyped_character_is_seen_offline(position, character):
    mistyped = TEXT[:position] + character + TEXT[position + 1 :]
    if mistyped == TEXT:
        return

    with pytest.raises(Malformed):
        parse(mistyped)


@given(st.text(max_size=200))
def test_noise_is_malformed_whatever_it_is(text):
    with pytest.raises(Malformed):
        parse(text)


@pytest.mark.parametrize(
    "text", [TEXT + "\n", " " + TEXT, TEXT.upper(), TEXT.replace("_", "-"), TEXT[:-1], TEXT + "0", "\u0661" * 91]
)
def test_nothing_may_stand_around_a_key(text):
    with pytest.raises(Malformed):
        parse(text)


def test_a_forged_key_has_a_right_crc_and_a_wrong_keyed_checksum():
    forged = parse(forge(TEXT[:-17], Pepper(1, bytes(32))))

    with pytest.raises(Unauthenticated):
        check_checksum(forged, PEPPER)


@pytest.mark.parametrize("body", ["pk_live_1" + "z" * 22 + SECRET, TEXT[:31] + "z" * 43])
def test_a_number_that_does_not_fit_has_no_second_spelling(body):
    with pytest.raises(Malformed):
        parse(forge(body))


def test_the_prefix_tells_keys_apart_and_holds_nothing_of_the_secret():
    parsed = parse(TEXT)

    assert prefix(TEXT) == "pk_live_1" + parsed.number
    assert SECRET not in prefix(TEXT)


def test_a_parsed_key_does_not_show_its_secret():
    assert SECRET not in repr(parse(TEXT))
    assert TEXT[-17:-6] not in repr(parse(TEXT))


def test_secrets_have_256_bits():
    assert max(decode(new_secret()) for _ in range(64)) >> 250


@pytest.mark.parametrize("version", [0, 62])
def test_a_pepper_without_a_digit_makes_no_key(version):
    with pytest.raises(Broken):
        make("live", KEY_ID, SECRET, Pepper(version, bytes(32)))
