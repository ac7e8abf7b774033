import io
import re
import subprocess
import sys
import tomllib
from collections import Counter
from math import log2

import pytest

from platforma.apikeys import key_format
from platforma.apikeys.__main__ import main
from platforma.apikeys.scan import scan, scan_lines
from tests.unit.apikeys.test_format import KEY_ID, TEXT

MISTYPED = TEXT[:-1] + ("0" if TEXT[-1] != "0" else "1")


def test_keys_are_found_wherever_they_stand():
    lines = [b"nothing\n", b'KEY="' + TEXT.encode() + b'"\n', b"x" + TEXT.encode() + b"y " + TEXT.encode()]

    found = list(scan_lines(lines))

    assert [(key.line, key.column) for key in found] == [(2, 6), (3, 2), (3, 95)]
    assert {key.id for key in found} == {KEY_ID}


def test_what_only_looks_like_a_key_is_none():
    assert list(scan_lines([MISTYPED.encode(), b"pk_live_51" + b"A" * 97, "pk_live_é".encode()])) == []


def test_a_key_does_not_hide_in_the_beginning_of_another():
    assert len(list(scan_lines([TEXT[:8].encode() + TEXT.encode()]))) == 1


def test_the_exit_code_tells_and_the_secret_is_not_shown(tmp_path):
    guilty, clean = tmp_path / "guilty.env", tmp_path / "clean.env"
    guilty.write_bytes(b"\xff\x00" + TEXT.encode())
    clean.write_text(MISTYPED)
    out, err = io.StringIO(), io.StringIO()

    assert scan([str(clean)], out, err) == 0
    assert scan([str(clean), str(tmp_path / "missing")], out, err) == 2
    assert scan([str(clean), str(guilty)], out, err) == 1
    assert f"{guilty}:1:3: {TEXT[:31]}... {KEY_ID}" in out.getvalue()
    assert TEXT[31:74] not in out.getvalue() + err.getvalue()


def test_the_command_line_does_the_same(tmp_path, capsys):
    guilty = tmp_path / "guilty.env"
    guilty.write_text(TEXT)

    assert main(["scan", str(guilty)]) == 1
    assert KEY_ID in capsys.readouterr().out


def test_it_runs_as_a_module(tmp_path):
    guilty = tmp_path / "guilty.env"
    guilty.write_text(TEXT)

    command = [sys.executable, "-m", "platforma.apikeys", "scan", str(guilty)]
    result = subprocess.run(command, env={"PYTHONPATH": "layers/core/python"}, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (1, "")


RULE = tomllib.loads(key_format()["gitleaks"])["rules"][0]


@pytest.mark.parametrize(
    "line", ["{}", "key={}", 'KEY="{}"', "Authorization: Bearer {}\r", "https://x.test/?k={}&y", "[{}]", "`{}`,"]
)
def test_the_gitleaks_rule_finds_what_we_make(line):
    found = re.search(RULE["regex"], line.format(TEXT))

    assert found.group(RULE["secretGroup"]) == TEXT
    assert any(keyword in TEXT for keyword in RULE["keywords"])
    assert entropy(TEXT) > RULE["entropy"]


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        TEXT + "A",
        "x" + TEXT,
        TEXT.replace("pk_live_", "pk_prod_"),
        TEXT[:40] + "-" + TEXT[41:],
        "pk_live_51H8xyzAbCdEfGhIjKlMnOpQrStUvWxYz0123456789",  # another vendor's form
    ],
)
def test_the_gitleaks_rule_does_not_find_what_only_looks_like_a_key(text):
    assert re.search(RULE["regex"], text) is None


def test_a_placeholder_has_not_the_entropy_of_a_key():
    assert entropy("pk_live_" + "x" * 83) < RULE["entropy"]


def test_the_rule_is_one_that_re2_reads():
    """Go's regexes have no look-around, no back reference and no possessive quantifier."""
    assert not re.search(r"\(\?[=!<]|\\[1-9]|[*+?}]\+", RULE["regex"])


def test_the_command_line_prints_the_rule_that_is_served(capsys):
    assert main(["rule"]) == 0
    assert capsys.readouterr().out == key_format()["gitleaks"]


def entropy(text):
    """Shannon's, in bits a character, as gitleaks takes it."""
    return -sum(count / len(text) * log2(count / len(text)) for count in Counter(text).values())


def test_the_published_parts_make_up_the_published_length():
    published = key_format()

    assert len(TEXT) == published["length"] == 8 + sum(part["length"] for part in published["parts"])
