"""Puts each function's Vault client certificate where the function finds it: its own secret in Secrets Manager."""

import json
from typing import Any

from botocore.exceptions import ClientError

from infra.local import aws, vault
from infra.local.stack import Stack
from infra.vault import apply


def secret_name(function: str) -> str:
    """The secret of this function's folder; the state stack makes it, empty."""
    return f"platforma/vault/{function}"


def ensure(stack: Stack, operator: Any) -> int:
    """Issue what is missing or past half its life; how many were issued."""
    secrets, issued = aws.client("secretsmanager", stack.aws_url), 0
    ca = stack.ca_file.read_text()
    for function in apply.table("functions"):
        if not _is_good(secrets, secret_name(function), ca):
            pair = vault.issue_function(operator, function)
            content = {"certificate": pair.certificate, "private_key": pair.private_key, "ca": ca}
            secrets.put_secret_value(SecretId=secret_name(function), SecretString=json.dumps(content))
            issued += 1
    return issued


def _is_good(secrets: Any, name: str, ca: str) -> bool:
    try:
        content = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
        return content["ca"] == ca and vault.is_good(content["certificate"])
    except (ClientError, KeyError, ValueError):
        return False
