"""JSON that two readers could read differently is refused, and pointed at."""

import pytest

from platforma.kernel.errors import Malformed
from platforma.kernel.strict_json import MAX_DEPTH, parse_json


def refused(raw):
    with pytest.raises(Malformed) as error:
        parse_json(raw)
    return [fault["pointer"] for fault in error.value.errors]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": [1, 2.5, -0.0, true, null, "\\u00fc"]}', {"a": [1, 2.5, -0.0, True, None, "ü"]}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b" [] ", []),
        (b'{"a": {"b": 1}, "c": {"b": 1}}', {"a": {"b": 1}, "c": {"b": 1}}),
        (b"12345678901234567890", 12345678901234567890),
    ],
)
def test_plain_json_is_read(raw, value):
    assert parse_json(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        *(
            b"",
            b" ",
            b"{",
            b"{'a': 1}",
            b'{"a": 1,}',
            b"[1] 2",
            b"01",
            b"+1",
            b".5",
            b"1.",
            b"nul",
            b'"\t"',
            b"\xef\xbb\xbf{}",
        ),
        *(b'"\xff"', b'"\xed\xa0\x80"', b"\x00", b'"\\x"', b'{"a" 1}', b"9" * 5000, b"//x\n1"),
    ],
)
def test_what_is_no_json_is_refused(raw):
    assert refused(raw) == []


def test_a_name_that_stands_twice_is_pointed_at():
    assert refused(b'{"a": [{"b/c": 1, "d": 2, "b/c": 3}]}') == ["/a/0/b~1c"]


def test_the_same_name_written_in_two_ways_stands_twice():
    assert refused(b'{"a": 1, "\\u0061": 2}') == ["/a"]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999"])
def test_what_is_no_finite_number_is_pointed_at(number):
    assert refused(b'{"a": [0, %s]}' % number) == ["/a/1"]


@pytest.mark.parametrize("text", [b"\\ud800", b"\\uDFFF", b"\\ude00\\ud83d", b"a\\ud83db"])
def test_half_a_character_is_pointed_at(text):
    assert refused(b'{"a": "%s"}' % text) == ["/a"]


def test_half_a_character_in_a_name_is_pointed_at_in_writable_text():
    (pointer,) = refused(b'{"a": {"\\ud800": 1}}')

    assert pointer.encode() == b"/a"


def test_nesting_is_bounded():
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH

    assert parse_json(deepest) is not None
    assert refused(b"[" + deepest + b"]") == [""]
    assert refused(b"[" * 1_000_000) == [""]
    assert refused(b'{"a":' * 100_000 + b"1" + b"}" * 100_000) == [""]


def test_brackets_in_strings_are_no_nesting():
    text = b'"' + b"[{" * 100 + b'\\"[' + b'"'

    assert parse_json(b"[" + text + b"]") == [("[{" * 100) + '"[']
