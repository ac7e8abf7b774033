"""What is deployed is what the templates say, whatever the emulator's CloudFormation makes of them."""

from pathlib import Path

import pytest

from infra.local import build, properties
from infra.local.ports import Ports
from infra.local.stack import Stack
from infra.local.up import TEMPLATES


@pytest.fixture(scope="module")
def stack(running) -> Stack:
    def port(url: str) -> int:
        return int(url.rpartition(":")[2])

    told = running.stack
    ports = Ports(*map(port, (told["url"], told["internal_url"], told["aws"]["endpoint_url"], told["vault"]["addr"])))
    return Stack(Path(running.home), ports)


def test_no_property_of_the_templates_is_missing(stack):
    assert list(properties.differences(stack, TEMPLATES)) == []


def test_the_properties_that_the_emulator_drops_are_looked_at_everywhere(stack):
    """Else the test above would hold of nothing."""
    looked_at = properties.wanted(stack, TEMPLATES)

    assert {rule.name for _, rule, _ in looked_at} == {rule.name for rule in properties.TABLE}


def test_every_stack_knows_what_it_was_deployed_from(stack):
    assert all(build.deployed_from(stack, name) for name in TEMPLATES)
