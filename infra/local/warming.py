"""
Wakes the functions that the set-up and the demo will call, side by side and beside other work: each loads its code and signs
in to Vault once, which takes a second or two of a small machine.

They are woken by requests that get no further than their credentials, which are nobody's: an unknown client's, and a key
with a good CRC32 and a forged checksum. No request passes the edge and none is anyone's, so none enters an audit log.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local import aws
from infra.local.stack import Stack

TOKEN = ("POST", "/oauth2/token")
ROUTES = {
    "OauthTokenFunction": TOKEN,
    "IdentityTenantsFunction": ("GET", "/v1/tenants"),
    "ApikeysVerifyFunction": ("POST", "/v1/api-keys/verify"),
    "PolicyDecideFunction": ("POST", "/v1/authorize"),
    "AuditEventsFunction": ("GET", "/v1/audit/events"),
    "OauthMetadataFunction": ("GET", "/.well-known/jwks.json"),
}
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NOBODY = base64.b64encode(b"cli_01h00000000000000000000000:x").decode()


def forged_key() -> str:
    """A key that every function refuses, after asking Vault for the pepper and before it reads anything."""
    text, crc = f"pk_test_1{'0' * 76}", ""
    number = zlib.crc32(text.encode())
    for _ in range(6):
        number, digit = divmod(number, 62)
        crc = DIGITS[digit] + crc
    return text + crc


def event(method: str, resource: str) -> dict[str, Any]:
    """What the gateway would hand over of such a request."""
    headers = {"authorization": f"Bearer {forged_key()}"}
    if (method, resource) == TOKEN:
        headers = {"authorization": f"Basic {NOBODY}", "content-type": "application/x-www-form-urlencoded"}
    return {
        "httpMethod": method, "resource": resource, "path": resource, "headers": headers, "isBase64Encoded": False,
        "body": "grant_type=client_credentials" if (method, resource) == TOKEN else None,
        "requestContext": {"requestId": "waking", "identity": {"sourceIp": "127.0.0.1"}},
    }  # fmt: skip


@contextmanager
def begun(stack: Stack) -> Iterator[Callable[[], int]]:
    """Begin; the yielded function waits for the end and says how many functions are awake."""
    with ThreadPoolExecutor(len(ROUTES)) as pool:
        names = aws.resources_of(stack, "platforma")
        calls = [pool.submit(_wake, stack, names[one], event(*route)) for one, route in ROUTES.items() if one in names]
        yield lambda: sum(call.result() for call in calls)


def _wake(stack: Stack, name: str, question: dict[str, Any]) -> bool:
    """Whether it answered. One that can't be woken shows why when it is needed, in its own step."""
    try:
        answer = aws.client("lambda", stack.aws_url).invoke(FunctionName=name, Payload=json.dumps(question))
    except (BotoCoreError, ClientError):
        return False
    return "FunctionError" not in answer and json.loads(answer["Payload"].read())["statusCode"] in {200, 401}
