"""
What an exact comparison of policies costs: a thousand statements a side, each with its glob, network, window and attribute.

    equivalent  every network of one side is two halves on the other, so that nothing is the same and all of it is looked at
    more        the same, and one statement of the other side reaches a little further

Times are CPU seconds of one comparison in both directions, its classes made anew.
"""

import time
from typing import Any

from bench.decisions import NOON, SUBJECT, TENANT, USER
from platforma.policy.analysis import Comparison
from platforma.policy.compile import PolicySet, compile_rules
from platforma.policy.model import Attachment, Policy
from platforma.policy.ports import Rules

STATEMENTS = 1000
_ACTIONS = ("infrastructure:manage", "infrastructure.clusters.*", "orders:read", "billing.invoices.pay")


def statements(*, halved: bool = False, wider: bool = False) -> list[dict[str, Any]]:
    """A thousand; *halved* in two for each network, of which there are half as many then, and *wider* by one address."""
    found = []
    for number in range(STATEMENTS // 2):
        network = f"10.{number % 200}"
        halves = [[f"{network}.0.0/17"], [f"{network}.128.0/17"]]
        ranges = halves if halved else [[f"{network}.0.0/16"], [f"{network}.0.0/18"]]
        if wider and number == STATEMENTS // 4:
            ranges[1] = [*ranges[1], "192.0.2.1"]
        found += [_statement(number, own) for own in ranges]
    return found


def _statement(number: int, networks: list[str]) -> dict[str, Any]:
    begins = number % 24
    return {
        "effect": "allow",
        "actions": [_ACTIONS[number % len(_ACTIONS)]],
        "resources": [f"cluster:cls_{number:04}_*", f"node:*-{number % 50:02}"],
        "conditions": {
            "ip_range": networks,
            "time_window": {"start": f"{begins:02}:00", "end": f"{(begins + 9) % 24:02}:00", "timezone": "Europe/Berlin"},
            "resource_attributes": {"region": ["eu", "us", "ap"][number % 3]},
        },
    }


def policy_set(documents: list[dict[str, Any]]) -> PolicySet:
    """Rules of these statements, twenty a policy, for the one user."""
    attached = (Attachment("user", USER),)
    policies = tuple(
        Policy(
            id=f"pol_{first:07}",
            tenant_id=TENANT,
            name="",
            document={"statements": documents[first : first + 20]},
            attachments=attached,
            created_at="",
            updated_at="",
            updated_by=None,
        )
        for first in range(0, len(documents), 20)
    )
    return compile_rules(TENANT, Rules(policies=policies))


def compared(before: PolicySet, after: PolicySet) -> tuple[bool, bool]:
    """Whether *after* allows more, and whether it allows less."""
    comparison = Comparison(before, after, SUBJECT, now=NOON)
    return comparison.more() is not None, comparison.less() is not None


def run() -> dict[str, Any]:
    """The figures, by name."""
    whole, halved, wider = (
        policy_set(documents) for documents in (statements(), statements(halved=True), statements(halved=True, wider=True))
    )
    figures = {}
    for name, after, answer in (("equivalent", halved, (False, False)), ("more", wider, (True, False))):
        began = time.process_time()
        assert compared(whole, after) == answer
        figures[f"analysis_{name}_1000_seconds"] = round(time.process_time() - began, 2)
    return figures


if __name__ == "__main__":
    for figure, value in run().items():
        print(f"{figure:34} {value}")
