"""
A sign-in on its way to an identity provider and back: what the browser holds meanwhile.

It stands in a cookie of its own, sealed by us, so that beginning one writes nothing; what goes to the provider are values
derived from it, which no other browser can have asked for. It is good for ten minutes, for one connection.
"""

import base64
import hmac
import json
import re
import secrets as entropy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

LIFETIME = timedelta(minutes=10)
HANDLE = 16
"""How many characters a handle has."""
_HANDLE = re.compile(rf"\A[A-Za-z0-9_-]{{{HANDLE}}}\Z")
_LONGEST = 3600


@dataclass(frozen=True, slots=True)
class Flow:
    """
    A sign-in begun in one browser, by one connection.

    *handle* comes back from the provider and says which of the browser's it is; it proves nothing. *return_to* was checked.
    *session_id* is that of whoever was signed in here before. *force*: only a fresh authentication will do. *interaction*
    is the authorization request that asked for it. *trial*: nobody is to be signed in, it is only tried; *setup*: by the
    holder of a setup link.
    """

    handle: str
    connection_id: str
    return_to: str
    started_at: datetime
    secret: str = field(repr=False)
    force: bool = False
    session_id: str | None = None
    interaction: str | None = None
    trial: bool = False
    setup: bool = False

    def derived(self, key: bytes, label: str) -> str:
        """A value of 256 bits that only we can make from it, another for each *label*."""
        made = hmac.digest(key, _message("derive", label, self.secret), sha256)
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def request_id(self, key: bytes) -> str:
        """The id of the SAML request that it sends (an `xs:ID`)."""
        return f"_{self.derived(key, 'request')}"

    def expires_at(self) -> datetime:
        """When it is over."""
        return self.started_at + LIFETIME


def begin_flow(connection_id: str, return_to: str, now: datetime, **more: Any) -> Flow:
    """A new one."""
    return Flow(entropy.token_urlsafe(12), connection_id, return_to, now, entropy.token_urlsafe(32), **more)


def is_handle(text: str) -> bool:
    """Whether *text* has the form of a handle."""
    return _HANDLE.match(text) is not None


def seal_flow(flow: Flow, key: bytes) -> str:
    """The value of its cookie."""
    told = {name: getattr(flow, name) for name in Flow.__dataclass_fields__ if name != "started_at"}
    document = json.dumps({**told, "started_at": int(flow.started_at.timestamp())}, separators=(",", ":"))
    body = base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()
    return f"{body}.{_mac(key, body)}"


def open_flow(value: str | None, handle: str, connection_id: str, *, key: bytes, now: datetime) -> Flow | None:
    """The flow of this handle and connection behind a cookie's *value*; None for any other value, and when it is over."""
    body, _, mac = (value or "").partition(".")
    if len(body) > _LONGEST or not body.isascii() or not hmac.compare_digest(mac.encode(), _mac(key, body).encode()):
        return None
    told: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    flow = Flow(**{**told, "started_at": datetime.fromtimestamp(told["started_at"], UTC)})
    mine = (flow.handle, flow.connection_id) == (handle, connection_id)
    return flow if mine and now < flow.expires_at() else None


def _mac(key: bytes, body: str) -> str:
    return hmac.new(key, _message("seal", body), sha256).hexdigest()


def _message(*parts: str) -> bytes:
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"platforma sso flow v1\0" + b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
