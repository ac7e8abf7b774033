"""
What schedules run at once after a first deployment, when nothing is set up yet, is no failure.

The renewal of certificates asks Vault alone, whatever is set up: it stands in tests/unit/test_client_certificates.py.
"""

import json

import pytest

from tests.unit.infra.templates import FOLDERS, SERVICE, of_type, stem
from tests.world import World

SCHEDULES = {
    name: (
        one["Properties"]["Target"]["Arn"]["Fn::GetAtt"][0].removesuffix("Function"),
        one["Properties"]["Target"]["Input"],
    )
    for name, one in of_type(SERVICE, "AWS::Scheduler::Schedule").items()
    if '"renew"' not in one["Properties"]["Target"]["Input"]
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_that_runs_before_anything_is_set_up_does_not_fail(world: World, name: str):
    function, event = SCHEDULES[name]
    [folder] = [folder for folder in FOLDERS if stem(folder) == function]

    world.function(folder).handler(json.loads(event), type("Context", (), {"aws_request_id": "first"})())
