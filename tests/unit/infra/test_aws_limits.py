"""
The templates against AWS's own limits and rules, of which neither the emulator nor cfn-lint knows.

Each is named with the page of AWS's documentation that it is from.
"""

import json
import re
import tomllib
from collections import Counter, defaultdict
from typing import Any

import pytest

from infra import openapi
from tests.unit.infra.templates import (
    FOLDERS,
    OBSERVABILITY,
    ROOT,
    SAMPLE,
    SERVICE,
    STATE,
    as_list,
    function,
    may_call,
    of_type,
    plain,
    properties,
    stem,
    variables,
)

BODY = json.loads(openapi.BODY.read_text())
ADDED_BY_SAM = 20
"""Deployments and stages of the gateways, event source mappings: 7 when it was last looked at."""
ROLES = of_type(SERVICE, "AWS::IAM::Role")
LONG_ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/platforma-state-CredentialTable-ABCDEFGHIJKLM"


def compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"))


def resolved(node: Any) -> Any:
    """*node* with something as long as what CloudFormation puts in its place."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, inner),) = node.items()
        if name == "Fn::If":
            return max((resolved(one) for one in inner[1:]), key=lambda one: len(compact(one)))
        if name == "Ref" and inner == "AWS::NoValue":
            return ""
        if name == "Fn::Sub":
            text = inner if isinstance(inner, str) else inner[0]
            return re.sub(r"\$\{[^}]*Arn\}|\$\{Bucket\}", LONG_ARN, re.sub(r"\$\{AWS::\w+\}", "eu-central-1-xx", text))
        if name.startswith("Fn::") or name == "Ref":
            return LONG_ARN
    if isinstance(node, dict):
        return {name: resolved(inner) for name, inner in node.items()}
    return [resolved(inner) for inner in node] if isinstance(node, list) else node


def test_the_templates_are_ones_that_cloudformation_takes():
    """500 resources after SAM's transform, 200 outputs and parameters, descriptions of 1 KB ("CloudFormation quotas")."""
    for template in (SERVICE, STATE, OBSERVABILITY, SAMPLE):
        assert len(template["Resources"]) + ADDED_BY_SAM < 450
        assert len(template.get("Outputs", {})) <= 200
        assert len(template["Parameters"]) <= 200
        described = (template, *template["Parameters"].values(), *template.get("Outputs", {}).values())
        assert all(len(one.get("Description", "")) <= 1024 for one in described)


def test_functions_leave_a_new_account_the_concurrency_that_it_must_keep():
    """1,000 for an account at first, of which 100 cannot be reserved ("Configuring reserved concurrency")."""
    default = SERVICE["Parameters"]["ReservedConcurrency"]["Default"]
    reserved = [function(folder)["ReservedConcurrentExecutions"]["Fn::If"] for folder in FOLDERS]

    assert {one[0] for one in reserved} == {"ReservesConcurrency"}, "an account with less can do without any"
    assert sum(default if one[1] == {"Ref": "ReservedConcurrency"} else one[1] for one in reserved) <= 900


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_within_lambdas_limits(folder):
    """Environment of 4 KB, five layers, names of 64 characters, 15 minutes ("Lambda quotas")."""
    named = {name: resolved(value) for name, value in variables(folder).items()}
    settings = SERVICE["Globals"]["Function"] | function(folder)

    assert sum(len(f"{name}{value}") for name, value in named.items()) < 4096
    assert not [name for name in named if name.startswith(("AWS_", "LAMBDA_")) or not re.fullmatch(r"[A-Za-z]\w+", name)]
    assert len(settings["Layers"]) <= 5
    assert len(f"platforma-staging-{folder}") <= 64
    assert len(settings["Description"]) <= 256
    assert settings["Timeout"] <= 900


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_within_iams_limits(name):
    """
    10,240 characters in a role's inline policies, 2,048 in its trust policy, 10 managed policies ("IAM and STS quotas").
    White space does not count.
    """
    role = ROLES[name]["Properties"]
    later = [
        one
        for one in of_type(SERVICE, "AWS::IAM::ManagedPolicy").values()
        if {"Ref": name} in one["Properties"].get("Roles", ())
    ]

    assert sum(len(compact(resolved(one["PolicyDocument"]))) for one in role["Policies"]) < 10_240
    assert len(compact(resolved(role["AssumeRolePolicyDocument"]))) < 2048
    assert len(role.get("ManagedPolicyArns", ())) + len(later) <= 10


@pytest.mark.parametrize("name", of_type(SERVICE, "AWS::IAM::ManagedPolicy"))
def test_a_managed_policy_is_within_iams_limit(name):
    """6,144 characters ("IAM and STS quotas")."""
    assert len(compact(resolved(properties(SERVICE, name)["PolicyDocument"]))) < 6144


def test_no_statement_of_a_policy_has_the_sid_of_another():
    """Sids are letters and digits, each once in a policy ("IAM JSON policy elements: Sid")."""
    for template in (SERVICE, STATE, OBSERVABILITY):
        for document in documents(template["Resources"]):
            sids = Counter(one["Sid"] for one in plain(document["Statement"]) if "Sid" in one)
            assert not [sid for sid, count in sids.items() if count > 1 or not re.fullmatch("[A-Za-z0-9]+", sid)]


def documents(node: Any) -> list[Any]:
    """Every policy document within."""
    if isinstance(node, dict):
        found = [node] if "Statement" in node and "Version" in node else []
        return found + [one for inner in node.values() for one in documents(inner)]
    return [one for inner in node for one in documents(inner)] if isinstance(node, list) else []


STAGES = [(template, name) for template in (SERVICE, SAMPLE) for name in of_type(template, "AWS::Serverless::Api")]


@pytest.mark.parametrize(("template", "name"), STAGES)
def test_a_gateway_takes_the_format_of_its_access_log(template, name):
    """
    One line ("BadRequestException: Access Log format must be single line"), 3 KB, with the request's id in it, and JSON, so
    that it can be read ("Access logging for REST APIs"; "API Gateway quotas").
    """
    format_ = properties(template, name)["AccessLogSetting"]["Format"]

    assert "\n" not in format_
    assert len(format_) <= 3000
    assert "$context.requestId" in format_
    assert all(re.fullmatch(r"\$context(\.\w+)+", value) for value in json.loads(format_).values())


def test_what_the_gateway_imports_is_within_its_limits():
    """300 resources, one variable at each place, a greedy one last, letters, digits and `_.-:` ("API Gateway quotas")."""
    beneath: dict[str, set[str]] = defaultdict(set)
    for path in BODY["paths"]:
        parts = path.strip("/").split("/")
        for number, part in enumerate(parts):
            beneath["/".join(parts[:number])].add(part)
            assert re.fullmatch(r"[\w.:-]+|\{[\w.-]+\}|\{[\w.-]+\+\}", part), path
            assert not part.endswith("+}") or number == len(parts) - 1, path

    assert sum(map(len, beneath.values())) + 1 <= 300
    assert not [place for place, parts in beneath.items() if len([part for part in parts if part[0] == "{"]) > 1]
    assert len(compact(BODY)) < 6_000_000


@pytest.mark.parametrize("name", of_type(STATE, "AWS::S3::Bucket"))
def test_a_bucket_logs_only_to_what_s3_may_already_write_to(name):
    """PutBucketLogging is refused while the destination's policy is missing ("Enabling Amazon S3 server access logging")."""
    if "LoggingConfiguration" in properties(STATE, name):
        assert STATE["Resources"][name]["DependsOn"] == "AccessLogsBucketPolicy"
        prefix = properties(STATE, name)["LoggingConfiguration"]["LogFilePrefix"]
        assert {"Fn::Sub": f"${{AccessLogsBucket.Arn}}/{prefix}*"} in delivery()["Resource"]


def delivery() -> dict[str, Any]:
    (found,) = [
        one
        for one in plain(properties(STATE, "AccessLogsBucketPolicy")["PolicyDocument"]["Statement"])
        if one["Sid"] == "Delivery"
    ]
    return found


def test_an_event_of_tampering_reaches_a_topic_that_is_encrypted():
    """aws:SourceAccount in a key's policy "is not supported for EventBridge-to-encrypted topics" (SNS, "Key management")."""
    by_service = {
        service: one
        for one in properties(STATE, "LogsKey")["KeyPolicy"]["Statement"]
        for service in as_list(one["Principal"].get("Service", []))
        if isinstance(service, str)
    }

    assert "Condition" not in by_service["events.amazonaws.com"]
    assert set(by_service["events.amazonaws.com"]["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert by_service["cloudwatch.amazonaws.com"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_athena_may_reach_what_it_is_asked_about():
    """
    It looks at the database `default` and at partitions, and reads S3 over connections of its own, made in the caller's name
    ("Configure access to databases and tables in the AWS Glue Data Catalog", "Control access to Amazon S3 from Athena").
    """
    for folder in ("audit_events", "audit_export"):
        (catalogue,) = [one for one in role_statements(folder) if one["Sid"] == "TableOfOldEvents"]
        assert set(catalogue["Action"]) == {"glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"}
        assert any(str(one).endswith("database/default'}") for one in catalogue["Resource"])
    (old,) = [
        one
        for one in plain(properties(STATE, "ColdBucketPolicy")["PolicyDocument"]["Statement"])
        if one["Sid"] == "NotBelowTLS13"
    ]
    assert old["Condition"]["Bool"] == {"aws:ViaAWSService": False}


def role_statements(folder: str) -> list[dict[str, Any]]:
    (own,) = properties(SERVICE, stem(folder) + "Role")["Policies"]
    return list(plain(own["PolicyDocument"]["Statement"]))


def test_a_queue_calls_no_more_instances_than_are_reserved():
    """From 2 on, and no more than the function's reservation ("Configuring scaling behavior for SQS event sources")."""
    for folder in FOLDERS:
        for source in function(folder).get("Events", {}).values():
            if source["Type"] != "SQS":
                continue
            most = source["Properties"]["ScalingConfig"]["MaximumConcurrency"]
            assert 2 <= most <= function(folder)["ReservedConcurrentExecutions"]["Fn::If"][1]


def test_the_deployment_uses_the_templates_as_they_stand():
    """What samconfig.toml sets, the templates know; a template with names of its own asks for the capability."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for environment, template in (("state", STATE), ("default", SERVICE), ("observability", OBSERVABILITY)):
        given = config[environment]["deploy"]["parameters"]
        names = {one.partition("=")[0] for one in given["parameter_overrides"].split()}
        assert names <= set(template["Parameters"]), environment
    assert "CAPABILITY_AUTO_EXPAND" in config["default"]["deploy"]["parameters"]["capabilities"]


@pytest.mark.parametrize(
    ("folder", "action", "may"),
    [
        ("identity_mail", "ses:SendEmail", True),
        ("oauth_token", "ses:SendEmail", False),
        ("keys_upkeep", "kms:ReEncryptFrom", True),
        ("audit_events", "athena:GetQueryResults", True),
        ("compliance_reports", "cloudwatch:DescribeAlarms", True),
        ("compliance_reports", "sqs:SendMessage", False),
        ("keys_objects", "sts:TagSession", True),
    ],
)
def test_what_a_role_is_held_to_in_process_is_what_it_may_on_aws(folder, action, may):
    """`tests/roles.py` asks this of every call that a function makes in process."""
    assert may_call(folder, action) is may
