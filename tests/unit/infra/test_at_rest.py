"""Every resource of the templates that keeps anything names a key of ours."""

import pytest

from tests.at_rest import BY_S3_ALONE, KEEPS_NOTHING, KEPT, key_of
from tests.unit.infra.templates import OBSERVABILITY, SAMPLE, SERVICE, STATE, imported, of_type

TEMPLATES = (STATE, SERVICE, OBSERVABILITY, SAMPLE)
RESOURCES = [(name, resource) for template in TEMPLATES for name, resource in template["Resources"].items()]
KEEPING = [(name, resource) for name, resource in RESOURCES if resource["Type"] in KEPT and name not in BY_S3_ALONE]
OUR_KEYS = of_type(STATE, "AWS::KMS::Key")


def test_of_every_type_it_is_known_whether_it_keeps_anything():
    assert {resource["Type"] for _, resource in RESOURCES} <= KEPT.keys() | KEEPS_NOTHING


@pytest.mark.parametrize(("name", "resource"), KEEPING, ids=[name for name, _ in KEEPING])
def test_what_is_kept_is_under_a_key_of_ours(name, resource):
    key = key_of(resource["Type"], resource.get("Properties", {}))

    if exported := imported(key):
        key = {"Fn::GetAtt": [exported.removesuffix("Arn"), "Arn"]}
    assert key is not None, f"{name} names no key"
    said = key.get("Fn::GetAtt") or [key.get("Ref")]
    assert (said if isinstance(said, list) else said.split("."))[0] in OUR_KEYS


def test_keys_are_aes_256():
    """`SYMMETRIC_DEFAULT`, which is AES-256-GCM, is what a key is that says nothing else."""
    assert {key["Properties"].get("KeySpec", "SYMMETRIC_DEFAULT") for key in OUR_KEYS.values()} == {"SYMMETRIC_DEFAULT"}


def test_the_one_bucket_without_has_s3s_own_aes_256_and_nothing_but_access_logs():
    buckets = of_type(STATE, "AWS::S3::Bucket")
    [rule] = buckets["AccessLogsBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert buckets.keys() >= BY_S3_ALONE
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
