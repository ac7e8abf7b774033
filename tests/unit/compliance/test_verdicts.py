"""What a control's status follows from: nothing passes without evidence, and what could not be read never does."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforma.compliance.evidence import GATHERED
from platforma.compliance.evidence.sources import EXPECTED
from platforma.compliance.model import Control, Evidence, Finding
from platforma.compliance.report import FRAMEWORKS

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
VERDICTS = st.sampled_from(["pass", "fail", "unread"])


def finding(verdicts: list[str], by_people: str | None = None) -> Finding:
    seen = tuple(Evidence(f"e{n}", verdict, f"Seen {n}.", "Good.", NOW) for n, verdict in enumerate(verdicts))
    return Finding(Control("X.1", "Something", tuple(one.name for one in seen), by_people), seen)


@given(st.lists(VERDICTS, max_size=5), st.none() | st.just("A document."))
def test_a_control_passes_only_with_evidence_that_is_all_good_and_nothing_left_to_people(verdicts, by_people):
    passes = bool(verdicts) and set(verdicts) == {"pass"} and by_people is None

    assert (finding(verdicts, by_people).status == "pass") is passes


@given(st.lists(VERDICTS, max_size=5), st.none() | st.just("A document."))
def test_whatever_is_wrong_fails_the_control(verdicts, by_people):
    assert (finding(verdicts, by_people).status == "fail") is ("fail" in verdicts)


def test_what_could_not_be_read_is_manual_and_says_why():
    assert finding(["pass", "unread"]).status == "manual"
    assert finding(["pass", "unread"]).reason == "Seen 1."


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=lambda framework: framework.id)
def test_every_evidence_that_a_control_names_is_gathered_and_every_control_can_be_shown(framework):
    gathered = {name for names in GATHERED for name in names}

    assert gathered == set(EXPECTED)
    assert len({control.id for control in framework.controls}) == len(framework.controls)
    for control in framework.controls:
        assert set(control.evidence) <= gathered
        assert control.evidence or control.by_people


def test_soc2_has_every_common_criterion():
    counts = {1: 5, 2: 3, 3: 4, 4: 2, 5: 3, 6: 8, 7: 5, 8: 1, 9: 2}

    assert [control.id for control in FRAMEWORKS["soc2"].controls] == [
        f"CC{series}.{number}" for series, many in counts.items() for number in range(1, many + 1)
    ]
