"""Facts of infra/observability.yaml: nothing fails, stalls or is weakened unseen."""

import re

import pytest

from platforma.edge.endpoints import ENDPOINTS
from tests.unit.infra.templates import FOLDERS, OBSERVABILITY, ROOT, SERVICE, STATE, imported, of_type, properties, stem

ALARMS = of_type(OBSERVABILITY, "AWS::CloudWatch::Alarm")
FILTERS = of_type(OBSERVABILITY, "AWS::Logs::MetricFilter")
UNITS = {"minute": 60, "hour": 3600, "day": 86400}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_that_fails_once_raises_an_alarm(folder):
    alarm = ALARMS[stem(folder) + "Fails"]["Properties"]

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Errors", 1)
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Fn::Sub": "${ServiceStack}-" + folder}}]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_broken_invariant_is_counted_in_every_functions_log(folder):
    counted = properties(OBSERVABILITY, stem(folder) + "Broken")

    assert counted["LogGroupName"] == {"Fn::Sub": "/aws/lambda/${ServiceStack}-" + folder}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_somebody(name):
    assert ALARMS[name]["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


@pytest.mark.parametrize("folder", sorted({row.function for row in ENDPOINTS}))
def test_what_a_function_says_of_requests_is_handed_to_the_audit(folder):
    marks = properties(OBSERVABILITY, stem(folder) + "Marks")

    assert marks["LogGroupName"] == {"Fn::Sub": "/aws/lambda/${ServiceStack}-" + folder}
    assert marks["FilterPattern"] == '"record"'
    assert marks["DestinationArn"]["Fn::Sub"].endswith(":function:${ServiceStack}-audit_gateway")


def test_every_queue_of_dead_letters_is_watched():
    watched = {
        imported(dimension["Value"])
        for alarm in ALARMS.values()
        for dimension in alarm["Properties"].get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }

    assert watched == {f"{name}Name" for name in of_type(STATE, "AWS::SQS::Queue")}


def seconds(rate: str) -> int:
    """`rate(6 hours)` in seconds."""
    number, unit = re.fullmatch(r"rate\((\d+) (\w+?)s?\)", rate).groups()
    return int(number) * UNITS[unit]


@pytest.mark.parametrize("name", [name for name in ALARMS if name.endswith("Silent")])
def test_silence_is_an_alarm_and_a_first_deployment_is_not(name):
    """
    A rate without a start date runs at once (EventBridge Scheduler's guide, "Rate-based schedules"), before there are
    alarms: they are deployed last. A run that is late once is no silence.
    """
    alarm, function = ALARMS[name]["Properties"], name.removesuffix("Silent") + "Function"
    schedules = [
        schedule["Properties"]
        for schedule in of_type(SERVICE, "AWS::Scheduler::Schedule").values()
        if schedule["Properties"]["Target"]["Arn"] == {"Fn::GetAtt": [function, "Arn"]}
    ]

    assert (alarm["TreatMissingData"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "breaching",
        "LessThanThreshold",
        1,
    )
    assert schedules
    assert not [one for one in schedules if {"StartDate", "State"} & one.keys()]
    assert 2 * min(seconds(one["ScheduleExpression"]) for one in schedules) <= alarm["Period"] * alarm["EvaluationPeriods"]


@pytest.mark.parametrize("name", ["AuditUnreconciled", "AuditCompactionBehind"])
def test_silence_of_what_a_line_of_a_log_tells_is_told_but_not_before_its_first(name):
    """
    Lines are counted from when the alarm is made. CloudWatch makes an alarm as INSUFFICIENT_DATA, and acts when a state is
    entered from another.
    """
    alarm = ALARMS[name]["Properties"]

    assert alarm["TreatMissingData"] == "missing"
    assert alarm["InsufficientDataActions"] == [{"Ref": "AlarmTopic"}]


def told_by(function: str) -> dict[str, str]:
    """What is counted in this function's log: the metric's value by its name."""
    return {
        one["Properties"]["MetricTransformations"][0]["MetricName"]: one["Properties"]["MetricTransformations"][0][
            "MetricValue"
        ]
        for one in FILTERS.values()
        if one["Properties"]["LogGroupName"] == {"Fn::Sub": "/aws/lambda/${ServiceStack}-" + function}
    }


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_counted_in_a_functions_log_is_in_its_lines(name):
    """A line has what the handler names as counted, and what every line of a failure or request has."""
    pattern, value = FILTERS[name]["Properties"]["FilterPattern"], FILTERS[name]["Properties"]["MetricTransformations"][0]
    folder = str(FILTERS[name]["Properties"]["LogGroupName"]).rpartition("-")[2].rstrip("'}")
    handler = ROOT / "functions" / folder / "app.py"
    counted = re.search(r"counted=\(([^)]*)\)", handler.read_text()) if handler.exists() else None
    members = set(re.findall(r'"(\w+)"', counted[1] if counted else ""))

    told = {member.split(".")[0] for member in re.findall(r"\$\.([\w.]+)", f"{pattern} {value['MetricValue']}")}

    assert told <= members | {"code", "level", "message", "facts", "status", "record"}


@pytest.mark.parametrize(
    ("alarm", "function", "member"),
    [
        ("AuditIncomplete", "audit_relay", "$.completeness.missing"),
        ("AuditSetAside", "audit_relay", "$.aside"),
        ("AuditExportFailed", "audit_export", "$.failed"),
    ],
)
def test_an_event_that_is_missing_set_aside_or_cannot_be_proved_is_an_alarm(alarm, function, member):
    rings = ALARMS[alarm]["Properties"]

    assert told_by(function)[rings["MetricName"]] == member
    assert (rings["Statistic"], rings["Threshold"]) == ("Sum", 1)


def test_whoever_weakens_key_lock_or_table_is_seen():
    names = properties(OBSERVABILITY, "Tampering")["EventPattern"]["detail"]["eventName"]

    assert set(names) >= {"ScheduleKeyDeletion", "PutKeyPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "DeleteTable"}
    assert set(names) >= {"StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"}, "or it would be told of nothing"


def test_the_topic_is_encrypted():
    assert imported(properties(OBSERVABILITY, "AlarmTopic")["KmsMasterKeyId"]) == "LogsKeyArn"


def test_a_token_that_two_use_raises_an_alarm():
    """The causes are those that the token endpoint's errors carry, which its line tells."""
    counted, alarm = properties(OBSERVABILITY, "TokenReuse"), properties(OBSERVABILITY, "TokensReused")
    causes = {"refresh_reuse_detected", "code_reuse_detected"}

    assert {cause for cause in causes if f'$.facts.cause = "{cause}"' in counted["FilterPattern"]} == causes
    raised = (ROOT / "layers/core/python/platforma/oauth").rglob("*.py")
    assert causes == set(re.findall(r'InvalidGrant\(cause="(\w+)"', " ".join(path.read_text() for path in raised)))
    assert (alarm["MetricName"], alarm["Threshold"]) == (counted["MetricTransformations"][0]["MetricName"], 1)
