"""An authorization request once it was checked, as it is kept, and the code that it becomes."""

import base64
import hashlib
import hmac
import secrets as entropy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Literal

from platforma.oauth.sessions.model import Session

ResponseMode = Literal["query", "fragment", "form_post"]
RESPONSE_MODES: tuple[ResponseMode, ...] = ("query", "fragment", "form_post")
PROMPTS = ("none", "login", "consent", "select_account")

CODE_LIFETIME = timedelta(seconds=60)
PUSHED_LIFETIME = timedelta(minutes=5)
INTERACTION_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """
    What a client asks for, checked: it is a client's of ours, goes back to a URI of its own, and is proved by S256.

    *state*, *nonce* and *login_hint* are the client's words, and never believed. *hinted* is the user id that a verified
    `id_token_hint` names. *scope* lies within what the client is registered for.
    """

    client_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    audience: str
    code_challenge: str
    response_mode: ResponseMode = "query"
    state: str | None = None
    nonce: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    login_hint: str | None = None
    hinted: str | None = None
    ui_locales: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    dpop_jkt: str | None = None

    @property
    def openid(self) -> bool:
        """Whether it asks for an ID token."""
        return "openid" in self.scope

    @property
    def essential_acr(self) -> tuple[str, ...]:
        """The context classes without one of which it is refused (OpenID Connect Core section 5.5.1.1)."""
        asked = self.claims.get("id_token", {}).get("acr") or {}
        wanted = asked.get("values", [asked["value"]] if "value" in asked else [])
        return tuple(wanted) if asked.get("essential") else ()

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> "AuthorizationRequest":
        """What `as_json` gave."""
        lists = {each.name for each in fields(cls) if str(each.type).startswith("tuple")}
        plain: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in document.items()}
        return cls(**plain)


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """
    A request that waits: pushed by its client (RFC 9126), or an interaction, while its person signs in and consents.

    An interaction is *browser*'s alone: the hash of what that browser holds. *pushed* is the id of the pushed request that
    it came from, which is spent when the interaction is over. *consented* and *chosen* say what the person has done in it.
    """

    id: str = field(repr=False)
    tenant_id: str
    request: AuthorizationRequest
    created_at: datetime
    expires_at: datetime
    browser: bytes | None = field(default=None, repr=False)
    pushed: str | None = field(default=None, repr=False)
    consented: bool = False
    chosen: bool = False

    def belongs_to(self, browser: str | None) -> bool:
        """Whether *browser*, the value of its cookie, is the one that began it."""
        return self.browser is not None and hmac.compare_digest(self.browser, digest(browser or ""))


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """
    A code as it is kept: *hash* of what the client was given, for what *request*, by whom, in which session.

    *grant_id* is the id of the grant that it becomes, known beforehand: a second use knows what to end.
    """

    hash: str
    grant_id: str
    tenant_id: str
    user_id: str
    session_id: str
    amr: tuple[str, ...]
    auth_time: datetime
    request: AuthorizationRequest
    expires_at: datetime
    spent: bool = False


def new_code(kept: KeptRequest, session: Session, now: datetime) -> tuple[AuthorizationCode, str]:
    """A code for what *kept* asks, by the person of *session*; and the code as the client gets it, told this once."""
    code = entropy.token_urlsafe(32)
    made = AuthorizationCode(
        hash=code_hash(code),
        grant_id=entropy.token_urlsafe(16),
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        session_id=session.id,
        amr=session.amr,
        auth_time=session.auth_time,
        request=kept.request,
        expires_at=now + CODE_LIFETIME,
    )
    return made, code


def code_hash(code: str) -> str:
    """What a code is found by."""
    return hashlib.sha256(code.encode()).hexdigest()


def digest(text: str) -> bytes:
    """What is kept of a browser's secret."""
    return hashlib.sha256(text.encode()).digest()


def verifies(code_verifier: str, code_challenge: str) -> bool:
    """Whether *code_verifier* is the one of an S256 challenge (RFC 7636 section 4.6), in constant time."""
    made = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(made, code_challenge)
