"""An OpenID provider that says whatever a test wants it to say; it is called as `PublicFetch` calls."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from platforma.adapters.fetch import Fetched
from platforma.keys.jwk import to_jwk
from platforma.oauth.errors import Unfetched
from tests.signing_in import Browser
from tests.world import URL, Reply, Tenant

ISSUER = "https://op.test/tenant"
SECRET = "a secret: of theirs & ours"


@dataclass
class FakeOpenIDProvider:
    """What it says is in *claims*; the rest are switches that tests bend."""

    clock: Callable[[], Any]
    claims: dict[str, Any] = field(
        default_factory=lambda: {"sub": "ada-1", "email": "ada@acme.test", "name": "Ada", "groups": ["Engineers"]}
    )
    configuration: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = field(default_factory=lambda: {"sub": "ada-1"})
    token_status: int = 200
    key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    kid: str = "k1"
    algorithm: str = "RS256"
    published: list[dict[str, Any]] | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    gone: bool = False

    def get(self, url: str) -> bytes:
        self.calls.append(("GET", url))
        if self.gone:
            raise Unfetched(cause="gone")
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return json.dumps(self.document()).encode()
        if url == f"{ISSUER}/keys":
            return json.dumps({"keys": self.published or [self.jwk()]}).encode()
        raise Unfetched(status=404)

    def send(self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Fetched:
        self.calls.append((method, url))
        self.headers = headers or {}
        if url == f"{ISSUER}/token":
            form = {name: values[0] for name, values in parse_qs((body or b"").decode()).items()}
            self.forms.append(form)
            if self.token_status != 200:
                return Fetched(self.token_status, b'{"error": "invalid_grant"}')
            made = hashlib.sha256(form["code_verifier"].encode()).digest()
            assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == self.asked["code_challenge"]
            return Fetched(
                200, json.dumps({"access_token": "at", "token_type": "Bearer", "id_token": self.token()}).encode()
            )
        if url == f"{ISSUER}/userinfo" and self.userinfo is not None:
            assert self.headers["Authorization"] == "Bearer at"
            return Fetched(200, json.dumps(self.userinfo).encode())
        return Fetched(404, b"{}")

    def document(self) -> dict[str, Any]:
        usual = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize?x=1",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "authorization_response_iss_parameter_supported": True,
        }
        return {name: value for name, value in (usual | self.configuration).items() if value is not None}

    def jwk(self) -> dict[str, Any]:
        return {**to_jwk(self.key.public_key()), "kid": self.kid, "use": "sig"}

    def token(self, **more: Any) -> str:
        """The ID token, with *more* in place of what is usual; None leaves a claim out."""
        now = int(self.clock().timestamp())
        usual = {
            "iss": ISSUER,
            "aud": "client",
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked["nonce"],
            "auth_time": now,
        }
        said = {name: value for name, value in (usual | self.claims | more).items() if value is not None}
        return jwt.encode(said, self.key, algorithm=self.algorithm, headers={"kid": self.kid})

    def logout_token(self, **more: Any) -> str:
        """A back-channel logout token, with *more* in place of what is usual; None leaves a claim out."""
        now = int(self.clock().timestamp())
        usual = {
            "iss": ISSUER,
            "aud": "client",
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "sub": "ada-1",
            "sid": "s1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        headers = {"kid": self.kid, "typ": more.pop("typ", "logout+jwt")}
        said = {name: value for name, value in (usual | more).items() if value is not None}
        return jwt.encode(said, self.key, algorithm=self.algorithm, headers=headers)

    def rotate(self) -> None:
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), "k2"
        self.algorithm = "ES256"


@dataclass
class OpenIDVisitor:
    """Somebody with a browser, who signs in by the provider."""

    tenant: Tenant
    connection_id: str
    provider: FakeOpenIDProvider
    browser: Browser

    @property
    def path(self) -> str:
        return f"/sso/{self.connection_id}"

    def start(self, query: str = "") -> dict[str, str]:
        reply = self.browser.get(f"{self.path}/start{query}")
        assert reply.status == 302, reply.text
        sent = {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["location"]).query).items()}
        self.provider.asked = sent
        return sent

    def back(self, **more: str | None) -> Reply:
        usual: dict[str, str | None] = {"code": "c", "state": self.provider.asked["state"], "iss": ISSUER}
        query = "&".join(f"{name}={value}" for name, value in (usual | more).items() if value is not None)
        return self.browser.get(f"{self.path}/callback?{query}")

    def sign_in(self) -> Reply:
        self.start()
        return self.back()


def callback(visitor: OpenIDVisitor) -> str:
    """Where the provider is told to answer."""
    return f"{URL}{visitor.path}/callback"
