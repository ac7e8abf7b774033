"""Facts of template.yaml: each function has its own role and may do what its duty takes, and nothing else."""

import re

import pytest

from tests.unit.infra.templates import (
    FOLDERS,
    ROOT,
    SERVICE,
    STATE,
    as_list,
    function,
    imported,
    may,
    may_reach,
    of_type,
    properties,
    statements,
    stem,
    variables,
)

TABLES = ("Identity", "Credential", "Policy", "Audit", "Key")
WITHOUT_RESOURCES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "dynamodb:ListStreams"}
OPENS_NOTHING = {"kms:GetKeyRotationStatus"}
UNATTENDED = {
    "audit_export",
    "audit_relay",
    "audit_gateway",
    "certificates_renew",
    "apikeys_expiry",
    "keys_rotation",
    "keys_upkeep",
    "sso_upkeep",
}
WRITING = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}


def writes(folder: str, table: str) -> set[str]:
    return {action.partition(":")[2] for action in may(folder, "dynamodb").get(f"{table}TableArn", ())} & WRITING


def test_every_folder_is_a_function_and_every_function_a_folder():
    assert {stem(folder) + "Function" for folder in FOLDERS} == set(of_type(SERVICE, "AWS::Serverless::Function"))
    assert all(function(folder)["CodeUri"] == f"functions/{folder}" for folder in FOLDERS)
    assert not list((ROOT / "functions").glob("*/requirements.txt")), "third parties come from layers"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_has_a_name_a_role_and_a_log_of_its_own(folder):
    log = properties(SERVICE, stem(folder) + "Logs")

    assert function(folder)["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-" + folder}
    assert function(folder)["Role"] == {"Fn::GetAtt": [stem(folder) + "Role", "Arn"]}
    assert function(folder)["LoggingConfig"] == {"LogGroup": {"Ref": stem(folder) + "Logs"}}
    assert log["LogGroupName"] == {"Fn::Sub": "/aws/lambda/${AWS::StackName}-" + folder}
    assert log["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert imported(log["KmsKeyId"]) == "LogsKeyArn"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_writes_its_own_log_and_no_other(folder):
    assert set(may(folder, "logs")) == {str({"Fn::GetAtt": [stem(folder) + "Logs", "Arn"]})}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_action_has_a_wildcard_and_no_resource_but_where_there_is_none(folder):
    for statement in statements(folder):
        assert statement["Effect"] == "Allow"
        actions = as_list(statement["Action"])
        assert not [action for action in actions if "*" in action]
        if statement["Resource"] == "*":
            assert set(actions) <= WITHOUT_RESOURCES or statement["Sid"] in (
                "Network",
                "AnswersOnEmulator",
                "SendOnEmulator",
                "InstalledOnEmulator",
            )


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_key_is_used_only_by_way_of_the_service_that_stores_the_data(folder):
    for statement in statements(folder):
        if any(action.startswith("kms:") for action in as_list(statement["Action"]) if action not in OPENS_NOTHING):
            assert set(statement["Condition"]) == {"StringEquals"}
            assert set(statement["Condition"]["StringEquals"]) == {"kms:ViaService"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_told_the_names_of_just_the_tables_it_may_open(folder):
    told = {table for table in TABLES if variables(folder)[f"{table.upper()}_TABLE"] != ""}

    assert {f"{table}TableArn" for table in told} == {name for name in may(folder, "dynamodb") if name.endswith("TableArn")}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_reads_its_own_vault_certificate_and_no_other(folder):
    allowed = may(folder, "secretsmanager")
    secret = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${VaultSecrets}/"

    if folder == "certificates_renew":
        assert allowed.pop(str({"Fn::Sub": secret + "*"})) >= {"secretsmanager:PutSecretValue"}
    own = {str({"Fn::Sub": f"{secret}{folder}-??????"}): {"secretsmanager:GetSecretValue"}}
    assert allowed == (own if "VAULT_SECRET" in variables(folder) else {})
    if "VAULT_ROLE" in variables(folder):
        assert variables(folder)["VAULT_ROLE"] == "fn-" + folder.replace("_", "-")


def test_only_who_moves_sealed_records_on_reads_a_table_through_and_answers_no_request():
    scanning = {folder for folder in FOLDERS if "dynamodb:Scan" in set().union(*may(folder, "dynamodb").values(), set())}

    assert scanning == {"keys_upkeep"}
    assert scanning < UNATTENDED


def test_nobody_deletes_an_object_but_tenants_rubbish_and_copies_of_the_log_and_no_version_of_any():
    allowed = {action for folder in FOLDERS for statement in statements(folder) for action in as_list(statement["Action"])}
    deleting = {folder for folder in FOLDERS if "s3:DeleteObject" in set().union(*may(folder, "s3").values(), set())}

    assert deleting == {"audit_export", "keys_upkeep"}
    assert "AuditBucket" not in str(may("keys_upkeep", "s3"))
    assert {name for name, actions in may("audit_export", "s3").items() if "s3:DeleteObject" in actions} == {
        str({"Fn::Sub": [place, {"Bucket": {"Fn::ImportValue": {"Fn::Sub": f"${{StateStack}}-{bucket}Arn"}}}]})
        for place, bucket in (("${Bucket}/events/*", "ColdBucket"), ("${Bucket}/*", "ExportsBucket"))
    }
    assert not allowed & {"s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"}


def test_only_the_relay_and_who_wraps_keys_anew_change_and_the_relay_alone_removes_what_is_in_the_audit_table():
    assert {folder for folder in FOLDERS if writes(folder, "Audit") - {"PutItem"}} == {"audit_relay", "keys_upkeep"}
    assert writes("keys_upkeep", "Audit") == {"PutItem", "UpdateItem"}


def test_evidence_is_gathered_of_every_table_bucket_queue_and_key_of_the_state():
    told = str(variables("compliance_reports"))
    s3, sqs, dynamodb = (may("compliance_reports", service) for service in ("s3", "sqs", "dynamodb"))
    kinds = {"AWS::S3::Bucket": ("", s3), "AWS::SQS::Queue": ("Url", sqs), "AWS::DynamoDB::Table": ("", dynamodb)}
    asked = {"s3:GetEncryptionConfiguration", "sqs:GetQueueAttributes", "dynamodb:DescribeTable"}

    for kind, (suffix, allowed) in kinds.items():
        for name in of_type(STATE, kind):
            assert f"${{StateStack}}-{name}{suffix}'" in told, name
            assert allowed[f"{name}Arn"] & asked, name


def test_only_the_relay_writes_the_audit_bucket_but_for_cosignatures():
    cosignatures = "${Bucket}/*/cosignatures/*"
    put = {
        folder: [str(resource) for resource, actions in may(folder, "s3").items() if "s3:PutObject" in actions]
        for folder in FOLDERS
    }
    witnessed = {folder for folder, resources in put.items() for resource in resources if cosignatures in resource}
    writing = {
        folder: {re.findall(r"StateStack}-(\w+)", resource)[0] for resource in resources if cosignatures not in resource}
        for folder, resources in put.items()
    }

    assert witnessed == {"audit_export"}
    assert {folder for folder, buckets in writing.items() if "AuditBucketArn" in buckets} == {"audit_relay"}
    assert {folder for folder, buckets in writing.items() if "ExportsBucketArn" in buckets} == {"audit_export"}
    assert not [folder for folder, buckets in writing.items() if "ObjectsBucketArn" in buckets], "that takes a session"


def test_the_bytes_of_objects_are_touched_by_a_session_of_one_tenants_alone():
    role = properties(SERVICE, "ObjectBytesRole")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    allowed = {one["Sid"]: one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]}
    sessions = properties(SERVICE, "ObjectSessionsPolicy")
    where, parts = allowed["Bytes"]["Resource"]["Fn::Sub"]

    assert trust["Principal"] == {"AWS": {"Fn::GetAtt": ["KeysObjectsRole", "Arn"]}}
    assert trust["Condition"] == {"StringLike": {"aws:RequestTag/tenant": "ten_*"}}
    assert sessions["Roles"] == [{"Ref": "KeysObjectsRole"}]
    assert sessions["PolicyDocument"]["Statement"][0]["Resource"] == {"Fn::GetAtt": ["ObjectBytesRole", "Arn"]}
    assert (where, parts["Tenant"]["Fn::If"][:2]) == ("${Bucket}/${Tenant}/*", ["IsAws", "${aws:PrincipalTag/tenant}"])
    assert imported(parts["Bucket"]) == "ObjectsBucketArn"
    assert {action for one in allowed.values() for action in as_list(one["Action"]) if action.startswith("s3:")} == {
        "s3:GetObject",
        "s3:PutObject",
    }


def test_what_answers_anybody_writes_nothing():
    for folder in ("oauth_metadata", "platform_catalogue"):
        assert not any(writes(folder, table) for table in TABLES)
    assert may("platform_catalogue", "dynamodb") == {}


def test_whoever_only_asks_changes_no_identity_and_no_policy():
    for folder in (
        "policy_decide",
        "policy_authorizer",
        "identity_me",
        "apikeys_verify",
        "oauth_authorize",
        "audit_events",
        "compliance_reports",
    ):
        assert not writes(folder, "Identity")
        assert not writes(folder, "Policy")
        assert not writes(folder, "Key")


def test_the_token_endpoint_moves_a_counter_where_a_grant_ends_and_writes_no_identity_nor_key():
    assert writes("oauth_token", "Policy") == {"UpdateItem"}
    assert not writes("oauth_token", "Identity")
    assert not writes("oauth_token", "Key")


def test_identities_are_written_by_identity_functions_by_directories_and_where_people_sign_in_or_change_how_they_do():
    writing = {folder: writes(folder, "Identity") for folder in FOLDERS if writes(folder, "Identity")}

    assert writing.keys() == {
        *("identity_mail", "identity_tenants", "identity_users", "keys_upkeep", "oauth_pages", "sso_scim"),
        "sso_sign_in",
    }
    assert writing["identity_mail"] == {"PutItem"}
    assert writing["keys_upkeep"] == {"UpdateItem"}


def test_the_pages_move_a_counter_where_a_session_ends_and_write_no_key():
    assert writes("oauth_pages", "Policy") == {"UpdateItem"}
    assert not writes("oauth_pages", "Key")


def test_what_nobody_waits_for_has_a_dead_letter_queue_that_it_may_fill():
    for folder in FOLDERS:
        queue = function(folder).get("DeadLetterQueue")
        assert (queue is not None) == (folder in UNATTENDED)
        if queue is not None:
            assert may(folder, "sqs") == {imported(queue["TargetArn"]): {"sqs:SendMessage"}}


def test_mail_is_sent_by_one_function_and_from_our_address_alone():
    sending = [(folder, one) for folder in FOLDERS for one in statements(folder) if one["Action"] == "ses:SendEmail"]

    assert {folder for folder, _ in sending} == {"identity_mail"}
    (on_aws,) = [one for _, one in sending if one["Sid"] == "Send"]
    assert on_aws["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}


def test_mail_that_cannot_be_sent_becomes_a_dead_letter():
    queue = properties(STATE, "MailQueue")
    (source,) = function("identity_mail")["Events"].values()

    assert imported(source["Properties"]["Queue"]) == "MailQueueArn"
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 5}
    assert queue["VisibilityTimeout"] >= 6 * function("identity_mail")["Timeout"]


def test_only_who_ends_sessions_has_clients_told_and_what_cannot_be_told_becomes_a_dead_letter():
    telling = {folder for folder in FOLDERS if "sqs:SendMessage" in may(folder, "sqs").get("LogoutQueueArn", ())}
    queue = properties(STATE, "LogoutQueue")

    assert telling == {folder for folder in FOLDERS if "LOGOUT_QUEUE_URL" in variables(folder)}
    assert telling == {"identity_users", "oauth_logout", "oauth_pages", "oauth_sessions", "sso_scim", "sso_sign_in"}
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 5}
    assert queue["VisibilityTimeout"] >= 6 * SERVICE["Globals"]["Function"]["Timeout"]


def test_no_private_network_is_called_unless_a_deployment_says_so():
    assert SERVICE["Parameters"]["FetchNetworks"]["Default"] == SERVICE["Parameters"]["FetchCaFile"]["Default"] == ""


def test_only_functions_that_hash_passwords_carry_the_layer_for_it():
    carrying = {folder for folder in FOLDERS if {"Ref": "PasswordsLayer"} in function(folder)["Layers"]}

    assert carrying == {"identity_tenants", "identity_users", "oauth_pages"}


def test_every_function_is_traced_encrypted_and_bounded():
    shared = SERVICE["Globals"]["Function"]

    assert shared["Tracing"] == "Active"
    assert imported(shared["KmsKeyArn"]) == "SecretsKeyArn"
    assert all("ReservedConcurrentExecutions" in function(folder) for folder in FOLDERS)
    assert SERVICE["Parameters"]["Runtime"]["Default"] == "python3.13"
    assert SERVICE["Parameters"]["Architecture"]["Default"] == "arm64"


def test_the_relay_is_rung_for_new_pending_events_and_never_blocked_for_good():
    bell = function("audit_relay")["Events"]["Bell"]["Properties"]

    assert imported(bell["Stream"]) == "AuditTableStreamArn"
    assert bell["FilterCriteria"]["Filters"] == [
        {"Pattern": '{"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"suffix": "#PENDING"}]}}}}'}
    ]
    assert bell["BisectBatchOnFunctionError"] is True
    assert bell["MaximumRecordAgeInSeconds"] > 0
    assert imported(bell["DestinationConfig"]["OnFailure"]["Destination"]) == "AuditDeadLettersArn"


def test_the_sweep_runs_every_minute():
    assert properties(SERVICE, "AuditSweep")["ScheduleExpression"] == "rate(1 minute)"


def test_requests_are_compared_with_events_every_minute():
    schedule = properties(SERVICE, "AuditReconciliation")

    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["Input"] == '{"source": "schedule", "job": "reconcile"}'


def test_the_public_gateway_speaks_tls_1_3_only():
    for name in ("Api", "Domain"):
        assert properties(SERVICE, name)["SecurityPolicy"] == "SecurityPolicy_TLS13_1_3_2025_09"
        assert properties(SERVICE, name)["EndpointAccessMode"] == "STRICT"
    assert properties(SERVICE, "Api")["DisableExecuteApiEndpoint"] == {"Fn::If": ["HasDomain", True, False]}


def test_the_internal_gateway_is_reached_by_mutual_tls_alone():
    assert properties(SERVICE, "InternalApi")["DisableExecuteApiEndpoint"] is True
    assert properties(SERVICE, "InternalDomain")["MutualTlsAuthentication"] == {
        "TruststoreUri": {"Ref": "InternalTruststoreUri"},
        "TruststoreVersion": {
            "Fn::If": ["HasTruststoreVersion", {"Ref": "InternalTruststoreVersion"}, {"Ref": "AWS::NoValue"}]
        },
    }


def test_both_gateways_write_every_request_down_without_bodies_or_credentials():
    for name in ("Api", "InternalApi"):
        api = properties(SERVICE, name)
        variables_ = set(re.findall(r"\$context\.[\w.]+", api["AccessLogSetting"]["Format"]))
        assert variables_ >= {"$context.requestId", "$context.identity.sourceIp", "$context.status", "$context.path"}
        assert api["AccessLogSetting"]["DestinationArn"] == {"Fn::GetAtt": ["AccessLogs", "Arn"]}
        assert all(setting["DataTraceEnabled"] is False for setting in api["MethodSettings"])


def test_everything_imported_is_exported_by_the_state():
    exported = set(STATE["Outputs"])
    text = (ROOT / "template.yaml").read_text() + (ROOT / "infra" / "observability.yaml").read_text()

    assert set(re.findall(r"\$\{StateStack\}-(\w+)", text)) <= exported


def test_the_stacks_stay_far_from_cloudformations_limit():
    assert len(SERVICE["Resources"]) + 20 < 400


SIGN_INS = ("SESSION#ses_1", "GRANT#api_1", "REQUEST#0f", "DEVICE#0f", "CLIENT#cli_1", "SSO#sso_1")
USES = ("KEY#key_1", "ten_1#RATE#user#usr_1")
OTHERS = ("ten_1", "ten_1#REVOKED#ses_1", "CODE#0f", "LINK#0f", "DOMAIN#acme.test", "SERVICE#s")


@pytest.mark.parametrize("folder", FOLDERS)
def test_who_authenticates_requests_notes_the_use_of_keys_and_changes_no_other_credential(folder):
    """The emulator does not look at leading keys: `tests/roles.py` holds what runs in process to them."""
    signs_in = {"Ref": "SignInPolicy"} in properties(SERVICE, stem(folder) + "Role")["ManagedPolicyArns"]
    if "UpdateItem" not in writes(folder, "Credential") or folder in UNATTENDED | {"oauth_logout", "platform_setup"}:
        return

    assert all(may_reach(folder, "dynamodb:UpdateItem", "CredentialTableArn", key) for key in USES)
    assert all(may_reach(folder, "dynamodb:UpdateItem", "CredentialTableArn", key) == signs_in for key in SIGN_INS)
    assert not any(may_reach(folder, "dynamodb:UpdateItem", "CredentialTableArn", key) for key in OTHERS)


def test_sign_ins_are_noted_and_ended_by_the_functions_whose_duty_it_is():
    holders = {
        folder
        for folder in FOLDERS
        if {"Ref": "SignInPolicy"} in properties(SERVICE, stem(folder) + "Role")["ManagedPolicyArns"]
    }

    assert holders == {
        *("oauth_token", "oauth_authorize", "oauth_pages", "oauth_sessions", "oauth_clients"),
        *("identity_users", "sso_scim", "sso_sign_in"),
    }
