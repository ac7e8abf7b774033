"""
What AWS keeps at rest, by the type of its resource, and what a template calls the key that it is kept under.

A type that stands in neither table is new here: somebody has to say whether it keeps anything.
"""

from typing import Any

KEPT = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::S3::Bucket": (
        *("BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "KMSMasterKeyID"),
    ),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::Athena::WorkGroup": ("WorkGroupConfiguration", "ResultConfiguration", "EncryptionConfiguration", "KmsKey"),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::Scheduler::Schedule": ("KmsKeyArn",),
}
"""Where in a resource's properties the key is named."""

KEEPS_NOTHING = frozenset(
    [
        "AWS::ApiGateway::Account",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::ApiGateway::BasePathMapping",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",  # its cache, which would keep answers, is off
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Function",  # code; its environment, which holds names, is under a key by the template's Globals
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::SubscriptionFilter",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Serverless::Api",
        "AWS::Serverless::Function",
        "AWS::Serverless::LayerVersion",
    ]
)

BY_S3_ALONE = frozenset(["AccessLogsBucket"])
"""S3 delivers its access logs only to buckets under its own AES-256 keys; they tell of requests, and hold no contents."""


def key_of(kind: str, properties: dict[str, Any]) -> Any:
    """The key that the template names for this resource; None if it names none."""
    found: Any = properties
    for step in KEPT[kind]:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return None
    return found
