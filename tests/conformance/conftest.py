"""
Cases of the OpenID Foundation's conformance suite, each named after its module there and held against the deployed system.

The suite (gitlab.com/openid/conformance-suite, Java) is not run here: what its modules check is written again in Python from
the clauses that they name. One thing differs throughout: every request carries a PKCE challenge, which is required here.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.relying_party import Account, RelyingParty
from tests.running import Running
from tests.visiting import Person, somebody

PLANS = {
    "test_config": "oidcc-config-certification-test-plan",
    "test_basic": "oidcc-basic-certification-test-plan",
    "test_rp_initiated_logout": "oidcc-rp-initiated-logout-certification-test-plan",
    "test_backchannel_logout": "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
    "test_fapi2": "fapi2-security-profile-final-test-plan",
    "test_fapi2_signed_requests": "fapi2-message-signing-final-test-plan (its modules on signed requests)",
}
"""The suite's plans, by the file that holds their modules."""


@pytest.fixture(scope="session")
def account(running: Running, token: str) -> Account:
    """A person of the provider's."""
    with somebody(running, token) as person:
        return Account(person.email, person.id)


@pytest.fixture
def person(running: Running, account: Account) -> Iterator[Person]:
    """That person before a browser that nobody is signed in at."""
    with Person(running, account.email, user_id=account.id) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def client(running: Running, token: str) -> RelyingParty:
    """The suite's first client: `client_secret_basic`, every default."""
    return RelyingParty(running, token)


@pytest.fixture(scope="session")
def metadata(running: Running) -> dict[str, Any]:
    """What the provider publishes of itself."""
    return dict(running.call("GET", "/.well-known/openid-configuration").json())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The plans as tables: module, outcome."""
    told: dict[str, list[tuple[str, str]]] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            path, _, name = getattr(report, "nodeid", "").partition("::")
            folder, _, file = path.removesuffix(".py").rpartition("/")
            if folder.endswith("tests/conformance") and file in PLANS:
                told.setdefault(file, []).append((name.removeprefix("test_").replace("_", "-"), outcome.upper()))
    for file, plan in PLANS.items():
        if modules := told.get(file):
            good = sum(outcome == "PASSED" for _, outcome in modules)
            terminalreporter.write_line("")
            terminalreporter.write_line(f"{plan}: {good} of {len(modules)} modules")
            for name, outcome in sorted(modules):
                terminalreporter.write_line(f"  {outcome:7} {name}")
