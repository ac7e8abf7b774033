"""Compliance through the API: reports by live evidence, completed reviews, records of processing."""

import re
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto.dynamodb.models import dynamodb_backends

from platforma import bootstrap
from platforma.adapters.estate import AWSEstate
from platforma.compliance import thresholds
from platforma.compliance.ports import EndpointState
from platforma.identity.factors import TOTP
from platforma.kernel.errors import Unavailable
from tests.world import ACCESS_LOGS, BUCKET, COLD, EXPORTS, OBJECTS, PASSWORD, QUEUE, REGION, Tenant, World

FRAMEWORKS = ("soc2", "iso27001", "gdpr")


def report(tenant: Tenant, framework: str = "soc2") -> dict:
    return tenant.call("GET", f"/v1/compliance/reports/{framework}", expect=200).json


def evidence(tenant: Tenant, framework: str = "soc2") -> dict[str, dict]:
    return {one["name"]: one for control in report(tenant, framework)["controls"] for one in control["evidence"]}


def harden() -> None:
    """Set the stores up as the template does."""
    dynamodb, s3, kms = (boto3.client(each, region_name=REGION) for each in ("dynamodb", "s3", "kms"))
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.enable_key_rotation(KeyId=key)
    for table in bootstrap.TABLES:
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
        # moto drops the encryption that an existing table is given.
        dynamodb_backends["123456789012"][REGION].tables[table].sse_specification = {"Enabled": True, "KMSMasterKeyId": key}
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    by_key = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    by_s3 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    for bucket in (BUCKET, EXPORTS, OBJECTS, COLD, ACCESS_LOGS):
        rule = by_s3 if bucket == ACCESS_LOGS else by_key
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    s3.put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 2}},
        },
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_control_has_a_status_a_reason_and_evidence_with_its_time(world: World, tenant: Tenant, framework: str):
    told = report(tenant, framework)

    assert told["tenant_id"] == tenant.id
    assert sum(told["summary"].values()) == len(told["controls"])
    for control in told["controls"]:
        assert control["reason"]
        assert control["status"] != "pass" or control["evidence"]
        assert all(one["seen_at"] and one["expected"] and one["summary"] for one in control["evidence"])


def test_a_report_follows_how_the_stores_are_set_up(world: World, tenant: Tenant):
    before = evidence(tenant)
    harden()
    after = evidence(tenant)

    stores = (
        *("tables_encrypted", "tables_recoverable", "buckets_encrypted", "buckets_private", "log_locked"),
        "queues_encrypted",
    )
    assert {before[name]["verdict"] for name in stores} == {"fail"}
    assert {name: after[name]["verdict"] for name in stores} == dict.fromkeys(stores, "pass")


def test_a_bucket_of_events_under_s3s_own_key_is_named_and_that_of_access_logs_is_not(world: World, tenant: Tenant):
    harden()
    by_s3 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    boto3.client("s3", region_name=REGION).put_bucket_encryption(
        Bucket=COLD, ServerSideEncryptionConfiguration={"Rules": [by_s3]}
    )

    seen = evidence(tenant)["buckets_encrypted"]

    assert (seen["verdict"], seen["summary"]) == ("fail", f"4 of 5 buckets are as expected: not {COLD}.")


@pytest.mark.parametrize("key", ["alias/aws/sqs", ""])
def test_a_queue_under_a_key_of_awss_own_or_none_is_named(world: World, tenant: Tenant, key: str):
    harden()
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})

    seen = evidence(tenant)["queues_encrypted"]

    assert (seen["verdict"], seen["summary"]) == ("fail", f"0 of 1 queues are as expected: not {QUEUE}.")


def test_the_log_is_seen_locked_and_signed_by_its_newest_checkpoint(world: World, tenant: Tenant):
    before = evidence(tenant, "gdpr")
    world.clock.move(minutes=2)
    world.sweep()
    after = evidence(tenant, "gdpr")
    world.clock.move(minutes=40)

    assert (before["log_signed"]["verdict"], before["log_retained"]["verdict"]) == ("unread", "unread")
    assert (after["log_signed"]["verdict"], after["log_retained"]["verdict"]) == ("pass", "pass")
    assert after["log_retained"]["facts"]["lock"] == "COMPLIANCE"
    assert evidence(tenant, "gdpr")["log_signed"]["verdict"] == "fail"


def test_an_administrator_without_a_second_factor_fails_the_control(world: World, tenant: Tenant):
    seen = evidence(tenant)["mfa_coverage"]

    assert (seen["verdict"], seen["facts"]["administrators_without_second_factor"]) == ("fail", [tenant.admin_id])


def test_keys_without_end_old_ones_and_unused_ones_are_named(world: World, tenant: Tenant):
    asked = {"name": "k", "environment": "test", "scopes": ["infrastructure:read"]}
    first = {"first_client": {"name": "second", "roles": []}, "first_key": asked}
    key = world.set_up({"tenant_id": tenant.id, **first})["api_key"]["id"]
    young = evidence(tenant)
    world.clock.move(days=400)
    old = evidence(tenant)

    assert (young["keys_expire"]["verdict"], young["keys_expire"]["facts"]["without_expiry"]) == ("fail", [key])
    assert (young["dormant_keys"]["verdict"], young["key_ages"]["verdict"]) == ("pass", "pass")
    assert old["dormant_keys"]["facts"]["dormant"] == [key]
    assert key in old["key_ages"]["facts"]["old"]


def test_whoever_was_not_seen_for_ninety_days_is_dormant(world: World, tenant: Tenant):
    young = evidence(tenant)["dormant_users"]
    world.clock.move(days=100)
    old = evidence(tenant)["dormant_users"]

    assert (young["verdict"], old["verdict"]) == ("pass", "fail")
    assert old["facts"]["dormant"] == [tenant.admin_id]


def test_failed_sign_ins_are_counted(world: World, tenant: Tenant):
    for _ in range(2):
        page = world.call("GET", f"/login?tenant={tenant.id}")
        cookie = page.cookies[0].partition(";")[0]
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        form = {**fields, "email": "admin@acme.test", "password": "wrong " + PASSWORD}
        world.call("POST", "/login", form=form, headers={"Cookie": cookie, "Origin": "https://platforma.test"})

    seen = evidence(tenant)["failed_sign_ins"]
    assert (seen["verdict"], seen["facts"]["failed"]) == ("pass", 2)


def test_more_than_there_is_time_for_is_told_and_holds_no_report_up(tenant: Tenant, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(thresholds, "COUNTED_FOR", timedelta(seconds=-1))

    seen = evidence(tenant)["failed_sign_ins"]

    assert (seen["verdict"], seen["facts"]["counted_all"]) == ("unread", False)
    assert seen["summary"].endswith("There are more events than could be looked at here.")


def test_a_completed_review_is_evidence_for_a_quarter(world: World, tenant: Tenant):
    before = evidence(tenant)["access_reviewed"]["verdict"]
    done = tenant.call("POST", "/v1/access-review/completions", {"outcome": "confirmed", "note": "Q4"}, expect=201).json
    after = evidence(tenant)["access_reviewed"]
    world.clock.move(days=93)

    assert (before, after["verdict"], evidence(tenant)["access_reviewed"]["verdict"]) == ("fail", "pass", "fail")
    assert after["facts"]["id"] == done["id"]
    (event,) = tenant.events(action="audit.access_reviews.complete")
    assert (event["id"], event["resource"]) == (done["id"], done["id"])


def test_a_review_of_rights_that_changed_since_is_refused(world: World, tenant: Tenant):
    read = tenant.call("POST", "/v1/access-review/completions", {"outcome": "confirmed"}, expect=201).json
    tenant.user(roles=("admin",))
    tenant.call(
        "PUT", f"/v1/users/{tenant.admin_id}/roles", {"roles": ["admin", "viewer"]}, headers={"If-Match": "*"}, expect=200
    )

    asked = {"outcome": "confirmed", "policy_version": read["policy_version"]}
    reply = tenant.call("POST", "/v1/access-review/completions", asked)

    assert (reply.status, reply.json["code"]) == (409, "not_as_reviewed")


def test_reviews_are_listed_newest_first_and_to_their_tenant_alone(world: World, tenant: Tenant):
    for note in ("one", "two"):
        tenant.call("POST", "/v1/access-review/completions", {"outcome": "changes_made", "note": note}, expect=201)
        world.clock.move(days=1)
    other = world.tenant("other", "admin@other.test")

    listed = tenant.call("GET", "/v1/access-review/completions?limit=1", expect=200).json
    rest = tenant.call("GET", f"/v1/access-review/completions?limit=1&cursor={listed['next_cursor']}", expect=200).json

    assert [one["note"] for one in (*listed["items"], *rest["items"])] == ["two", "one"]
    assert other.call("GET", "/v1/access-review/completions", expect=200).json["items"] == []
    assert evidence(other)["access_reviewed"]["verdict"] == "fail"


def test_evidence_that_cannot_be_read_is_never_a_pass(world: World, tenant: Tenant):
    harden()
    boto3.client("s3", region_name=REGION).delete_bucket(Bucket=EXPORTS)
    boto3.client("dynamodb", region_name=REGION).update_table(TableName="key", DeletionProtectionEnabled=False)
    told = report(tenant)

    controls = {control["id"]: control for control in told["controls"]}
    seen = {one["name"]: one for control in told["controls"] for one in control["evidence"]}
    assert seen["buckets_private"]["verdict"] == "unread"
    assert "NoSuchBucket" in seen["buckets_private"]["summary"]
    assert seen["tables_recoverable"]["verdict"] == "fail"
    assert {controls[each]["status"] for each in ("CC5.2", "CC6.1", "CC6.6")} <= {"manual", "fail"}


GOOD = EndpointState("platforma.test:443", "TLSv1.3", "TLSv1.3", None, True, datetime(2036, 1, 1, tzinfo=UTC), True)


@pytest.mark.parametrize(
    "seen",
    [
        GOOD._replace(version="TLSv1.2"),
        GOOD._replace(older="TLSv1.2"),
        GOOD._replace(trusted=False, certified_until=None),
        GOOD._replace(certified_until=datetime(2026, 11, 1, tzinfo=UTC)),
        GOOD._replace(answered=False),
    ],
)
def test_an_endpoint_that_takes_less_than_it_should_fails_the_controls_of_transport(
    world: World, tenant: Tenant, seen: EndpointState
):
    assert evidence(tenant)["tls_outside"]["verdict"] == "pass"

    world.endpoints.out = seen

    assert evidence(tenant)["tls_outside"]["verdict"] == "fail"
    assert {c["id"]: c["status"] for c in report(tenant)["controls"]}["CC6.7"] == "fail"


def test_an_internal_endpoint_that_answers_anybody_fails_and_one_that_is_not_there_is_not_seen(world: World, tenant: Tenant):
    assert evidence(tenant)["tls_inside"]["verdict"] == "pass"

    world.endpoints.inner = GOOD
    assert evidence(tenant)["tls_inside"]["verdict"] == "fail"
    world.endpoints.inner = None
    assert evidence(tenant)["tls_inside"]["verdict"] == "unread"


def test_one_thing_that_is_gone_holds_up_no_other_evidence(world: World, tenant: Tenant):
    tenant.token  # noqa: B018  fetched while all is well
    gone = bootstrap.evidence_sources().tenant_keys

    def nothing(_tenant: str):
        raise Unavailable(cause="sealed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(gone), "describe", lambda _self, tenant_id: nothing(tenant_id))
        seen = evidence(tenant)

    assert (seen["tenant_key_rotated"]["verdict"], seen["failed_sign_ins"]["verdict"]) == ("unread", "pass")


def test_a_report_tells_nothing_of_another_tenant(world: World, tenant: Tenant):
    other = world.tenant("other", "admin@other.test")
    theirs = other.user("eve@other.test", roles=("admin",))
    key = other.call(
        "POST", "/v1/api-keys", {"name": "k", "environment": "test", "scopes": ["infrastructure:read"]}, expect=201
    ).json["id"]

    for framework in FRAMEWORKS:
        text = tenant.call("GET", f"/v1/compliance/reports/{framework}", expect=200).text
        assert not [each for each in (other.id, other.admin_id, theirs, key) if each in text]


def test_reading_a_report_is_itself_logged(world: World, tenant: Tenant):
    request = tenant.call("GET", "/v1/compliance/reports/gdpr", expect=200).request_id

    (event,) = tenant.events(request_id=request)
    assert (event["action"], event["resource"], event["result"]) == ("audit.compliance_reports.get", "gdpr", "success")


def test_a_report_is_for_those_who_may_read_the_log(world: World, tenant: Tenant):
    token = world.token(tenant.client_with(roles=("viewer",)))

    assert world.call("GET", "/v1/compliance/reports/soc2", token=token).status == 403


def test_there_is_no_other_framework(tenant: Tenant):
    assert tenant.call("GET", "/v1/compliance/reports/pci").status == 404


def test_the_page_is_whole_in_itself_and_whatever_it_shows_is_text(world: World, tenant: Tenant):
    tenant.call(
        "POST", "/v1/access-review/completions", {"outcome": "confirmed", "note": "<script>alert(1)</script>"}, expect=201
    )
    reply = tenant.call("GET", "/v1/compliance/reports/soc2", headers={"Accept": "text/html,application/xhtml+xml;q=0.9"})

    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert "<script" not in reply.text
    assert "@media print" in reply.text
    assert not re.findall(r'(?:src|href)="', reply.text)
    assert "style-src 'sha256-" in reply.headers["content-security-policy"]
    assert reply.text.count("<section") == len(report(tenant)["controls"])


@pytest.mark.parametrize("accept", ["", "*/*", "application/json, text/html;q=0.5", "text/csv", "text/html;q=nonsense"])
def test_json_is_what_a_program_gets(tenant: Tenant, accept: str):
    reply = tenant.call("GET", "/v1/compliance/reports/soc2", headers={"Accept": accept} if accept else {})

    assert reply.headers["content-type"] == "application/json"


def test_records_of_processing_have_the_terms_that_hold(world: World, tenant: Tenant):
    tenant.call("PUT", "/v1/audit/retention", {"years": 5, "legal_hold": True}, headers={"If-None-Match": "*"}, expect=200)

    told = tenant.call("GET", "/v1/compliance/records-of-processing", expect=200).json

    terms = {one["data"]: one for one in told["retention"]}
    assert terms["audit_log"]["kept_for"].startswith("5 calendar years")
    assert "Held" in terms["audit_log"]["then"]
    assert {kept for activity in told["activities"] for kept in activity["kept"]} <= terms.keys()


def test_the_estate_is_described_and_nothing_of_what_it_holds_is_read(world: World):
    estate = AWSEstate({"audit": "audit"}, [BUCKET], "platforma-", region_name=REGION)

    assert [one.name for one in estate.tables()] == ["audit"]
    assert estate.buckets()[0].versioned is True
    assert estate.lock("ten_x/checkpoints/1") is None
    assert estate.alarms().known == 0


def test_a_second_factor_covers_its_administrator_and_goes_with_a_deleted_person(world: World, tenant: Tenant):
    store = bootstrap.parts.identity.factor_store()
    confirmed = TOTP("JBSWY3DPEHPK3PXP", "2026-11-24T12:00:00Z", confirmed=True)
    ada = tenant.user(roles=("admin",))
    for user in (ada, tenant.admin_id):
        store.put(store.read(tenant.id, user), store.read(tenant.id, user).changed(totp=confirmed), None)
    covered = evidence(tenant)["mfa_coverage"]

    tenant.call("DELETE", f"/v1/users/{ada}", headers={"If-Match": "*"}, expect=204)

    assert (covered["verdict"], covered["facts"]["with_second_factor"]) == ("pass", 2)
    assert [one.user_id for one in store.every(tenant.id)] == [tenant.admin_id]
