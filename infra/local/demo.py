"""
The main job once, through the URL, each answer asserted: who calls, what may they do, and the record that nobody can delete.

A line is printed only after what it says was found true.
"""

import gzip
import json
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
from botocore.exceptions import ClientError

from infra.local import aws
from infra.local.api import API, Token
from infra.local.progress import StepFailed, say, step, wait_until
from infra.local.stack import Stack

READ, DELETE = "infrastructure.clusters.get", "infrastructure.clusters.delete"
CLUSTER = {"type": "cluster", "id": "cls_eu01"}
RELAY_SECONDS = 90  # a bell that was lost is found by the sweep, once a minute


@dataclass(frozen=True, slots=True)
class Called:
    """A call of the demo that the audit log must tell of."""

    action: str
    request_id: str
    decision: str | None = None


def play(stack: Stack, content: Mapping[str, Any]) -> None:
    """
    Play it.

    Raises:
        StepFailed: an answer is not what this system promises.
    """
    api = API(stack.url, stack.ca_file)
    say("The main job, through " + stack.url)
    with closing(api.client):
        token, issued = _token(api, content)
        calls = [issued, _key_check(api, token, content), *_decisions(api, content)]
        _audited(api, token, calls)
    _kept(stack, content, calls)


def _token(api: API, content: Mapping[str, Any]) -> tuple[Token, Called]:
    with step("token") as remark:
        client = content["service_client"]
        answer = api.call(
            "POST", "/oauth2/token", expect=200, data={"grant_type": "client_credentials"},
            auth=(client["client_id"], client["client_secret"]),
        )  # fmt: skip
        value = answer.json()["access_token"]
        keys = jwt.PyJWKSet.from_dict(api.call("GET", "/.well-known/jwks.json", expect=200).json())
        header = jwt.get_unverified_header(value)
        claims = jwt.decode(
            value, keys[header["kid"]].key, algorithms=["ES256"], issuer=content["url"], audience=content["url"]
        )
        lifetime = claims["exp"] - claims["iat"]
        require(header["typ"] == "at+jwt" and lifetime == 3600, f"an RFC 9068 token for an hour, not {header} {claims}")
        require(claims["tenant_id"] == content["tenant"]["id"], "the demo tenant's token")
        remark(f"{header['alg']} {header['typ']}, {lifetime} s, verified with the public keys of /.well-known/jwks.json")
    return Token(value), _called("oauth.tokens.issue", answer)


def _key_check(api: API, token: Token, content: Mapping[str, Any]) -> Called:
    with step("key check") as remark:
        answer = api.call("POST", "/v1/api-keys/verify", token=token, expect=200, json={"key": content["api_key"]["key"]})
        told = answer.json()
        require(told["valid"] is True and told["code"] == "valid", f"a valid key, not {told}")
        require(told["scopes"] == ["infrastructure:read"] and told["environment"] == "test", f"its scope, not {told}")
        remark(f"{content['api_key']['key'][:14]}... is {told['code']}, {told['environment']}, scopes {told['scopes']}")
    return _called("settings.api_keys.verify", answer)


def _decisions(api: API, content: Mapping[str, Any]) -> list[Called]:
    """The key's owner is an admin, its scope is reading: it may read a cluster and may not delete it."""
    calls = []
    for action, wanted in ((READ, "allow"), (DELETE, "deny")):
        with step(f"decision, {'allowed' if wanted == 'allow' else 'denied'}") as remark:
            answer = api.call(
                "POST", "/v1/authorize", token=Token(content["api_key"]["key"]), expect=200,
                json={"action": action, "resource": CLUSTER, "context": {}},
            )  # fmt: skip
            told = answer.json()
            require(told["decision"] == wanted, f"{wanted} for {action}, not {told}")
            remark(f"{action} on cluster:{CLUSTER['id']} -> {told['decision']} ({told['reason']})")
        calls.append(_called("decisions.decisions.read", answer, wanted))
    return calls


def _audited(api: API, token: Token, calls: list[Called]) -> None:
    """Every call above stands in the log under its own request id, at once."""
    with step("audit events") as remark:
        for called in calls:
            answer = api.call("GET", "/v1/audit/events", token=token, expect=200, params={"request_id": called.request_id})
            events = answer.json()["items"]
            found = [(event["action"], event["request_id"]) for event in events]
            require(found == [(called.action, called.request_id)], f"the one event of {called}, not {found}")
            if called.decision is not None:
                entered = events[0]["decision"]["result"]
                require(entered == called.decision, f"the decision {called.decision} in the event, not {entered}")
        remark(f"{len(calls)} calls, {len(calls)} events, found by their request ids")


def _kept(stack: Stack, content: Mapping[str, Any], calls: list[Called]) -> None:
    """The events are in the locked bucket, and even the account's root can't delete the version that holds them."""
    bucket, tenant = content["outputs"]["AuditBucket"], content["tenant"]["id"]
    with step("stored for good") as remark:
        wanted = {called.request_id for called in calls}
        holding: dict[str, str] = {}

        def found() -> bool:
            holding.update(_segments_with(stack, bucket, tenant, wanted - holding.keys()))
            return wanted <= holding.keys()

        require(wait_until(found, RELAY_SECONDS, pause=0.5), f"segments with {sorted(wanted - holding.keys())}")
        s3, refusals = aws.client("s3", stack.aws_url), list[str]()
        for key in sorted(set(holding.values())):
            version = s3.head_object(Bucket=bucket, Key=key)["VersionId"]
            lock = s3.get_object_retention(Bucket=bucket, Key=key, VersionId=version)["Retention"]
            years = lock["RetainUntilDate"].year - time.gmtime().tm_year
            require(lock["Mode"] == "COMPLIANCE" and years >= 2, f"a COMPLIANCE lock of two years, not {lock}")
            try:
                s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
            except ClientError as error:
                refusals.append(f"{error.response['Error']['Code']}, locked until {lock['RetainUntilDate']:%Y-%m-%d}")
            else:
                raise StepFailed(f"S3 deleted version {version} of {key}, which is locked")
        remark(f"{len(refusals)} segment{'s' * (len(refusals) != 1)}; deleting as root: {refusals[0]}")


def _segments_with(stack: Stack, bucket: str, tenant: str, wanted: set[str]) -> dict[str, str]:
    """Which segment holds the entry of which request, newest first."""
    s3 = aws.client("s3", stack.aws_url)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{tenant}/segments/")
    names = sorted((item["Key"] for page in pages for item in page.get("Contents", [])), reverse=True)
    found: dict[str, str] = {}
    for name in names[:20]:
        for line in gzip.decompress(s3.get_object(Bucket=bucket, Key=name)["Body"].read()).splitlines():
            entry = json.loads(line)
            if entry["request_id"] in wanted:
                found[entry["request_id"]] = name
    return found


def _called(action: str, answer: httpx.Response, decision: str | None = None) -> Called:
    require("X-Request-Id" in answer.headers, f"an X-Request-Id on the answer of {action}")
    return Called(action, answer.headers["X-Request-Id"], decision)


def require(truth: bool, wanted: str) -> None:
    """
    Go on only if it is so.

    Raises:
        StepFailed: it is not.
    """
    if not truth:
        raise StepFailed(f"expected {wanted}", remedy="the running system does not do what it promises: do not rely on it")


def farewell(stack: Stack) -> None:
    """Where everything is, and three commands that work when pasted."""
    file, ca = _short(stack.stack_file), _short(stack.ca_file)
    read = f"$({sys.executable} -c \"import json; s = json.load(open('{file}')); print("
    client = f"{read}s['service_client']['client_id'] + ':' + s['service_client']['client_secret'])\")"
    key = f"{read}s['api_key']['key'])\")"
    question = json.dumps({"action": READ, "resource": CLUSTER, "context": {}})
    say(f"""
URL          {stack.url}   (mutual TLS: {stack.internal_url})
credentials  {stack.stack_file}
Try:
  curl --cacert {ca} -u "{client}" -d grant_type=client_credentials {stack.url}/oauth2/token
  curl --cacert {ca} -H "Authorization: Bearer {key}" {stack.url}/v1/me
  curl --cacert {ca} -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\
    -d '{question}' {stack.url}/v1/authorize""")


def _short(path: Path) -> str:
    """A path as a shell takes it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
