"""
Finding our keys in text, offline: the form, and the CRC32 that one text in four thousand million has by chance.

Whether a key that was found is still good, only the API can say. Nothing here shows a secret.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from platforma.apikeys.format import ALPHABET, LENGTH, LENGTHS, PATTERN, parse, prefix
from platforma.kernel.errors import Malformed

_CANDIDATE = re.compile(b"(?=(" + PATTERN.encode() + b"))")  # looked ahead for, so that none hides in another


@dataclass(frozen=True, slots=True)
class Found:
    """A key, and where it stands. *line* and *column* count from 1, columns in bytes; *prefix* is no secret."""

    line: int
    column: int
    prefix: str
    id: str


def scan_lines(lines: Iterable[bytes]) -> Iterator[Found]:
    """The keys in *lines*, whatever stands around them."""
    for number, line in enumerate(lines, start=1):
        for match in _CANDIDATE.finditer(line):
            text = match[1].decode("ascii")
            try:
                key = parse(text)
            except Malformed:
                continue
            yield Found(number, match.start(1) + 1, prefix(text), key.id)


def scan(paths: Iterable[str], out: TextIO, err: TextIO) -> int:
    """Look through files; the exit code is 1 if a key was found, 2 if none was but a file could not be read, else 0."""
    found = unreadable = False
    for path in paths:
        try:
            with Path(path).open("rb") as lines:
                for key in scan_lines(lines):
                    found = True
                    out.write(f"{path}:{key.line}:{key.column}: {key.prefix}... {key.id}\n")
        except OSError as error:
            unreadable = True
            err.write(f"{path}: {error.strerror}\n")
    return 1 if found else 2 if unreadable else 0


def key_format() -> dict[str, Any]:
    """What a secret scanner has to know of our keys, from the same constants that make and parse them."""
    return {
        "pattern": PATTERN,
        "length": LENGTH,
        "prefixes": ["pk_live_", "pk_test_"],
        "alphabet": ALPHABET,
        "parts": [{"name": name, "length": length} for name, length in LENGTHS.items()],
        "crc32": {
            "polynomial": "ISO-HDLC (zlib)",
            "over": "every character before it, prefix included",
            "encoding": "base62, big-endian, zero-padded",
        },
        "gitleaks": gitleaks_rule(),
    }


def gitleaks_rule() -> str:
    """
    A rule for gitleaks' configuration (TOML): the key is the first group, and no longer run of letters and digits holds it.

    Its regexes are Go's RE2, which looks neither ahead nor behind; so what stands before and after is matched as well.
    """
    return (
        "[[rules]]\n"
        'id = "platforma-api-key"\n'
        'description = "PLATFORMA API key"\n'
        f"regex = '''(?:^|[^0-9A-Za-z_])({PATTERN})(?:[^0-9A-Za-z_]|$)'''\n"
        "secretGroup = 1\n"
        "entropy = 3\n"
        'keywords = ["pk_live_", "pk_test_"]\n'
    )
