"""A client of the FAPI 2.0 Security Profile: signs itself in, pushes its requests, and holds the key of its tokens."""

import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from tests.conformance.relying_party import RelyingParty, SignedIn
from tests.proving import Holder
from tests.running import Running
from tests.signing_in import REDIRECT_URI, challenge
from tests.visiting import Person

RESOURCE = "/oauth2/userinfo"


class FAPI2Client(RelyingParty):
    """Registered by `private_key_jwt` and `profile: fapi2`; *holder* is the key of its proofs, which may be another's."""

    def __init__(self, running: Running, token: str, **registration: Any) -> None:
        self.signer, self.holder = Holder(), Holder()
        usual = {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [self.signer.jwk]},
            "profile": "fapi2",
        }
        super().__init__(running, token, **(usual | registration))
        self._nonces: dict[str, str] = {}

    def assertion(self, audience: Any = None, **claims: Any) -> dict[str, str]:
        """How it authenticates."""
        return self.signer.assertion(self.id, audience or self.issuer, **claims)

    def proof(self, path: str, *, method: str = "POST", holder: Holder | None = None, **claims: Any) -> str:
        """A proof for this endpoint, with the nonce that it gave last."""
        usual = {"nonce": self._nonces.get(path)}
        return (holder or self.holder).proof(method, self.issuer + path, **(usual | claims))

    def post(
        self,
        path: str,
        form: dict[str, str],
        *,
        assertion: dict[str, Any] | None = None,
        holder: Holder | None = None,
        proves: bool = True,
        **proof: Any,
    ) -> httpx.Response:
        """
        A request to an endpoint of the server's, again with its nonce where it asks for one (RFC 9449 section 8).

        *assertion* are claims in place of the usual ones (`audience` among them), *proof* those of the proof.
        """
        for _ in range(2):
            sent = {"client_id": self.id, **form, **self.assertion(**(assertion or {}))}
            headers = {"DPoP": self.proof(path, holder=holder, **proof)} if proves else {}
            reply = self.running.call("POST", path, data=sent, headers=headers)
            if "dpop-nonce" in reply.headers:
                self._nonces[path] = reply.headers["dpop-nonce"]
            if reply.is_success or reply.json()["error"] != "use_dpop_nonce":
                return reply
        return reply

    def push(self, *, proves: bool = False, **more: str | None) -> httpx.Response:
        """Push a request, without a proof unless it *proves*."""
        return self.post("/oauth2/par", self.request(**more), proves=proves)

    def request_object(self, *, signer: Holder | None = None, algorithm: str = "ES256", **more: Any) -> str:
        """A signed request (RFC 9101), *more* in place of what it usually says; None leaves a claim out."""
        now = int(time.time())
        usual = {"iss": self.id, "aud": self.issuer, "iat": now, "nbf": now, "exp": now + 300}
        said = {name: value for name, value in {**usual, **self.request(), **more}.items() if value is not None}
        self.state, self.nonce = said.get("state", ""), said.get("nonce", "")
        key = None if algorithm == "none" else (signer or self.signer).key
        return jwt.encode(said, key, algorithm=algorithm, headers={"typ": "oauth-authz-req+jwt"})

    def push_signed(self, request: str) -> httpx.Response:
        """Push a signed request."""
        return self.post("/oauth2/par", {"request": request}, proves=False)

    def pushed(self, **more: Any) -> str:
        """The link for a request that was pushed, with nothing in it but its reference (RFC 9126 section 4)."""
        reply = self.push(**more)
        assert reply.status_code == 201, reply.text
        assert 5 <= reply.json()["expires_in"] <= 600
        return self.reference(reply.json()["request_uri"])

    def reference(self, request_uri: str) -> str:
        """The link for a reference."""
        return "/oauth2/authorize?" + urlencode({"client_id": self.id, "request_uri": request_uri})

    def code(self, person: Person, **more: Any) -> str:
        """The code that a pushed request gives."""
        answer = self.answer(person.led_back(self.pushed(**more)))
        assert answer.keys() == {"code"}, answer
        assert len(answer["code"]) >= 22
        return answer["code"]

    def redeem(self, code: str, *, holder: Holder | None = None, **more: Any) -> httpx.Response:
        """Exchange a code; *more* is of the request (`post`), or with None leaves a field of the form out."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": self.verifier,
        }
        form |= {name: more.pop(name) for name in tuple(more) if name in ("code_verifier", "redirect_uri", "client_id")}
        return self.post(
            "/oauth2/token", {name: value for name, value in form.items() if value is not None}, holder=holder, **more
        )

    def sign_in(self, person: Person, **more: Any) -> SignedIn:
        """The whole flow, everything checked."""
        reply = self.redeem(self.code(person, **more))
        assert reply.status_code == 200, reply.text
        tokens = dict(reply.json())
        assert tokens["token_type"] == "DPoP"
        return SignedIn(tokens, self.verified(tokens, nonce=self.nonce))

    def resource(
        self, access_token: str, *, scheme: str = "DPoP", holder: Holder | None = None, proves: bool = True, **proof: Any
    ) -> httpx.Response:
        """The protected resource, asked with the token and a proof for it."""
        for _ in range(2):
            claims = {"method": "GET", "token": access_token, **proof}
            headers = {"Authorization": f"{scheme} {access_token}"}
            if proves:
                headers["DPoP"] = self.proof(RESOURCE, holder=holder, **claims)
            reply = self.running.call("GET", RESOURCE, headers=headers)
            if "dpop-nonce" in reply.headers:
                self._nonces[RESOURCE] = reply.headers["dpop-nonce"]
            if reply.is_success or reply.json()["error"] != "use_dpop_nonce":
                return reply
        return reply


def fresh_verifier() -> tuple[str, str]:
    """A code verifier and its challenge."""
    verifier = secrets.token_urlsafe(32)
    return verifier, challenge(verifier)
