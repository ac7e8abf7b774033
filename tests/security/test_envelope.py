"""What an attacker may do to ciphertexts, to the table that holds them, and to the keeper of the keys."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.keys import envelope as module
from platforma.keys.envelope import Envelope
from platforma.keys.errors import DoesNotOpen
from platforma.keys.model import DataKey

PLAINTEXT = b"ada@example.test"


@pytest.fixture
def data_keys() -> MemoryDataKeys:
    return MemoryDataKeys("ten_a", "ten_b")


@pytest.fixture
def sealed(data_keys) -> bytes:
    return Envelope(data_keys).seal("ten_a", "identity", "usr_a", PLAINTEXT)


def test_every_flipped_bit_is_noticed(data_keys, sealed):
    envelope = Envelope(data_keys)

    for bit in range(len(sealed) * 8):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DoesNotOpen):
            envelope.open("ten_a", "identity", "usr_a", bytes(damaged))


def test_every_truncation_and_every_extension_is_noticed(data_keys, sealed):
    envelope = Envelope(data_keys)

    for changed in [sealed[:length] for length in range(len(sealed))] + [sealed + b"\0", b"\0" + sealed]:
        with pytest.raises(DoesNotOpen):
            envelope.open("ten_a", "identity", "usr_a", changed)


@pytest.mark.parametrize(
    "place",
    [
        ("ten_b", "identity", "usr_a"),
        ("ten_a", "audit", "usr_a"),
        ("ten_a", "identity", "usr_b"),
        ("ten_a", "identity", ""),
        ("ten_a", "identity", "usr_a\0"),
    ],
)
def test_a_ciphertext_moved_elsewhere_does_not_open(data_keys, sealed, place):
    with pytest.raises(DoesNotOpen):
        Envelope(data_keys).open(*place, sealed)


def test_a_ciphertext_moved_elsewhere_does_not_open_where_its_key_is_cached(data_keys):
    envelope = Envelope(data_keys)
    sealed = envelope.seal("ten_a", "identity", "usr_a", PLAINTEXT)

    with pytest.raises(DoesNotOpen):
        envelope.open("ten_a", "identity", "usr_b", sealed)


def test_where_tenant_ends_and_record_begins_cannot_be_shifted():
    bindings = {
        module._binding(*parts) for parts in [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("abcd", "", "")]
    }

    assert len(bindings) == 4


@pytest.mark.parametrize(
    "place", [("ten_b", "identity", "usr_a"), ("ten_a", "audit", "usr_a"), ("ten_a", "identity", "usr_b")]
)
def test_one_data_key_gives_every_tenant_purpose_and_record_another_key(place):
    """Whatever the keeper of keys would have let through."""
    data_key, nonce = os.urandom(32), bytes(12)
    sealed = module.seal_with(data_key, module._binding("ten_a", "identity", "usr_a"), nonce, PLAINTEXT)

    with pytest.raises(DoesNotOpen):
        module.open_with(data_key, module._binding(*place), sealed)


def test_parts_of_two_ciphertexts_do_not_mix(data_keys):
    one = Envelope(data_keys).seal("ten_a", "identity", "usr_a", PLAINTEXT)
    two = Envelope(data_keys).seal("ten_a", "identity", "usr_a", PLAINTEXT)
    tail = 32 + 12 + len(PLAINTEXT) + 16

    for cut in (len(one) - tail, len(one) - tail + 32, len(one) - tail + 44, len(one) - 16):
        with pytest.raises(DoesNotOpen):
            Envelope(data_keys).open("ten_a", "identity", "usr_a", one[:cut] + two[cut:])


def test_a_ciphertext_that_lies_about_its_tenant_or_purpose_does_not_open(data_keys, sealed):
    wrapped = module.wrapping_of(sealed).wrapped
    rest = sealed[len(module._header("ten_a", "identity", wrapped)) :]

    for place in (("ten_b", "identity"), ("ten_a", "audit")):
        lying = module._header(*place, wrapped) + rest
        with pytest.raises(DoesNotOpen):
            Envelope(data_keys).open("ten_a", "identity", "usr_a", lying)
        with pytest.raises(DoesNotOpen):
            Envelope(data_keys).open(*place, "usr_a", lying)


def test_another_data_key_of_the_tenants_own_put_into_a_ciphertext_does_not_open_it(data_keys, sealed):
    other = data_keys.generate("ten_a", "identity")

    with pytest.raises(DoesNotOpen):
        Envelope(data_keys).open("ten_a", "identity", "usr_a", module.rewrapped(sealed, other.wrapped))


def test_wrapped_anew_it_opens_as_before_and_its_body_is_the_same(data_keys, sealed):
    wrapped = module.wrapping_of(sealed).wrapped
    data_keys.rotate("ten_a")

    (again,) = data_keys.rewrap_all("ten_a", "identity", [wrapped])
    moved = module.rewrapped(sealed, again)

    assert data_keys.version_of(again) == 2
    assert Envelope(data_keys).open("ten_a", "identity", "usr_a", moved) == PLAINTEXT
    assert moved[-60:] == sealed[-60:]


def test_the_plaintext_is_nowhere_in_what_is_stored_nor_told(data_keys, sealed, caplog):
    with pytest.raises(DoesNotOpen) as caught:
        Envelope(data_keys).open("ten_a", "identity", "usr_b", sealed)

    told = f"{caught.value!r} {caught.value.facts} {caught.value.__context__!r} {caplog.text}".encode()
    assert PLAINTEXT not in sealed
    assert PLAINTEXT not in told


def test_a_data_key_does_not_show(data_keys):
    key = data_keys.generate("ten_a", "identity")

    for text in (repr(key), str(key), f"{key}", repr(module._InUse(key, 1))):
        assert repr(key.plaintext) not in text


def test_equal_records_give_unequal_ciphertexts_and_no_nonce_comes_twice(data_keys):
    envelope = Envelope(data_keys)

    sealed = {envelope.seal("ten_a", "identity", "usr_a", PLAINTEXT) for _ in range(2000)}

    assert len({module._parse(one).nonce for one in sealed}) == 2000


class TwoFaced:
    """A keeper that unwraps one wrapped key to either of two, as one who has broken it could make it do."""

    def __init__(self) -> None:
        self.faces = (os.urandom(32), os.urandom(32))
        self.face = 0

    def generate(self, tenant_id, purpose) -> DataKey:
        return DataKey(self.faces[self.face], b"wrapped")

    def unwrap(self, tenant_id, purpose, wrapped) -> bytes:
        return self.faces[self.face]


def test_one_ciphertext_cannot_be_made_to_open_under_two_keys():
    """AES-GCM by itself allows it (Dodis et al., Fast Message Franking, CRYPTO 2018): here is one, and it is refused."""
    keeper = TwoFaced()
    binding = module._binding("ten_a", "identity", "usr_a")
    derived = [module._derive(key, binding) for key in keeper.faces]
    nonce = os.urandom(12)

    for committed in (0, 1):
        header = module._header("ten_a", "identity", b"wrapped") + derived[committed][1]
        both = _opens_under_both(derived[0][0], derived[1][0], nonce, binding)
        plaintexts = [AESGCM(key).decrypt(nonce, both, binding) for key, _ in derived]
        assert plaintexts[0] != plaintexts[1]

        keeper.face = committed
        assert Envelope(keeper).open("ten_a", "identity", "usr_a", header + nonce + both) == plaintexts[committed]
        keeper.face = 1 - committed
        with pytest.raises(DoesNotOpen):
            Envelope(keeper).open("ten_a", "identity", "usr_a", header + nonce + both)


def _opens_under_both(one: bytes, two: bytes, nonce: bytes, associated: bytes) -> bytes:
    """One block *c* and a tag that is right under both keys: GHASH is linear in *c*, so it is one equation in GF(2^128)."""
    parts = []
    for key in (one, two):
        encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
        h, mask = (int.from_bytes(encrypt(block), "big") for block in (bytes(16), nonce + b"\0\0\0\1"))
        padded = associated + bytes(-len(associated) % 16)
        state = 0
        for start in range(0, len(padded), 16):
            state = _times(state ^ int.from_bytes(padded[start : start + 16], "big"), h)
        lengths = len(associated) * 8 << 64 | 128
        squared = _times(h, h)
        # tag = ((state ^ c) * h ^ lengths) * h ^ mask = c * h^2 ^ rest
        parts.append((squared, _times(state, squared) ^ _times(lengths, h) ^ mask))
    (h1, rest1), (h2, rest2) = parts
    c = _times(rest1 ^ rest2, _inverse(h1 ^ h2))
    tag = _times(c, h1) ^ rest1
    return c.to_bytes(16, "big") + tag.to_bytes(16, "big")


def _times(a: int, b: int) -> int:
    """NIST SP 800-38D section 6.3."""
    product = 0
    for bit in range(127, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (0xE1 << 120 if b & 1 else 0)
    return product


def _inverse(a: int) -> int:
    """a^(2^128 - 2)."""
    result, power = 1 << 127, a
    for _ in range(127):
        power = _times(power, power)
        result = _times(result, power)
    return result
