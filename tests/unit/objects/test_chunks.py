"""Chunks of objects under attack: cut, moved, repeated, mixed; and how little of an object a range reads."""

import os

import pytest

from platforma.keys.errors import DoesNotOpen
from platforma.keys.objects import chunks
from platforma.keys.objects.chunks import CHUNK, TAG, chunks_of, new_attempt, open_chunks, seal_part, stored_range

SIZE = 3 * CHUNK + 7
KEY, ATTEMPT = os.urandom(32), new_attempt()
BODY = os.urandom(SIZE)
SEALED = bytes(seal_part(KEY, ATTEMPT, BODY))
CHUNKS = [SEALED[start : start + CHUNK + TAG] for start in range(0, len(SEALED), CHUNK + TAG)]


def refused(sealed: bytes, *, key: bytes = KEY, attempt: bytes = ATTEMPT, size: int = SIZE, first: int = 0) -> None:
    with pytest.raises(DoesNotOpen):
        open_chunks(key, attempt, size, first, sealed)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_a_part_opens_to_what_it_was(size):
    body = os.urandom(size)
    sealed = seal_part(KEY, ATTEMPT, body)

    assert open_chunks(KEY, ATTEMPT, size, 0, sealed) == body
    assert len(sealed) == size + chunks_of(size) * TAG == stored_range(size, 0, chunks_of(size) - 1)[1]


def test_every_chunk_is_read_alone():
    for index in range(4):
        start, end = stored_range(SIZE, index, index)

        assert open_chunks(KEY, ATTEMPT, SIZE, index, SEALED[start:end]) == BODY[index * CHUNK : (index + 1) * CHUNK]


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 0, 2, 3), (0, 2, 3), (0, 1, 3), (3, 1, 2, 0), (0, 1, 2, 3, 3)])
def test_chunks_in_another_order_left_out_or_repeated_do_not_open(order):
    refused(b"".join(CHUNKS[place] for place in order))


def test_a_part_cut_at_a_chunks_end_is_not_a_shorter_part():
    refused(b"".join(CHUNKS[:3]), size=3 * CHUNK)


def test_a_chunk_cut_within_does_not_open():
    refused(SEALED[:-1])
    refused(CHUNKS[0][:TAG], size=1)
    refused(CHUNKS[3][: TAG - 1], first=3)


def test_a_chunk_of_another_attempt_object_or_place_does_not_open():
    again = seal_part(KEY, new_attempt(), BODY)

    refused(again[: CHUNK + TAG] + SEALED[CHUNK + TAG :])
    refused(SEALED, attempt=new_attempt())
    refused(SEALED, key=os.urandom(32))
    refused(CHUNKS[1], first=2)


def test_one_flipped_bit_in_any_chunk_is_noticed():
    for place in range(4):
        damaged = bytearray(SEALED)
        damaged[place * (CHUNK + TAG)] ^= 1
        refused(bytes(damaged))


def test_the_same_part_sent_twice_shares_no_byte_of_ciphertext():
    one, two = (seal_part(KEY, new_attempt(), bytes(64)) for _ in range(2))

    assert one != two
    assert one[:16] != two[:16]


def test_nonces_are_counted_so_that_none_comes_twice_under_a_key():
    assert len({chunks._nonce(index) for index in range(5120)}) == 5120
    assert len({new_attempt() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("start", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_a_mebibyte_anywhere_touches_two_chunks_at_most(start):
    first, last = start // CHUNK, (start + CHUNK - 1) // CHUNK

    low, high = stored_range(4 * CHUNK, first, last)
    assert high - low <= 2 * (CHUNK + TAG)
