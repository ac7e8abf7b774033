"""Facts of infra/state.yaml: what holds data is encrypted under our keys, kept, and written once where it must be."""

from typing import Any

import pytest

from platforma.audit.cold.statement import COLUMNS
from tests.unit.infra.templates import FOLDERS, SERVICE, STATE, of_type, plain, properties, stem, variables

TABLES = of_type(STATE, "AWS::DynamoDB::Table")
BUCKETS = of_type(STATE, "AWS::S3::Bucket")
KEYS = of_type(STATE, "AWS::KMS::Key")
QUEUES = of_type(STATE, "AWS::SQS::Queue")
SECRETS = of_type(STATE, "AWS::SecretsManager::Secret")


def key_of(node: Any) -> str:
    name, attribute = node["Fn::GetAtt"]
    assert attribute == "Arn"
    return name


def bucket_policy(bucket: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in plain(properties(STATE, bucket + "Policy")["PolicyDocument"]["Statement"])}


def test_there_are_five_tables_four_keys_and_two_where_kms_is_chosen_five_buckets():
    assert set(TABLES) == {"IdentityTable", "CredentialTable", "PolicyTable", "AuditTable", "KeyTable"}
    assert set(KEYS) == {"DataKey", "AuditKey", "SecretsKey", "LogsKey", "PlatformKey", "SigningKey"}
    assert {name for name, key in KEYS.items() if "Condition" in key} == {"PlatformKey", "SigningKey"}
    assert set(BUCKETS) == {"AuditBucket", "ObjectsBucket", "ExportsBucket", "ColdBucket", "AccessLogsBucket"}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_encrypted_recoverable_and_not_deleted_by_mistake(name):
    table = TABLES[name]["Properties"]

    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert key_of(table["SSESpecification"]["KMSMasterKeyId"]) == ("AuditKey" if name == "AuditTable" else "DataKey")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["DeletionProtectionEnabled"] is True
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert "GlobalSecondaryIndexes" not in table


def test_only_the_audit_table_has_a_stream_and_it_carries_no_contents():
    streams = {name: table["Properties"].get("StreamSpecification") for name, table in TABLES.items()}

    assert {name: stream for name, stream in streams.items() if stream} == {"AuditTable": {"StreamViewType": "KEYS_ONLY"}}


@pytest.mark.parametrize("name", [*TABLES, *BUCKETS, *KEYS, *QUEUES])
def test_what_holds_data_outlives_its_stack(name):
    assert STATE["Resources"][name]["DeletionPolicy"] == "Retain"
    assert STATE["Resources"][name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", KEYS)
def test_a_key_rotates_and_is_open_to_no_other_account(name):
    key = KEYS[name]["Properties"]

    assert key["EnableKeyRotation"] is True
    for statement in key["KeyPolicy"]["Statement"]:
        if statement["Effect"] == "Allow" and "AWS" in statement["Principal"]:
            assert statement["Principal"]["AWS"] == {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
        elif statement["Effect"] == "Allow" and statement["Sid"] != "EventsToTheirTopic":  # test_aws_limits.py says why
            assert statement["Condition"], "a service may use a key only for us"


def test_the_audit_key_is_not_lost_in_one_step():
    denied = {one["Sid"]: one for one in KEYS["AuditKey"]["Properties"]["KeyPolicy"]["Statement"] if one["Effect"] == "Deny"}

    assert set(denied["TheLogStaysReadable"]["Action"]) >= {"kms:ScheduleKeyDeletion", "kms:DisableKey"}


def test_the_audit_bucket_is_locked_in_compliance_mode_for_two_years_at_least():
    bucket = BUCKETS["AuditBucket"]["Properties"]

    assert bucket["ObjectLockEnabled"] is True
    retention = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Mode": "COMPLIANCE", "Years": {"Ref": "AuditRetentionYears"}}
    assert STATE["Parameters"]["AuditRetentionYears"]["MinValue"] == 2
    assert STATE["Parameters"]["AuditRetentionYears"]["Default"] == 2
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not any("Expiration" in key for rule in bucket["LifecycleConfiguration"]["Rules"] for key in rule)


def test_nobody_deletes_from_the_audit_bucket():
    statement = bucket_policy("AuditBucket")["NothingIsDeleted"]

    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert "Condition" not in statement
    assert set(statement["Action"]) >= {
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:PutBucketVersioning",
        "s3:DeleteBucket",
    }


@pytest.mark.parametrize("name", ["AuditBucket", "ObjectsBucket"])
def test_an_object_that_names_a_key_names_ours(name):
    key, header = ("DataKey" if name == "ObjectsBucket" else "AuditKey"), "s3:x-amz-server-side-encryption"

    policy = bucket_policy(name)
    assert denied_but(policy["NoOtherEncryption"]) == {header: "aws:kms"}
    assert denied_but(policy["NoOtherKey"]) == {f"{header}-aws-kms-key-id": {"Fn::GetAtt": [key, "Arn"]}}


def test_an_audit_object_has_no_weaker_lock():
    policy = bucket_policy("AuditBucket")

    assert denied_but(policy["NoOtherLock"]) == {"s3:object-lock-mode": "COMPLIANCE"}
    assert policy["NoShorterLock"]["Condition"] == {"NumericLessThan": {"s3:object-lock-remaining-retention-days": 730}}


def denied_but(statement: dict[str, Any]) -> dict[str, Any]:
    """What the statement does not deny. A put without the header has the bucket's default: `...IfExists` would deny it."""
    condition = statement["Condition"]
    assert statement["Effect"] == "Deny"
    assert condition["Null"] == dict.fromkeys(condition["StringNotEquals"], False)
    return condition["StringNotEquals"]


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_encrypted_and_reached_by_tls(name):
    bucket, policy = BUCKETS[name]["Properties"], bucket_policy(name)

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert policy["TLSOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    assert policy["TLSOnly"]["Effect"] == "Deny"
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = rule["ServerSideEncryptionByDefault"]
    if name == "AccessLogsBucket":  # S3 delivers its access logs to no other kind
        assert default == {"SSEAlgorithm": "AES256"}
    else:
        assert default["SSEAlgorithm"] == "aws:kms"
        assert key_of(default["KMSMasterKeyID"]) == ("DataKey" if name == "ObjectsBucket" else "AuditKey")
        in_person = {"Bool": {"aws:ViaAWSService": False}} if name == "ColdBucket" else {}  # Athena is asked about it
        assert policy["NotBelowTLS13"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": 1.3}} | in_person
        assert bucket["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "AccessLogsBucket"}


@pytest.mark.parametrize("name", [*QUEUES, *SECRETS])
def test_queues_and_secrets_are_under_a_key_of_ours(name):
    item = properties(STATE, name)

    assert key_of(item.get("KmsMasterKeyId") or item["KmsKeyId"]) == "SecretsKey"


def test_each_function_that_speaks_to_vault_has_a_secret_of_its_own():
    wanted = {
        stem(folder) + "Secret": {"Fn::Sub": "${VaultSecrets}/" + folder}
        for folder in FOLDERS
        if "VAULT_SECRET" in variables(folder)
    }

    assert {name: secret["Properties"]["Name"] for name, secret in SECRETS.items()} == wanted
    assert STATE["Parameters"]["VaultSecrets"]["Default"] == SERVICE["Parameters"]["VaultSecrets"]["Default"]


def test_every_output_is_exported_under_its_own_name():
    for name, output in STATE["Outputs"].items():
        assert output["Export"] == {"Name": {"Fn::Sub": "${AWS::StackName}-" + name}}


def test_old_events_are_read_by_tenant_and_day_or_not_at_all():
    table = properties(STATE, "ColdTable")["TableInput"]

    assert [key["Name"] for key in table["PartitionKeys"]] == ["tenant", "day"]
    assert table["Parameters"]["projection.enabled"] == "true"
    assert table["Parameters"]["projection.tenant.type"] == "injected"
    assert "tenant=${!tenant}/day=${!day}/" in str(table["Parameters"]["storage.location.template"])
    assert {one["Name"]: one["Type"] for one in table["StorageDescriptor"]["Columns"]} == {
        name: {"VARCHAR": "string", "BIGINT": "bigint"}[kind] for name, kind in COLUMNS.items()
    }


def test_who_asks_for_old_events_decides_neither_where_answers_go_nor_how_they_are_kept():
    group = properties(STATE, "ColdWorkgroup")["WorkGroupConfiguration"]
    result = group["ResultConfiguration"]

    assert group["EnforceWorkGroupConfiguration"] is True
    assert group["BytesScannedCutoffPerQuery"] <= 10_000_000_000
    assert result["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert key_of(result["EncryptionConfiguration"]["KmsKey"]) == "AuditKey"
    assert result["OutputLocation"] == {"Fn::Sub": "s3://${ColdBucket}/results/"}


def test_what_an_erasure_takes_out_of_exports_is_in_no_version():
    assert "VersioningConfiguration" not in properties(STATE, "ExportsBucket")


def test_what_an_erasure_takes_out_of_old_events_is_in_no_version_and_answers_go_after_a_day():
    bucket = properties(STATE, "ColdBucket")

    assert "VersioningConfiguration" not in bucket
    (answers,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    assert (answers["Prefix"], answers["ExpirationInDays"]) == ("results/", 1)
