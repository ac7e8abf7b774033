"""Cursors: opaque, bound, tamper-proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.edge.cursors import Cursors
from platforma.kernel.errors import Unprocessable

CURSORS = Cursors(lambda: b"k" * 32)


@given(st.text(max_size=60), st.text(max_size=60).filter(lambda text: "\0" not in text))
def test_a_cursor_opens_where_it_was_made(position: str, query: str):
    position, query = position.encode(errors="ignore").decode(), query.encode(errors="ignore").decode()

    assert CURSORS.open("ten_a", query, CURSORS.seal("ten_a", query, position)) == position


def test_another_tenant_cannot_use_it():
    cursor = CURSORS.seal("ten_a", "q", "p")

    with pytest.raises(Unprocessable):
        CURSORS.open("ten_b", "q", cursor)


def test_another_query_cannot_use_it():
    cursor = CURSORS.seal("ten_a", "q", "p")

    with pytest.raises(Unprocessable):
        CURSORS.open("ten_a", "other", cursor)


@pytest.mark.parametrize("cursor", ["", "a", "é", "AAAA" * 12, "!!!!"])
def test_junk_is_refused(cursor: str):
    with pytest.raises(Unprocessable):
        CURSORS.open("ten_a", "q", cursor)


def test_the_end_has_no_cursor():
    assert CURSORS.seal("ten_a", "q", None) is None
