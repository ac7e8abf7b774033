"""tests/events/<function>.<what>.json: an event of each function's, for `sam local invoke` and for looking at."""

import base64
import gzip
import json
import re

import pytest

from platforma.edge.endpoints import BY_ROUTE
from tests.unit.infra.templates import FOLDERS, ROOT, SERVICE, properties

FILES = sorted((ROOT / "tests" / "events").glob("*.json"))


def test_every_function_has_an_event():
    assert {path.name.partition(".")[0] for path in FILES} == set(FOLDERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_proxy_event_is_for_a_route_of_that_function(path):
    event = json.loads(path.read_text())

    if "httpMethod" in event and "methodArn" not in event:
        assert BY_ROUTE[event["httpMethod"], event["resource"]].function == path.name.partition(".")[0]


def test_the_access_log_event_has_the_templates_format():
    event = json.loads((ROOT / "tests" / "events" / "audit_gateway.access_log.json").read_text())
    told = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))

    format_ = properties(SERVICE, "Api")["AccessLogSetting"]["Format"]
    assert list(json.loads(told["logEvents"][0]["message"])) == re.findall(r'"(\w+)":', format_)


SCHEDULES = {
    "AuditSweep": ("audit_relay", "sweep"),
    "AuditStreamsSchedule": ("audit_export", "streams"),
    "AuditWitnessesSchedule": ("audit_export", "witnesses"),
    "CertificatesSchedule": ("certificates_renew", "schedule"),
    "OrdersSchedule": ("certificates_manage", "work"),
    "KeysUpkeepSchedule": ("keys_upkeep", "schedule"),
    "ExpirySchedule": ("apikeys_expiry", "schedule"),
    "SsoSchedule": ("sso_upkeep", "schedule"),
    "KeysSchedule": ("keys_rotation", "schedule"),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_sends_what_the_event_file_shows(name):
    folder, what = SCHEDULES[name]
    event = json.loads((ROOT / "tests" / "events" / f"{folder}.{what}.json").read_text())

    assert json.loads(properties(SERVICE, name)["Target"]["Input"]) == event
