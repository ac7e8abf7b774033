"""Facts of infra/observability.yaml: nothing fails, stalls or is weakened unseen."""

import re

import pytest

from platforma.edge.endpoints import ENDPOINTS
from tests.unit.infra.templates import FOLDERS, OBSERVABILITY, ROOT, STATE, imported, of_type, properties, stem

ALARMS = of_type(OBSERVABILITY, "AWS::CloudWatch::Alarm")


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


def test_silence_of_the_audit_relay_is_an_alarm():
    assert ALARMS["AuditRelaySilent"]["Properties"]["TreatMissingData"] == "breaching"


def test_silence_of_the_compaction_is_told_but_not_before_its_first_run():
    """CloudWatch makes an alarm as INSUFFICIENT_DATA, and acts when a state is entered from another."""
    alarm = ALARMS["AuditCompactionBehind"]["Properties"]

    assert alarm["TreatMissingData"] == "missing"
    assert alarm["InsufficientDataActions"] == [{"Ref": "AlarmTopic"}]


def test_whoever_weakens_key_lock_or_table_is_seen():
    names = properties(OBSERVABILITY, "Tampering")["EventPattern"]["detail"]["eventName"]

    assert set(names) >= {"ScheduleKeyDeletion", "PutKeyPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "DeleteTable"}


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
