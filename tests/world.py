"""The functions in process, called as the gateway calls them: DynamoDB on moto, Vault in memory, a clock to be moved."""

import base64
import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jsonschema import Draft202012Validator
from moto import mock_aws

from platforma import bootstrap
from platforma.adapters.memory.identity import MemoryLinkRequests, MemoryMailer
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets
from platforma.adapters.memory.logouts import MemoryLogoutQueue
from platforma.adapters.memory.sso import MemoryProviderSecrets
from platforma.adapters.relay_call import RelayedLogs
from platforma.compliance.ports import EndpointState
from platforma.edge.endpoints import BY_PATH, BY_ROUTE
from platforma.edge.methods import keeper
from platforma.edge.openapi import openapi
from platforma.identity import passwords
from platforma.keys import stored_secret
from tests import moto_kms
from tests.roles import as_function, hold_to_roles

ROOT = Path(__file__).parents[1]
URL = "https://platforma.test"
REGION = "eu-central-1"
CHEAPEST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
BUCKET = "platforma-audit"
EXPORTS = "platforma-exports"
OBJECTS = "platforma-objects"
ACCESS_LOGS = "platforma-access-logs"
QUEUE = "platforma-dead-letters"
COLD = "platforma-cold"
EXPORTED = {table: f"{table.capitalize()}TableArn" for table in bootstrap.TABLES} | {
    BUCKET: "AuditBucketArn",
    EXPORTS: "ExportsBucketArn",
    OBJECTS: "ObjectsBucketArn",
    COLD: "ColdBucketArn",
    ACCESS_LOGS: "AccessLogsBucketArn",
}
"""What the state exports the tables and buckets of a world as."""
PASSWORD = "correct horse battery staple"
_PATHS = [
    (path, re.compile("^" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", re.sub(r"{(\w+)\+}", r"(?P<\1>.+)", path)) + "$"))
    for path in sorted(BY_PATH, key=lambda path: path.count("{"))
]


class MemoryVault(MemoryDataKeys):
    """A Vault in memory: data keys, secrets and signatures; `gone` makes every call fail."""

    def __init__(self, clock: "Clock") -> None:
        super().__init__(clock=clock)
        self.secrets = MemorySecrets()
        self.provider_secrets = MemoryProviderSecrets()
        self._signing = Ed25519PrivateKey.generate()

    def sign_ed25519(self, _key: str, message: bytes) -> bytes:
        self._answer()
        return self._signing.sign(message)

    def ed25519_public_keys(self, _key: str) -> dict[int, bytes]:
        self._answer()
        return {1: self._signing.public_key().public_bytes_raw()}

    def keep_provider_secret(self, tenant_id: str, reference: str, secret: str) -> None:
        self.provider_secrets.keep_provider_secret(tenant_id, reference, secret)

    def read_provider_secret(self, tenant_id: str, reference: str) -> str:
        return self.provider_secrets.read_provider_secret(tenant_id, reference)

    def forget_provider_secret(self, tenant_id: str, reference: str) -> None:
        self.provider_secrets.forget_provider_secret(tenant_id, reference)

    def forget_provider_secrets(self, tenant_id: str) -> None:
        self._answer()
        self.provider_secrets.forget_provider_secrets(tenant_id)

    def read_secret(self, name: Any) -> Mapping[str, str]:
        self._answer()
        return self.secrets.read_secret(name)


@dataclass
class Clock:
    """Time that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Reply:
    """What came back, as a client sees it; bytes as Latin-1 *text*."""

    status: int
    headers: dict[str, str]
    text: str
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]


@cache
def _document() -> dict[str, Any]:
    return openapi(URL)


@cache
def _validator(method: str, resource: str, status: int, media_type: str) -> Draft202012Validator:
    responses = _document()["paths"][resource.replace("+}", "}")][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {resource}: {status} is not documented"
    content = responses[str(status)].get("content", {})
    assert media_type in content, f"{method} {resource}: {status} as {media_type} is not documented"
    return Draft202012Validator({**content[media_type]["schema"], "components": _document()["components"]})


def as_documented(method: str, resource: str, reply: Reply) -> None:
    """Hold every reply to what the OpenAPI document says of it."""
    if reply.status == 500:
        return  # documented nowhere, and for the test to find
    if reply.text:
        media_type = reply.headers["content-type"]
        body = reply.json if "json" in media_type else reply.text
        _validator(method, resource, reply.status, media_type).validate(body)


class Posted:
    """What was sent to addresses of strangers, each with its form; they answer *status*, or not where it is an error."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.status: int | Exception = 200

    def post(self, url: str, form: Mapping[str, str]) -> int:
        """See `platforma.oauth.backchannel.Post`."""
        self.sent.append((url, dict(form)))
        if isinstance(self.status, Exception):
            raise self.status
        return self.status


class SeenEndpoints:
    """`platforma.compliance.ports.Endpoints` of a system that has none: what would be seen of good ones."""

    def __init__(self, until: datetime) -> None:
        self.out: EndpointState = EndpointState("platforma.test:443", "TLSv1.3", "TLSv1.3", None, True, until, True)
        self.inner: EndpointState | None = EndpointState("inside.test:443", "TLSv1.2", "TLSv1.2", None, True, until, False)

    def outside(self) -> EndpointState:
        return self.out

    def inside(self) -> EndpointState | None:
        return self.inner


class World:
    """A deployed system in one process."""

    def __init__(self, vault: MemoryVault, clock: Clock, link_requests: MemoryLinkRequests, mailer: MemoryMailer) -> None:
        self.vault, self.clock = vault, clock
        self.logout_queue, self.posted = MemoryLogoutQueue(), Posted()
        self.endpoints = SeenEndpoints(clock() + timedelta(days=60))
        self.link_requests, self._mailer = link_requests, mailer
        self._count = 0
        self._functions: dict[str, ModuleType] = {}

    def function(self, name: str) -> ModuleType:
        """The function of this folder, imported once; what its handler asks of AWS is held to its role."""
        if name not in self._functions:
            spec = importlib.util.spec_from_file_location(f"function_{name}", ROOT / "functions" / name / "app.py")
            assert spec and spec.loader
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
            module.handler = as_function(name, module.handler)
            self._functions[name] = module
        return self._functions[name]

    def event(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None, ip: str = "203.0.113.7"
    ) -> tuple[str | None, dict[str, Any]]:
        """Which function is meant, and the REST event for it."""
        parts = urlsplit(path)
        self._count += 1
        function, resource, parameters = None, parts.path, None
        for template, form in _PATHS:
            if match := form.match(parts.path):
                row = BY_ROUTE.get((method, template)) or keeper(template)
                function, resource, parameters = row.function, template, match.groupdict() or None
                break
        query = parse_qs(parts.query, keep_blank_values=True)
        event = {
            "httpMethod": method,
            "path": parts.path,
            "resource": resource,
            "pathParameters": parameters,
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "headers": dict(headers),
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "body": base64.b64encode(body).decode() if body is not None else None,
            "isBase64Encoded": body is not None,
            "requestContext": {
                "requestId": "11111111-1111-4111-8111-111111111111",  # whoever sends x-amzn-RequestId chooses it
                "extendedRequestId": f"request-{self._count}",
                "identity": {"sourceIp": ip, "userAgent": "tests/1.0"},
                "stage": "v1",
            },
        }
        return function, event

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json_body: Any = None,
        raw: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        ip: str = "203.0.113.7",
    ) -> Reply:
        """Send a request through the function that serves it."""
        sent = dict(headers or {})
        body = raw
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("Content-Type", "application/json")
        if form is not None:
            body = urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        function, event = self.event(method, path, headers=sent, body=body, ip=ip)
        assert function, f"no function serves {method} {path}"
        answer = self.function(function).handler(event, None)
        text = answer["body"]
        if answer.get("isBase64Encoded"):
            text = base64.b64decode(text).decode("latin-1")
        cookies = answer.get("multiValueHeaders", {}).get("Set-Cookie", [])
        return Reply(
            answer["statusCode"], {name.lower(): value for name, value in answer["headers"].items()}, text, tuple(cookies)
        )

    def basic(self, client: Mapping[str, str]) -> dict[str, str]:
        """The `Authorization` of this client."""
        pair = f"{client['client_id']}:{client['client_secret']}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def token(self, client: Mapping[str, str], **form: str) -> str:
        """An access token of this client."""
        reply = self.call(
            "POST", "/oauth2/token", form={"grant_type": "client_credentials", **form}, headers=self.basic(client)
        )
        assert reply.status == 200, reply.text
        return str(reply.json["access_token"])

    def set_up(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Run the set-up function."""
        return self.function("platform_setup").handler(dict(event), type("Context", (), {"aws_request_id": "setup"})())

    def mails(self) -> list[tuple[str, str]]:
        """Mail what was asked for since; to whom each mail went, and its text."""
        wanted, self.link_requests.put_there = self.link_requests.put_there, []
        records = [{"body": json.dumps(asdict(request))} for request in wanted]
        self.function("identity_mail").handler({"Records": records}, type("Context", (), {"aws_request_id": "mail"})())
        sent, self._mailer.sent = self._mailer.sent, []
        return [(to, letter.text) for to, letter in sent]

    def tell(self) -> dict[str, int]:
        """Tell the clients that the queue names of ended sessions; how many came to what."""
        wanted, self.logout_queue.put_there = self.logout_queue.put_there, []
        records = [{"body": json.dumps({"session_id": ses, "client_id": cli})} for ses, cli, _ in wanted]
        context = type("Context", (), {"aws_request_id": "logout"})()
        return self.function("oauth_logout").handler({"Records": records}, context)

    def sweep(self) -> dict[str, Any]:
        """Run the audit relay over every log, as its schedule does."""
        event = {"source": "schedule", "job": "sweep"}
        return self.function("audit_relay").handler(event, type("Context", (), {"aws_request_id": "sweep"})())

    def erase(self) -> dict[str, Any]:
        """Run the audit relay's work on erasures, as its schedule does, and then what is done for old events."""
        event = {"source": "schedule", "job": "erase"}
        done = self.function("audit_relay").handler(event, type("Context", (), {"aws_request_id": "erase"})())
        self.old_events("export")
        return done

    def old_events(self, job: str) -> dict[str, Any]:
        """What is done by the function that keeps old events: `compact` every hour, `export` every minute."""
        event = {"source": "schedule", "job": job}
        return self.function("audit_export").handler(event, type("Context", (), {"aws_request_id": job})())

    def tenant(self, name: str = "acme", email: str = "admin@acme.test") -> "Tenant":
        """A tenant with an administrator, and a client that administers it."""
        platform = self.token(self.platform_client)
        admin = {"email": email, "name": "Admin", "password": PASSWORD}
        made = self.call("POST", "/v1/tenants", token=platform, json_body={"name": name, "admin": admin})
        assert made.status == 201, made.text
        client = self.set_up({"tenant_id": made.json["id"], "first_client": {"name": "service", "roles": ["admin"]}})
        return Tenant(self, made.json["id"], made.json["admin"]["user_id"], client)

    @property
    def platform_client(self) -> dict[str, str]:
        """The platform's client, set up at first."""
        if not hasattr(self, "_platform"):
            self._platform = self.set_up({})
        return self._platform


class InvokedFunctions:
    """Lambda's client, for functions that ask other functions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  Lambda's names
        context = type("Context", (), {"aws_request_id": "invoked"})()
        answer = self._world.function(FunctionName).handler(json.loads(Payload), context)
        return {"StatusCode": 200, "Payload": BytesIO(json.dumps(answer).encode())}


@dataclass
class Tenant:
    """A tenant, as its administrating client sees it."""

    world: World
    id: str
    admin_id: str
    client: dict[str, str]
    _token: tuple[str, datetime] | None = None

    @property
    def token(self) -> str:
        """A fresh enough token of the administrating client."""
        if self._token is None or self.world.clock() - self._token[1] > timedelta(minutes=50):
            self._token = (self.world.token(self.client), self.world.clock())
        return self._token[0]

    def call(self, method: str, path: str, json_body: Any = None, *, expect: int | None = None, **more: Any) -> Reply:
        """Send a request as the administrating client."""
        reply = self.world.call(method, path, token=self.token, json_body=json_body, **more)
        assert expect is None or reply.status == expect, reply.text
        return reply

    def user(self, email: str = "ada@acme.test", roles: tuple[str, ...] = ()) -> str:
        """A new user's id."""
        body = {"email": email, "name": "Ada", "password": PASSWORD, "roles": list(roles)}
        return str(self.call("POST", "/v1/users", body, expect=201).json["id"])

    def client_with(self, roles: tuple[str, ...] = (), scopes: tuple[str, ...] = ("*",)) -> dict[str, str]:
        """A new client's credentials."""
        body = {"name": "client", "roles": list(roles), "scopes": list(scopes)}
        return self.call("POST", "/v1/oauth-clients", body, expect=201).json

    def events(self, **filters: str) -> list[dict[str, Any]]:
        """The tenant's audit events, newest first."""
        query = f"?{urlencode(filters)}" if filters else ""
        return self.call("GET", f"/v1/audit/events{query}", expect=200).json["items"]


def _create_tables() -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    for name in bootstrap.TABLES:
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        )


def _forget() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("platforma.bootstrap")]
    for part in [part for module in modules for part in vars(module).values()]:
        if hasattr(part, "cache_clear"):
            part.cache_clear()
        if isinstance(part, bootstrap.Area):
            part.made.clear()


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, *, kms: bool = False) -> Iterator[World]:
    """A world with nothing in it, tenants' keys in the vault or in KMS."""
    for name, value in {
        "PLATFORMA_URL": URL,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AUDIT_BUCKET": BUCKET,
        "EXPORTS_BUCKET": EXPORTS,
        "OBJECTS_BUCKET": OBJECTS,
        "OBJECTS_ROLE": "arn:aws:iam::123456789012:role/objects",
        "COLD_BUCKET": COLD,
        "ACCESS_LOGS_BUCKET": ACCESS_LOGS,
        "QUEUE_URLS": f"https://sqs.{REGION}.amazonaws.com/123456789012/{QUEUE}",
        "KMS_PREFIX": moto_kms.PREFIX if kms else "",
        **{f"{table.upper()}_TABLE": table for table in bootstrap.TABLES},
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    clock = Clock()
    vault = MemoryVault(clock)
    _forget()
    monkeypatch.setattr(bootstrap.parts.ground, "vault", lambda: vault)
    monkeypatch.setitem(bootstrap.sso.ports, "provider_secrets", lambda: vault)
    monkeypatch.setitem(bootstrap.oidc.ports, "provider_secrets", lambda: vault)
    requests, mailer = MemoryLinkRequests(), MemoryMailer()
    monkeypatch.setattr(bootstrap, "link_requests", lambda: requests)
    monkeypatch.setitem(bootstrap.identity.ports, "link_requests", lambda: requests)
    monkeypatch.setitem(bootstrap.identity.ports, "mailer", lambda: mailer)
    world = World(vault, clock, requests, mailer)
    refused = hold_to_roles(monkeypatch, EXPORTED)
    monkeypatch.setattr(bootstrap.parts.oauth, "logout_queue", lambda: world.logout_queue)
    monkeypatch.setitem(bootstrap.oauth.ports, "logout_queue", lambda: world.logout_queue)
    monkeypatch.setitem(bootstrap.oauth.ports, "post", lambda: world.posted)
    monkeypatch.setattr(
        bootstrap.parts.encryption, "tenant_logs", lambda: RelayedLogs("audit_relay", InvokedFunctions(world))
    )
    monkeypatch.setattr(bootstrap.parts.compliance, "endpoints", lambda: world.endpoints)
    monkeypatch.setattr(bootstrap.environment, "clock", clock)
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 4)  # the least; that it is 12 is a test of its own
    monkeypatch.setattr(passwords, "_hasher", lambda _profile: CHEAPEST)  # likewise
    with mock_aws():
        _create_tables()
        place = {"LocationConstraint": REGION}
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
        s3.create_bucket(Bucket=EXPORTS, CreateBucketConfiguration=place)
        s3.create_bucket(Bucket=OBJECTS, CreateBucketConfiguration=place)
        s3.create_bucket(Bucket=COLD, CreateBucketConfiguration=place)
        s3.create_bucket(Bucket=ACCESS_LOGS, CreateBucketConfiguration=place)
        boto3.client("sqs", region_name=REGION).create_queue(QueueName=QUEUE)
        if kms:
            moto_kms.complete(monkeypatch)
            moto_kms.make_platforms_keys()
        yield world
    _forget()
    assert not refused, f"what template.yaml does not allow was asked for: {refused}"
