"""`stack.json`: what programs that follow need to know of a stack, in the contract's words."""

import json
from collections.abc import Mapping
from typing import Any

from infra.local import aws, vault
from infra.local.certificates import write_private
from infra.local.stack import REGION, ROOT_KEY_ID, ROOT_SECRET, STACKS, Stack

# The names that following programs look outputs up by, and the names that the templates give them.
ALIASES = {"AuthorizerFunctionArn": ("PolicyAuthorizerFunctionArn", "PolicyAuthorizerFunction")}


def read(stack: Stack) -> dict[str, Any]:
    """The file's content; empty if there is none."""
    return dict(json.loads(stack.stack_file.read_text())) if stack.stack_file.exists() else {}


def write(stack: Stack, *, vault_token: str, credentials: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Write it, mode 0600; what it holds."""
    service = vault.service_pair(stack)
    content = {
        "url": stack.url,
        "internal_url": stack.internal_url,
        "ca_file": str(stack.ca_file),
        "client_cert_file": str(service.certificate),
        "client_key_file": str(service.key),
        "aws": {
            "endpoint_url": stack.aws_url,
            "region": REGION,
            "access_key_id": ROOT_KEY_ID,
            "secret_access_key": ROOT_SECRET,
            "stacks": list(STACKS),
        },
        "vault": {"addr": stack.vault_addr, "ca_file": str(stack.ca_file), "token": vault_token},
        **{name: dict(value) for name, value in credentials.items()},
        "outputs": outputs(stack),
    }
    write_private(stack.stack_file, json.dumps(content, indent=1) + "\n")
    return content


def outputs(stack: Stack) -> dict[str, str]:
    """Every output of the three stacks."""
    found: dict[str, str] = {}
    for name in STACKS:
        found |= aws.outputs_of(stack, name)
    for wanted, others in ALIASES.items():
        for other in others:
            if wanted not in found and other in found:
                found[wanted] = found[other]
    return found
