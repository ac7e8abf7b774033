"""What goes back: a status, a body, headers; and its form as a Lambda proxy result."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
NO_STORE = {"Cache-Control": "no-store"}
_REQUEST_ID = re.compile(r"\A[\x20-\x7e]{1,1024}\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A status with a JSON *body* (a text under a `text/` or `+xml` type, bytes as they are, None: no body).

    *cookies* are whole `Set-Cookie` values. *resource* is the id that the audit event shall name.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    resource: str | None = None
    cookies: tuple[str, ...] = ()

    def without_content(self) -> "Answer":
        """The same to a HEAD: every header and no content (RFC 9110 section 9.3.2)."""
        told = {} if self.body is None else {"Content-Type": self.media_type}
        return replace(self, body=None, headers={**told, **self.headers})

    def as_proxy_result(self, request_id: str) -> dict[str, Any]:
        """The Lambda proxy result, with the headers that every answer has."""
        headers = {**SECURITY_HEADERS, **NO_STORE, "X-Request-Id": request_id, **self.headers}
        result = {"statusCode": self.status, "headers": headers, "body": ""}
        if self.cookies:
            result["multiValueHeaders"] = {"Set-Cookie": list(self.cookies)}
        if self.body is None:
            return result
        headers["Content-Type"] = self.media_type
        if isinstance(self.body, bytes):
            return {**result, "body": base64.b64encode(self.body).decode(), "isBase64Encoded": True}
        is_text = self.media_type.startswith("text/") or self.media_type.endswith("+xml")
        return {**result, "body": self.body if is_text else _json(self.body)}


def _json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def echoed(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """*answer* under the `X-Request-Id` that was sent, as AuthZEN wants it (section 10.1.3); without one it has ours."""
    sent = headers.get("x-request-id", "")
    if not _REQUEST_ID.match(sent):
        return answer
    return replace(answer, headers={**answer.headers, "X-Request-Id": sent})


def etag(version: int) -> str:
    """The strong entity tag of an object's *version* (RFC 9110 section 8.8.3)."""
    return f'"v{version}"'


def shown(body: dict[str, Any], version: int, *, status: int = 200) -> Answer:
    """An object as it stands, with its entity tag."""
    return Answer(status, body, {"ETag": etag(version)})


def tagged(body: dict[str, Any]) -> Answer:
    """An object without versions of its own, with an entity tag made of what is shown."""
    return shown(body, content_version(body))


def content_version(body: dict[str, Any]) -> int:
    """What stands for the version of an object that has none: a hash of what is shown of it."""
    return 1 + int.from_bytes(hashlib.sha256(_json(body).encode()).digest()[:6])


def created(body: dict[str, Any], version: int, resource: str) -> Answer:
    """A new object, with its entity tag; the audit event names it."""
    return Answer(201, body, {"ETag": etag(version)}, resource=resource)


def listed(items: list[Any], next_cursor: str | None) -> Answer:
    """A page of a list."""
    return Answer(200, {"items": items, "next_cursor": next_cursor})
