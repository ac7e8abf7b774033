"""Clients of the emulator, and what its CloudFormation knows of our stacks."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.stack import REGION, ROOT_KEY_ID, ROOT_SECRET, Stack

# An emulator on loopback answers at once or not at all; the long read is for a function that starts cold.
CONFIG = Config(connect_timeout=2, read_timeout=60, retries={"max_attempts": 2}, s3={"addressing_style": "path"})


@cache
def client(service: str, url: str) -> Any:
    """A boto3 client with the emulator's root pair, whatever this shell's own AWS settings are."""
    session = boto3.Session(aws_access_key_id=ROOT_KEY_ID, aws_secret_access_key=ROOT_SECRET, region_name=REGION)
    return session.client(service, endpoint_url=url, config=CONFIG)  # type: ignore[call-overload]  # of any service


def status_of(stack: Stack, name: str) -> str | None:
    """A CloudFormation stack's status; None if there is no such stack."""
    try:
        described = client("cloudformation", stack.aws_url).describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        return None
    return str(described[0]["StackStatus"]) if described else None


def outputs_of(stack: Stack, name: str) -> dict[str, str]:
    """A CloudFormation stack's outputs by key."""
    described = client("cloudformation", stack.aws_url).describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def parameters_of(stack: Stack, name: str) -> dict[str, str]:
    """A CloudFormation stack's parameters as they are deployed."""
    described = client("cloudformation", stack.aws_url).describe_stacks(StackName=name)["Stacks"][0]
    return {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}


def resources_of(stack: Stack, name: str) -> dict[str, str]:
    """Physical ids by logical id of one CloudFormation stack."""
    pages = client("cloudformation", stack.aws_url).get_paginator("list_stack_resources").paginate(StackName=name)
    return {
        summary["LogicalResourceId"]: summary["PhysicalResourceId"]
        for page in pages
        for summary in page["StackResourceSummaries"]
        if summary.get("PhysicalResourceId")
    }


def exports(stack: Stack) -> dict[str, str]:
    """What every stack exports, by name."""
    pages = client("cloudformation", stack.aws_url).get_paginator("list_exports").paginate()
    return {one["Name"]: one["Value"] for page in pages for one in page["Exports"]}
