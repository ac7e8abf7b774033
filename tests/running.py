"""The deployed system under test: one stack, on free ports and in a folder of its own, ended with the tests."""

import gc
import json
import os
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from infra.local import down, up
from infra.local.ports import Ports


@dataclass(frozen=True)
class Running:
    """The deployed system, as a program that read stack.json sees it."""

    stack: dict[str, Any]
    http: httpx.Client
    home: Path

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
        with _reached(json.loads(Path(there).read_text())) as (stack, http):
            yield Running(stack, http, Path(there).resolve().parent)
        return
    home = folders.mktemp("stack")
    try:
        made = up(home, Ports.free())
        with warnings.catch_warnings():  # what the tools that `up` drives left open is collected here, not in some test
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        with _reached(made) as (stack, http):
            yield Running(stack, http, home)
    finally:
        down(home)


@contextmanager
def _reached(stack: dict[str, Any]) -> Iterator[tuple[dict[str, Any], httpx.Client]]:
    trusted = ssl.create_default_context(cafile=stack["ca_file"])
    with httpx.Client(base_url=stack["url"], verify=trusted, timeout=30) as http:
        yield stack, http
