"""A client of the suite's: what it sends, and what it holds every answer to."""

import hashlib
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt

from tests.running import Running
from tests.signing_in import REDIRECT_URI, challenge
from tests.visiting import Person

AFTER_LOGOUT = "https://client.test/post_logout_redirect"
OTHER_REDIRECT_URI = "https://client.test/other"


@dataclass(frozen=True)
class Account:
    """Who signs in."""

    email: str
    id: str


@dataclass(frozen=True)
class SignedIn:
    """What a flow ended in: the tokens, and what the ID token says."""

    tokens: dict[str, Any]
    claims: dict[str, Any]


class RelyingParty:
    """A registered client that checks what OpenID Connect Core sections 3.1.2.7, 3.1.3.5 and 3.1.3.7 tell it to."""

    def __init__(self, running: Running, token: str, **registration: Any) -> None:
        body = {
            "name": "conformance",
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": [REDIRECT_URI, OTHER_REDIRECT_URI],
            "post_logout_redirect_uris": [AFTER_LOGOUT],
            "scopes": ["openid", "profile", "email", "offline_access"],
            **registration,
        }
        reply = running.call("POST", "/v1/oauth-clients", token=token, json=body)
        assert reply.status_code == 201, reply.text
        self.running, self.registered = running, dict(reply.json())
        self.issuer = running.stack["url"]

    @property
    def id(self) -> str:
        """The client id."""
        return str(self.registered["client_id"])

    def request(self, **more: str | None) -> dict[str, str]:
        """The parameters of an authorization request, with *more* in place of what is usual; None leaves one out."""
        self.state, self.nonce, self.verifier = (secrets.token_urlsafe(32) for _ in range(3))
        usual: dict[str, str | None] = {
            "client_id": self.id,
            "redirect_uri": REDIRECT_URI,
            "scope": "openid",
            "response_type": "code",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        asked = {name: value for name, value in (usual | more).items() if value is not None}
        self.state, self.nonce = asked.get("state", ""), asked.get("nonce", "")
        return asked

    def link(self, **more: str | None) -> str:
        """Where a browser is sent."""
        return "/oauth2/authorize?" + urlencode(self.request(**more))

    def answer(self, location: str) -> dict[str, str]:
        """An authorization response: at our URI, in its query, with our `state` and the provider's `iss`, each once."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT_URI, location
        assert not parts.fragment
        said = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in said.values()), location
        answer = {name: values[0] for name, values in said.items()}
        assert answer.pop("state", "") == self.state
        assert answer.pop("iss") == self.issuer
        return answer

    def code(self, person: Person, **more: str | None) -> str:
        """The code that a person's sign-in gives."""
        answer = self.answer(person.led_back(self.link(**more)))
        assert answer.keys() == {"code"}, answer
        assert len(answer["code"]) >= 22, "too little entropy"
        return answer["code"]

    def refused(self, person: Person, **more: str | None) -> str:
        """The error that a request is answered with."""
        answer = self.answer(person.led_back(self.link(**more)))
        assert answer.keys() <= {"error", "error_description", "error_uri"}, answer
        return answer["error"]

    def token_endpoint(self, **form: str) -> httpx.Response:
        """The answer of the token endpoint, which no cache may keep (RFC 6749 section 5.1)."""
        pair = (self.id, self.registered["client_secret"])
        reply = self.running.call("POST", "/oauth2/token", data=form, auth=pair)
        assert reply.headers["content-type"].partition(";")[0] == "application/json"
        if reply.is_success:
            assert "no-store" in reply.headers["cache-control"]
        return reply

    def redeem(self, code: str) -> httpx.Response:
        """Exchange a code."""
        return self.token_endpoint(
            grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI, code_verifier=self.verifier
        )

    def sign_in(self, person: Person, **more: str | None) -> SignedIn:
        """The whole flow, everything checked."""
        reply = self.redeem(self.code(person, **more))
        assert reply.status_code == 200, reply.text
        tokens = dict(reply.json())
        assert tokens["token_type"].lower() == "bearer"
        assert tokens["expires_in"] > 0
        return SignedIn(tokens, self.verified(tokens, nonce=self.nonce))

    def verified(self, tokens: dict[str, Any], *, nonce: str) -> dict[str, Any]:
        """The claims of the ID token, held to Core sections 2, 3.1.3.6 and 3.1.3.7."""
        told = tokens["id_token"]
        header = jwt.get_unverified_header(told)
        keys = jwt.PyJWKSet.from_dict(self.running.call("GET", "/.well-known/jwks.json").json())
        algorithm = self.registered["id_token_signed_response_alg"]
        assert header["alg"] == algorithm
        claims: dict[str, Any] = jwt.decode(told, keys[header["kid"]], algorithms=[algorithm], audience=self.id)
        assert claims["iss"] == self.issuer
        assert claims["aud"] == self.id
        assert claims.get("azp", self.id) == self.id
        assert 0 < len(claims["sub"]) <= 255
        now = time.time()
        assert now - 300 < claims["iat"] <= now + 10
        assert claims["exp"] > now
        assert claims.get("nonce", "") == nonce
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert claims["at_hash"] == urlsafe_b64encode(half).rstrip(b"=").decode()
        return claims

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """What userinfo says (Core section 5.3.2)."""
        reply = self.running.call("GET", "/oauth2/userinfo", token=access_token)
        assert reply.status_code == 200, reply.text
        assert reply.headers["content-type"].partition(";")[0] == "application/json"
        return dict(reply.json())

    def log_out(self, person: Person, **parameters: str) -> httpx.Response:
        """Send the browser to the end session endpoint; the answer that it shows or is led away by, nothing answered."""
        reply = person.http.get("/oauth2/logout?" + urlencode(parameters))
        if reply.is_redirect and reply.headers["location"].startswith("/"):
            return person.http.get(reply.headers["location"])
        return reply

    def still_in(self, person: Person) -> bool:
        """Whether the provider answers for this browser without asking anybody."""
        answer = self.answer(person.led_back(self.link(prompt="none")))
        assert answer.keys() == {"code"} or answer["error"] in ("login_required", "interaction_required")
        return "code" in answer
