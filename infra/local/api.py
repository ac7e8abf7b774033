"""Speaks to the deployed API as any program would: over TLS 1.3, with the stack's root, through its URL."""

import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.local.progress import StepFailed


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, as an `Authorization` header wants it."""

    value: str

    @property
    def header(self) -> dict[str, str]:
        """The header that carries it."""
        return {"Authorization": f"Bearer {self.value}"}


class API:
    """The API at one URL."""

    def __init__(self, url: str, ca: Path) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.client = httpx.Client(base_url=url, verify=context, timeout=40, trust_env=False)

    def call(
        self, method: str, path: str, *, token: Token | None = None, expect: int | None = None, **more: Any
    ) -> httpx.Response:
        """
        One request; the server may be waking up, so 503 is tried again for a while.

        Raises:
            StepFailed: the status is not *expect*.
        """
        for attempt in range(6):
            try:
                answer = self.client.request(method, path, headers=token.header if token else {}, **more)
            except httpx.TransportError as error:
                raise StepFailed(
                    f"{method} {path}: {error}", remedy="is the stack up? `make run` starts it again"
                ) from error
            if answer.status_code != 503 or attempt == 5:
                break
            time.sleep(min(float(answer.headers.get("Retry-After", "1")), 3))
        if expect is not None and answer.status_code != expect:
            raise StepFailed(f"{method} {path} answered {answer.status_code}, not {expect}: {answer.text[:600]}")
        return answer

    def token(self, client_id: str, client_secret: str) -> Token | None:
        """An access token for a client's own rights (RFC 6749 section 4.4); None if the secret is not good."""
        answer = self.call(
            "POST", "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client_id, client_secret)
        )
        if answer.status_code == 401:
            return None
        if answer.status_code != 200:
            raise StepFailed(f"POST /oauth2/token answered {answer.status_code}: {answer.text[:600]}")
        return Token(answer.json()["access_token"])
