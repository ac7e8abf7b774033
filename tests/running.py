"""The deployed system under test: one stack, on free ports and in a folder of its own, ended with the tests."""

import gc
import json
import os
import re
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import httpx
import pytest

from infra.local import down, up
from infra.local.ports import Ports

SECRET = frozenset(
    [
        "access_token",
        "refresh_token",
        "id_token",
        "client_secret",
        "secret",
        "password",
        "new_password",
        "current_password",
        "token",
        "key",
        "code",
        "code_verifier",
        "client_assertion",
        "registration_access_token",
        "device_code",
        "recovery_codes",
    ]
)
"""What a secret is called, in what is sent and what is answered."""
_SHORTEST = 16
_WORD = re.compile(r"[a-z_]+\Z")
"""What no secret is made of: a problem's `code`, and what is said of a key, are words of ours."""
Secrets = set[tuple[str, str]]


def secrets_in(document: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in *document* that stands under a name of `SECRET`, with that name; of an API key its secret as well."""
    if isinstance(document, dict):
        for inner, value in document.items():
            yield from secrets_in(value, str(inner))
    elif isinstance(document, list | tuple):
        for value in document:
            yield from secrets_in(value, name)
    elif isinstance(document, str) and name in SECRET and len(document) >= _SHORTEST and not _WORD.match(document):
        yield name, document
        if document.startswith(("pk_live_", "pk_test_")):
            yield "key", document[31:74]


@dataclass(frozen=True)
class Running:
    """The deployed system, as a program that read stack.json sees it."""

    stack: dict[str, Any]
    http: httpx.Client
    home: Path
    seen: Secrets

    def secrets(self) -> Secrets:
        """What was secret in this run until now: sent, answered, in the stack's file, or in Vault for all functions."""
        vault = self.stack["vault"]
        kept: Secrets = set()
        trusted = ssl.create_default_context(cafile=vault["ca_file"])
        with httpx.Client(base_url=vault["addr"], verify=trusted, headers={"X-Vault-Token": vault["token"]}) as http:
            for name in ("acme", "peppers", "secrets"):
                data = http.get(f"/v1/kv/data/platforma/{name}").json()["data"]["data"]
                lines = [line for value in data.values() for line in value.splitlines() if not line.startswith("-----")]
                kept |= {(name, line) for line in lines if len(line) >= _SHORTEST}
        return self.seen | kept | set(secrets_in(self.stack))

    def trusted(self) -> ssl.SSLContext:
        """What believes the server, and nobody else's."""
        return ssl.create_default_context(cafile=self.stack["ca_file"])

    def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.http.request(method, path, headers=headers, **more)

    def token(self, client: dict[str, str] | None = None, **form: str) -> str:
        client = client or self.stack["service_client"]
        reply = self.call(
            "POST",
            "/oauth2/token",
            data={"grant_type": "client_credentials", **form},
            auth=(client["client_id"], client["client_secret"]),
        )
        assert reply.status_code == 200, reply.text
        return str(reply.json()["access_token"])

    def mails(self, address: str, *, count: int = 1) -> list[str]:
        """The texts of the mails to *address*, once there are so many; what their links carry is secret."""
        for _ in range(120):
            told = httpx.get(f"{self.stack['aws']['endpoint_url']}/_ministack/ses/messages").json()["messages"]
            found = [mail["BodyText"] for account in told.values() for mail in account if mail["To"] == [address]]
            if len(found) >= count:
                self.seen.update(("token", token) for text in found for token in re.findall(r"token=([\w-]{43})", text))
                return found
            time.sleep(0.5)
        raise AssertionError(f"no mail to {address}")

    @property
    def output(self) -> dict[str, str]:
        return dict(self.stack["outputs"])

    def aws(self, service: str, **credentials: str) -> Any:
        aws = self.stack["aws"]
        given = credentials or {
            "aws_access_key_id": aws["access_key_id"],
            "aws_secret_access_key": aws["secret_access_key"],
        }
        return boto3.client(service, endpoint_url=aws["endpoint_url"], region_name=aws["region"], **given)


@contextmanager
def running_system(folders: pytest.TempPathFactory) -> Iterator[Running]:
    """`PLATFORMA_TEST_STACK` names the stack.json of a stack that is up already, for working on one test."""
    if there := os.environ.get("PLATFORMA_TEST_STACK"):
        with _reached(json.loads(Path(there).read_text())) as (stack, http, seen):
            yield Running(stack, http, Path(there).resolve().parent, seen)
        return
    home = folders.mktemp("stack")
    try:
        made = up(home, Ports.free())
        with warnings.catch_warnings():  # what the tools that `up` drives left open is collected here, not in some test
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        with _reached(made) as (stack, http, seen):
            yield Running(stack, http, home, seen)
    finally:
        down(home)


@contextmanager
def _reached(stack: dict[str, Any]) -> Iterator[tuple[dict[str, Any], httpx.Client, Secrets]]:
    seen: Secrets = set()

    def note(reply: httpx.Response) -> None:
        reply.read()
        for content, kind in ((reply.request.content, reply.request.headers), (reply.content, reply.headers)):
            seen.update(secrets_in(_document(content, kind.get("content-type", ""))))
        if (credential := reply.request.headers.get("authorization", "").partition(" ")[2]) and reply.is_success:
            seen.update(secrets_in({"token": credential}))

    trusted = ssl.create_default_context(cafile=stack["ca_file"])
    with httpx.Client(base_url=stack["url"], verify=trusted, timeout=30, event_hooks={"response": [note]}) as http:
        yield stack, http, seen


def _document(content: bytes, kind: str) -> Any:
    """A body as it would be read: JSON or a form; nothing else names its secrets."""
    try:
        if "json" in kind:
            return json.loads(content)
        return parse_qs(content.decode()) if "form-urlencoded" in kind else None
    except ValueError:  # some tests send what is none
        return None
