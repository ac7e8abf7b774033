"""
Evidence, controls and what follows from the two.

A control passes only where every piece of evidence it names was seen and is good, and where nothing of it is left to people.
What could not be read is never good: such a control is `manual`, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from platforma.kernel.clock import rfc3339

Verdict = Literal["pass", "fail", "unread"]
Status = Literal["pass", "fail", "manual"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What was seen of one thing, when, and whether it is as it should be; *expected* says what that is.

    An `unread` one could not be seen, or not all of it: *summary* says why.
    """

    name: str
    verdict: Verdict
    summary: str
    expected: str
    seen_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As its readers see it."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "summary": self.summary,
            "expected": self.expected,
            "facts": dict(self.facts),
            "seen_at": rfc3339(self.seen_at),
        }


@dataclass(frozen=True, slots=True)
class Control:
    """
    A criterion, control or article, in our own words. *evidence* names what is gathered for it, *by_people* what no system
    can show: somebody has to show that besides.
    """

    id: str
    title: str
    evidence: tuple[str, ...] = ()
    by_people: str | None = None


@dataclass(frozen=True, slots=True)
class Framework:
    """A catalogue of controls, and what of it is left out here."""

    id: str
    title: str
    scope: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """How it stands with a control, by this evidence."""

    control: Control
    evidence: tuple[Evidence, ...]

    @property
    def status(self) -> Status:
        """`fail` where anything is wrong, `manual` where anything is left to see, else `pass`."""
        verdicts = {one.verdict for one in self.evidence}
        if "fail" in verdicts:
            return "fail"
        if self.control.by_people or not self.evidence or verdicts != {"pass"}:
            return "manual"
        return "pass"

    @property
    def reason(self) -> str:
        """Why it stands so, in a sentence or two."""
        wrong = [one.summary for one in self.evidence if one.verdict == "fail"]
        unread = [one.summary for one in self.evidence if one.verdict == "unread"]
        if wrong:
            return " ".join(wrong)
        left = [*unread, *([self.control.by_people] if self.control.by_people else [])]
        if not left and not self.evidence:
            return "No evidence is gathered for it."
        return " ".join(left) if left else "All of its evidence is as expected."

    def as_json(self) -> dict[str, Any]:
        """As its readers see it."""
        return {
            "id": self.control.id,
            "title": self.control.title,
            "status": self.status,
            "reason": self.reason,
            "by_people": self.control.by_people,
            "evidence": [one.as_json() for one in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Every control of a framework, as it stands for one tenant at one moment."""

    framework: Framework
    tenant_id: str
    made_at: datetime
    findings: Sequence[Finding]

    def as_json(self) -> dict[str, Any]:
        """As its readers see it."""
        statuses = [finding.status for finding in self.findings]
        return {
            "framework": self.framework.id,
            "title": self.framework.title,
            "scope": self.framework.scope,
            "tenant_id": self.tenant_id,
            "generated_at": rfc3339(self.made_at),
            "summary": {status: statuses.count(status) for status in ("pass", "fail", "manual")},
            "controls": [finding.as_json() for finding in self.findings],
        }
