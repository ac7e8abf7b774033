"""
What a fresh system needs before anyone can use it: the platform's client, a tenant, its admin, a client and a key.

Each credential is kept as soon as it is known and tried before another one is asked for, so that a run which was cut short,
or a second one, takes up where things stand. A client and a key that replace others leave those as they are.
"""

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local import aws
from infra.local.api import API, Token
from infra.local.certificates import write_private
from infra.local.progress import StepFailed
from infra.local.stack import Stack
from infra.local.vault import SERVICE

SETUP = "PlatformSetupFunction"
TENANT = "demo"
ADMIN = "admin@demo.test"
KEY_SCOPE = "infrastructure:read"


class Kept:
    """Credentials by name in a file of mode 0600; written at each change."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.all: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}

    def get(self, name: str) -> dict[str, Any]:
        """What is kept under *name*; empty if nothing is."""
        return self.all.get(name, {})

    def put(self, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Keep *value* from now on."""
        self.all[name] = dict(value)
        write_private(self.file, json.dumps(self.all, indent=1))
        return self.all[name]


def set_up(stack: Stack, api: API) -> dict[str, dict[str, Any]]:
    """
    Have all of it; the credentials that stack.json holds, by its names.

    Raises:
        StepFailed: the API or the set-up function refused something.
    """
    kept = Kept(stack.home / "credentials.json")
    platform = _platform(stack, api, kept)
    tenant = _tenant(api, kept, platform)
    service = _service(stack, api, kept, tenant["id"])
    invoke(stack, {"tenant_id": tenant["id"], "service": {"name": SERVICE, "roles": ["viewer"]}})
    _admin(api, kept, service)
    return {name: kept.get(name) for name in ("platform_client", "tenant", "admin", "service_client", "api_key")}


def platform_token(api: API, credentials: Mapping[str, Mapping[str, Any]]) -> Token:
    """
    A token of the platform client.

    Raises:
        StepFailed: its secret is not good any more.
    """
    client = credentials["platform_client"]
    token = api.token(client["client_id"], client["client_secret"])
    if token is None:
        raise StepFailed("the platform client's secret is not good", remedy="run the same again")
    return token


def _platform(stack: Stack, api: API, kept: Kept) -> Token:
    known = kept.get("platform_client")
    if known and (token := api.token(known["client_id"], known["client_secret"])):
        return token
    made = invoke(stack, {})
    if not made.get("client_secret"):  # it was there before; its secret can't be read, only replaced
        made = invoke(stack, {"rotate_secret": True})
    return _proved(api, kept.put("platform_client", _pair(made)))


def _tenant(api: API, kept: Kept, platform: Token) -> dict[str, Any]:
    known = kept.get("tenant")
    if known and api.call("GET", f"/v1/tenants/{known['id']}", token=platform).status_code == 200:
        return known
    password = kept.get("admin").get("password") or f"{secrets.token_urlsafe(18)}-Aa1"
    kept.put("admin", {"user_id": None, "email": ADMIN, "password": password})
    if (there := _tenant_named(api, platform, TENANT)) is None:
        admin = {"email": ADMIN, "name": "Demo admin", "password": password}
        made = api.call("POST", "/v1/tenants", token=platform, expect=201, json={"name": TENANT, "admin": admin}).json()
        there = made["id"]
        kept.put("admin", {"user_id": made["admin"]["user_id"], "email": ADMIN, "password": password})
    return kept.put("tenant", {"id": there, "name": TENANT})


def _tenant_named(api: API, platform: Token, name: str) -> str | None:
    cursor: str | None = None
    while True:
        parameters = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = api.call("GET", "/v1/tenants", token=platform, expect=200, params=parameters).json()
        for tenant in page["items"]:
            if tenant["name"] == name and tenant["status"] == "active":
                return str(tenant["id"])
        if (cursor := page["next_cursor"]) is None:
            return None


def _service(stack: Stack, api: API, kept: Kept, tenant_id: str) -> Token:
    """
    The tenant's service client and its key; a token of the client's.

    The set-up function makes the key: one made through a token would end with that token, after an hour.
    """
    known = kept.get("service_client")
    token = api.token(known["client_id"], known["client_secret"]) if known else None
    if token is not None and _is_valid(api, token, kept.get("api_key").get("key")):
        return token
    first_key = {"name": "demo key", "environment": "test", "scopes": [KEY_SCOPE]}
    first_client = {"name": "demo service", "roles": ["admin"]}
    made = invoke(stack, {"tenant_id": tenant_id, "first_client": first_client, "first_key": first_key})
    token = _proved(api, _pair(made))
    kept.put("service_client", _pair(made))
    kept.put("api_key", {name: made["api_key"][name] for name in ("id", "key")})
    return token


def _is_valid(api: API, token: Token, key: str | None) -> bool:
    """Whether a key is of the tenant's and good for another day at least."""
    if key is None:
        return False
    told = api.call("POST", "/v1/api-keys/verify", token=token, expect=200, json={"key": key}).json()
    if not told["valid"] or told["expires_at"] is None:
        return bool(told["valid"])
    return dt.datetime.fromisoformat(told["expires_at"]) - dt.datetime.now(dt.UTC) > dt.timedelta(days=1)


def _admin(api: API, kept: Kept, service: Token) -> None:
    """The admin's id, where the answer that told it was lost."""
    if kept.get("admin").get("user_id") is None:
        found = api.call("GET", "/v1/users", token=service, expect=200, params={"email": ADMIN}).json()["items"]
        kept.put("admin", kept.get("admin") | {"user_id": found[0]["id"]})


def _pair(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: made[name] for name in ("client_id", "client_secret")}


def _proved(api: API, client: Mapping[str, Any]) -> Token:
    if (token := api.token(client["client_id"], client["client_secret"])) is None:
        raise StepFailed(f"the fresh secret of client {client['client_id']} is refused")
    return token


def invoke(stack: Stack, event: Mapping[str, Any]) -> dict[str, Any]:
    """
    Run the set-up function, as an operator does.

    Raises:
        StepFailed: it failed; its own log stands in the emulator's.
    """
    name = aws.resources_of(stack, "platforma")[SETUP]
    answer = aws.client("lambda", stack.aws_url).invoke(FunctionName=name, Payload=json.dumps(event))
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        log = stack.logs / "platform-setup.log"
        write_private(log, json.dumps(told, indent=1))
        raise StepFailed("setting the platform up (PlatformSetupFunction)", log=log)
    if not isinstance(told, dict):
        raise StepFailed(f"PlatformSetupFunction answered {told!r}")
    return told
