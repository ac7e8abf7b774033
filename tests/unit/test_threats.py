"""docs/threats.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "threats.md").read_text())


def test_every_test_that_the_threats_name_exists():
    missing = [f"{file}::{test}" for file, test in NAMED if f"def {test}(" not in (ROOT / file).read_text()]

    assert missing == []


def test_the_threats_name_many():
    assert len(NAMED) > 50
