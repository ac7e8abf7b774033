"""A mebibyte deep in an object of 5 GiB, read as any other: what is asked of the bucket, and what comes of it."""

from types import SimpleNamespace

import pytest

from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from platforma.keys.errors import DoesNotOpen
from platforma.keys.objects.chunks import CHUNK, TAG, new_attempt, seal_part
from platforma.keys.objects.model import MAX_BYTES, PART_BYTES, Manifest, Part
from platforma.keys.objects.ports import Head
from platforma.keys.objects.read import read_bytes
from platforma.keys.objects.sealing import sealed_manifest

TENANT, CONTAINER = new_id("ten"), new_id("upl")
PARTS = [Part(new_attempt(), PART_BYTES, bytes(32)) for _ in range(MAX_BYTES // PART_BYTES)]
MANIFEST = Manifest(bytes(range(32)), "place/", PARTS)
HEAD = Head("id", 1, False, b"", CONTAINER)


def body_of(number: int) -> bytes:
    """A part's bytes: each chunk is full of its own number in the object."""
    return b"".join((number * 4 + chunk).to_bytes(2, "big") * (CHUNK // 2) for chunk in range(4))


class CountingBucket:
    """The parts as they would be stored, each made when it is read."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def get(self, _tenant_id: str, name: str, start: int, end: int) -> bytes:
        number = next(place for place, part in enumerate(PARTS) if name == f"place/{part.attempt.hex()}")
        self.asked.append(end - start)
        return bytes(seal_part(MANIFEST.key, PARTS[number].attempt, body_of(number)))[start:end]


@pytest.fixture
def deep():
    envelope = Envelope(MemoryDataKeys(TENANT))
    sealed = sealed_manifest(TENANT, CONTAINER, MANIFEST, envelope)
    store, bucket = SimpleNamespace(manifest=lambda *_: sealed), CountingBucket()

    def read(start: int, end: int) -> bytes:
        return read_bytes(TENANT, HEAD, start=start, end=end, store=store, bucket=bucket, envelope=envelope)

    return read, bucket


@pytest.mark.parametrize(
    "start", [0, 3 << 30, (3 << 30) + 1, (5 << 30) - CHUNK, 1279 * PART_BYTES - CHUNK // 2, 12345 * CHUNK // 3]
)
def test_a_mebibyte_deep_in_five_gibibytes_reads_two_chunks_at_most(deep, start):
    read, bucket = deep

    found = read(start, start + CHUNK)

    first, into = divmod(start, CHUNK)
    around = b"".join((first + more).to_bytes(2, "big") * (CHUNK // 2) for more in (0, 1))
    assert found == around[into : into + CHUNK]
    assert sum(bucket.asked) <= 2 * (CHUNK + TAG)


def test_a_part_that_is_another_ones_size_is_noticed(deep, monkeypatch):
    read, bucket = deep
    monkeypatch.setattr(bucket, "get", lambda _tenant, _name, _start, end: bytes(end))

    with pytest.raises(DoesNotOpen):
        read(0, 10)
