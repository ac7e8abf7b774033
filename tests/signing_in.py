"""A browser without pages: what a person and a client do with one another, through the use cases behind the pages."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from platforma import bootstrap
from platforma.kernel.events import Attempt
from platforma.oauth.sessions import Session
from tests.world import Reply, Tenant, World

REDIRECT_URI = "https://client.test/callback"
SCOPE = "openid profile email offline_access orders:read"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PASSWORD_ONLY, TWO_FACTORS = ("pwd",), ("pwd", "otp", "mfa")


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Browser:
    """Cookies by name, and a person in front of them."""

    world: World
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Reply:
        """Open a page of ours, keeping the cookies that it sets."""
        return self._kept(self.world.call("GET", path, headers=self._headers()))

    def post(self, path: str, form: dict[str, str]) -> Reply:
        """Send a form to a page of ours."""
        return self._kept(self.world.call("POST", path, form=form, headers=self._headers()))

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _kept(self, reply: Reply) -> Reply:
        for line in reply.cookies:
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return reply

    def attempt(self, tenant_id: str, user_id: str, action: str) -> Attempt:
        """A request of the person's, as the pages make it."""
        return Attempt(
            request_id=secrets.token_hex(8),
            action=action,
            clock=self.world.clock,
            tenant_id=tenant_id,
            principal_type="user",
            principal_id=user_id,
            user_id=user_id,
        )

    def sign_in(
        self, tenant_id: str, user_id: str, amr: tuple[str, ...] = PASSWORD_ONLY, flow: str | None = None
    ) -> Session:
        """Be signed in as this person, with these factors."""
        current = bootstrap.oauth.read_session(self.cookies.get("__Host-platforma"))
        session, cookie = bootstrap.oauth.start_session(
            tenant_id,
            user_id,
            amr=amr,
            attempt=self.attempt(tenant_id, user_id, "oauth.sessions.start"),
            current=current,
            interaction=flow,
        )
        self.cookies["__Host-platforma"] = cookie
        return session

    @property
    def session(self) -> Session | None:
        """The session that is signed in here."""
        found: Session | None = bootstrap.oauth.read_session(self.cookies.get("__Host-platforma"))
        return found

    def allow(self, flow: str) -> None:
        """Say yes to what the client asks for."""
        kept, client = bootstrap.oauth.read_interaction(flow, browser=self.cookies["__Host-platforma-browser"])
        assert self.session is not None
        attempt = self.attempt(client.tenant_id, self.session.user_id, "oauth.consents.give")
        bootstrap.oauth.allow(kept, session=self.session, attempt=attempt)


def answer_of(reply: Reply) -> dict[str, str]:
    """What went back to the client by a redirect."""
    assert reply.status == 303, reply.text
    parts = urlsplit(reply.headers["location"])
    return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}


def page_of(reply: Reply) -> tuple[str, str]:
    """The page that the person has to see, and the interaction."""
    assert reply.status == 303, reply.text
    parts = urlsplit(reply.headers["location"])
    assert not parts.netloc, reply.headers["location"]
    return parts.path, parse_qs(parts.query)["flow"][0]


@dataclass
class App:
    """A client that people sign in to."""

    tenant: Tenant
    registered: dict[str, Any]
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def id(self) -> str:
        """The client id."""
        return str(self.registered["client_id"])

    def parameters(self, **more: str | None) -> dict[str, str]:
        """An authorization request's, with *more* in place of what is usual; None leaves a parameter out."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (usual | more).items() if value is not None}

    def link(self, **more: str | None) -> str:
        """Where the client sends a browser."""
        return f"/oauth2/authorize?{urlencode(self.parameters(**more))}"

    def token(self, **form: str) -> Reply:
        """A token request of the client's."""
        world = self.tenant.world
        if self.registered.get("client_secret"):
            return world.call("POST", "/oauth2/token", form=form, headers=world.basic(self.registered))
        return world.call("POST", "/oauth2/token", form={"client_id": self.id, **form})

    def redeem(self, code: str, **more: str) -> Reply:
        """Exchange a code."""
        usual = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code_verifier": self.verifier}
        return self.token(**(usual | {"code": code} | more))

    def refresh(self, refresh_token: str, **more: str) -> Reply:
        """Exchange a refresh token."""
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **more)

    def code_for(self, browser: Browser, user_id: str, amr: tuple[str, ...] = PASSWORD_ONLY, **more: str | None) -> str:
        """A code, by the whole way through the pages."""
        reply = browser.get(self.link(**more))
        for _ in range(3):
            if reply.headers["location"].startswith(REDIRECT_URI):
                return answer_of(reply)["code"]
            page, flow = page_of(reply)
            if page == "/login":
                browser.sign_in(self.tenant.id, user_id, amr, flow)
            else:
                browser.allow(flow)
            reply = browser.get(f"/oauth2/authorize?flow={flow}")
        return answer_of(reply)["code"]

    def tokens_for(self, browser: Browser, user_id: str, amr: tuple[str, ...] = PASSWORD_ONLY, **more: str | None) -> Any:
        """The tokens that a person's sign-in gives."""
        reply = self.redeem(self.code_for(browser, user_id, amr, **more))
        assert reply.status == 200, reply.text
        return reply.json


def app_of(tenant: Tenant, **more: Any) -> App:
    """A client of the tenant's that people sign in to."""
    usual = {
        "name": "app",
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [REDIRECT_URI],
        "scopes": ["openid", "profile", "email", "offline_access", "orders:read", "orders:manage"],
    }
    return App(tenant, tenant.call("POST", "/v1/oauth-clients", usual | more, expect=201).json)


class Device:
    """A device of the client's that has asked."""

    def __init__(self, app: App, **more: str) -> None:
        self.app, self.world = app, app.tenant.world
        form = {"client_id": app.id, "scope": "openid offline_access orders:read", **more}
        self.asked = self.world.call("POST", "/oauth2/device_authorization", form=form)

    def poll(self, app: App | None = None) -> Reply:
        form = {"grant_type": DEVICE_GRANT, "client_id": (app or self.app).id, "device_code": self.asked.json["device_code"]}
        return self.world.call("POST", "/oauth2/token", form=form)

    def wait(self, seconds: int = 5) -> str:
        self.world.clock.move(seconds=seconds)
        return str(self.poll().json["error"])
