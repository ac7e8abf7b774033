"""
An authorization request checked, row by row, for the authorization endpoint and for the pushed one alike.

Sources: RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1, RFC 7636 section 4.3, RFC 8707 section 2, RFC 9126
section 2.1, RFC 9101, RFC 9700 section 2.1. A parameter that is not named here is ignored (RFC 6749 section 3.1).
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from platforma.kernel.errors import Malformed, Unauthenticated
from platforma.kernel.ids import is_id
from platforma.kernel.strict_json import parse_json
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.authorization.errors import (
    RegistrationNotSupported,
    UnsupportedResponseType,
    UntrustedRequest,
)
from platforma.oauth.authorization.model import PROMPTS, RESPONSE_MODES, AuthorizationRequest
from platforma.oauth.errors import InvalidRequest, InvalidTarget, UnauthorizedClient
from platforma.oauth.id_token import verify_id_token_hint
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients
from platforma.oauth.redirect_uri import matches
from platforma.oauth.scope import authorized_scope

_CHALLENGE = re.compile(r"\A[A-Za-z0-9_-]{43}\Z", re.ASCII)
_TEXT = re.compile(r"\A[\x20-\x7e]*\Z", re.ASCII)
_LONGEST = {"state": 2048, "nonce": 512, "scope": 3072, "acr_values": 512, "ui_locales": 256, "claims": 4096}
_MAX_AGE = 10**9


@dataclass(slots=True)
class Asked:
    """A request on its way through the checks; *found* collects the fields of what it becomes."""

    parameters: Mapping[str, str]
    client: Client
    pushed: bool
    signed: bool
    audiences: Collection[str]
    issuer: str
    signing_keys: SigningKeys
    found: dict[str, Any]

    def words(self, name: str) -> tuple[str, ...]:
        """A parameter that is a list of words, each once."""
        return tuple(dict.fromkeys(self.parameters.get(name, "").split()))


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where an answer may go: a redirect URI of the client's, and how."""

    client: Client
    redirect_uri: str
    response_mode: str
    state: str | None


def known_client(parameters: Mapping[str, str], *, clients: Clients) -> Client:
    """
    The client that the request names.

    Raises:
        UntrustedRequest: there is no such one that is active.
    """
    client_id = parameters.get("client_id", "")
    client = clients.get(client_id) if is_id(client_id, "cli") else None
    if client is None or client.status != "active":
        raise UntrustedRequest
    return client


def recipient_of(parameters: Mapping[str, str], *, clients: Clients) -> Recipient:
    """
    The client and its redirect URI, before anything else is looked at: what is wrong until here must not travel.

    Raises:
        UntrustedRequest: no such client that is active, or not one of its redirect URIs.
    """
    client, redirect_uri = known_client(parameters, clients=clients), parameters.get("redirect_uri", "")
    if not any(matches(each, redirect_uri) for each in client.redirect_uris):
        raise UntrustedRequest
    mode, state = parameters.get("response_mode", "query"), parameters.get("state")
    plain = state is not None and len(state) <= _LONGEST["state"] and _TEXT.match(state)
    return Recipient(client, redirect_uri, mode if mode in RESPONSE_MODES else "query", state if plain else None)


def checked_request(
    parameters: Mapping[str, str],
    *,
    client: Client,
    pushed: bool,
    signed: bool,
    audiences: Collection[str],
    issuer: str,
    signing_keys: SigningKeys,
) -> AuthorizationRequest:
    """
    What *parameters* ask for, whose client and redirect URI are known to be good; *signed* if a request object said them.

    Raises:
        OAuthError: it is not as it should be; the error may travel.
    """
    found = {"client_id": client.id, "redirect_uri": parameters["redirect_uri"]}
    asked = Asked(parameters, client, pushed, signed, audiences, issuer, signing_keys, found)
    for check, at_authorize, at_par in _CHECKS:
        if at_par if pushed else at_authorize:
            check(asked)
    return AuthorizationRequest(**asked.found)


def _registration(asked: Asked) -> None:
    """OpenID Connect Core section 7.2.1: none is read."""
    if "registration" in asked.parameters:
        raise RegistrationNotSupported


def _no_request_uri(asked: Asked) -> None:
    """RFC 9126 section 2.1: a pushed request is no reference to another."""
    if "request_uri" in asked.parameters:
        raise InvalidRequest("request_uri is not for a pushed request.")


def _pushed(asked: Asked) -> None:
    """RFC 9126 section 6: who has said so pushes its requests."""
    if asked.client.pushes:
        raise InvalidRequest("This client has to push its requests.")


def _signed(asked: Asked) -> None:
    """RFC 9101 section 10.5: who has said so signs its requests, the pushed ones too."""
    if asked.client.require_signed_request_object and not asked.signed:
        raise InvalidRequest("This client has to sign its requests.")


def _grant_type(asked: Asked) -> None:
    if "authorization_code" not in asked.client.grant_types:
        raise UnauthorizedClient


def _response_type(asked: Asked) -> None:
    """RFC 9700 section 2.1.2: no implicit grant, nor a hybrid with it."""
    if "response_type" not in asked.parameters:
        raise InvalidRequest("response_type is missing.")
    if asked.parameters["response_type"] != "code":
        raise UnsupportedResponseType


def _response_mode(asked: Asked) -> None:
    mode = asked.parameters.get("response_mode", "query")
    if mode not in RESPONSE_MODES:
        raise InvalidRequest("This response_mode is not offered.")
    asked.found["response_mode"] = mode


def _texts(asked: Asked) -> None:
    for name, longest in _LONGEST.items():
        value = asked.parameters.get(name, "")
        if len(value) > longest or (name != "claims" and not _TEXT.match(value)):
            raise InvalidRequest(f"{name} is longer than {longest} characters, or not printable ASCII.")
    asked.found |= {name: asked.parameters.get(name) for name in ("state", "nonce")}
    asked.found |= {name: asked.words(name) for name in ("acr_values", "ui_locales")}
    hint = asked.parameters.get("login_hint", "")
    asked.found["login_hint"] = hint if 0 < len(hint) <= 320 and hint.isprintable() else None


def _code_challenge(asked: Asked) -> None:
    """RFC 7636 section 4.3; without a method it would be `plain`, which RFC 9700 section 2.1.1 is against."""
    challenge = asked.parameters.get("code_challenge")
    if challenge is None:
        raise InvalidRequest("code_challenge is missing: PKCE is required of every client.")
    if asked.parameters.get("code_challenge_method") != "S256" or not _CHALLENGE.match(challenge):
        raise InvalidRequest("Only an S256 code_challenge is taken.")
    asked.found["code_challenge"] = challenge


def _scope(asked: Asked) -> None:
    asked.found["scope"] = authorized_scope(asked.parameters.get("scope"), asked.client)


def _resource(asked: Asked) -> None:
    """RFC 8707 section 2: this API itself, or one protected API of the client's tenant."""
    resource = asked.parameters.get("resource", asked.issuer)
    if resource != asked.issuer and resource not in asked.audiences:
        raise InvalidTarget
    asked.found["audience"] = resource


def _prompt(asked: Asked) -> None:
    prompt = asked.words("prompt")
    if any(each not in PROMPTS for each in prompt) or ("none" in prompt and len(prompt) > 1):
        raise InvalidRequest("prompt is none, or some of login, consent and select_account.")
    asked.found["prompt"] = prompt


def _max_age(asked: Asked) -> None:
    value = asked.parameters.get("max_age")
    if value is None:
        return
    if not (value.isascii() and value.isdigit()) or len(value) > 10 or int(value) > _MAX_AGE:
        raise InvalidRequest("max_age is a number of seconds.")
    asked.found["max_age"] = int(value)


def _claims(asked: Asked) -> None:
    """OpenID Connect Core section 5.5: `{"userinfo"?, "id_token"?}`, each of claim names to null or an object."""
    text = asked.parameters.get("claims")
    if text is None:
        return
    try:
        claims = parse_json(text.encode("utf-8", "surrogatepass"))
    except Malformed:
        raise InvalidRequest("claims is not JSON.") from None
    if not isinstance(claims, dict) or not all(_is_members(claims.get(name, {})) for name in ("userinfo", "id_token")):
        raise InvalidRequest("claims is not a request for claims.")
    asked.found["claims"] = {name: claims[name] for name in ("userinfo", "id_token") if name in claims}


def _is_members(members: Any) -> bool:
    return isinstance(members, dict) and all(_is_member(name, value) for name, value in members.items())


def _is_member(name: str, value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or not isinstance(value.get("essential", False), bool):
        return False
    if name != "acr":
        return True
    values = value.get("values", [value.get("value", "")])
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


def _id_token_hint(asked: Asked) -> None:
    hint = asked.parameters.get("id_token_hint")
    if hint is None:
        return
    try:
        claims = verify_id_token_hint(hint, client_id=asked.client.id, signing_keys=asked.signing_keys, issuer=asked.issuer)
    except Unauthenticated:
        raise InvalidRequest("id_token_hint is not one of this client's.") from None
    asked.found["hinted"] = claims["sub"]


def _dpop_jkt(asked: Asked) -> None:
    """RFC 9449 section 10."""
    thumbprint = asked.parameters.get("dpop_jkt")
    if thumbprint is not None and not _CHALLENGE.match(thumbprint):
        raise InvalidRequest("dpop_jkt is not the thumbprint of a key.")
    asked.found["dpop_jkt"] = thumbprint


_ALWAYS, _NEVER = True, False
_CHECKS: tuple[tuple[Callable[[Asked], None], bool, bool], ...] = (
    #  check            authorize  par
    (_registration,     _ALWAYS,   _ALWAYS),
    (_no_request_uri,   _NEVER,    _ALWAYS),
    (_pushed,           _ALWAYS,   _NEVER),
    (_signed,           _ALWAYS,   _ALWAYS),
    (_grant_type,       _ALWAYS,   _ALWAYS),
    (_response_type,    _ALWAYS,   _ALWAYS),
    (_response_mode,    _ALWAYS,   _ALWAYS),
    (_texts,            _ALWAYS,   _ALWAYS),
    (_code_challenge,   _ALWAYS,   _ALWAYS),
    (_scope,            _ALWAYS,   _ALWAYS),
    (_resource,         _ALWAYS,   _ALWAYS),
    (_prompt,           _ALWAYS,   _ALWAYS),
    (_max_age,          _ALWAYS,   _ALWAYS),
    (_claims,           _ALWAYS,   _ALWAYS),
    (_id_token_hint,    _ALWAYS,   _ALWAYS),
    (_dpop_jkt,         _ALWAYS,   _ALWAYS),
)  # fmt: skip
