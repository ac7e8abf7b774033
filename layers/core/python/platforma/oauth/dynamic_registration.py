"""
Dynamic client registration and its management (RFC 7591, RFC 7592): a client by its own hand.

It gets no roles, is never first-party, and is registered for at most the scopes of its initial access token. The token to
manage the registration is kept as a hash, and is another after each change.
"""

import hmac
import secrets as entropy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from platforma.kernel.clock import Clock
from platforma.kernel.errors import FieldError, PreconditionFailed, Unprocessable
from platforma.kernel.events import Attempt
from platforma.kernel.ids import is_id
from platforma.keys.ports import Secrets
from platforma.oauth.client_metadata import DEFAULTS as METADATA
from platforma.oauth.clients import change_client, create_client, delete_client
from platforma.oauth.errors import InvalidClientMetadata, InvalidRedirectURI, InvalidToken
from platforma.oauth.initial_access_token import spend_initial_access_token
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients, SingleUse
from platforma.oauth.registration import CHANGEABLE, DEFAULTS, checked
from platforma.oauth.scope import OPENID_SCOPES
from platforma.policy.actions import within

_PREFIX = "rat_"
_SAME = ("redirect_uris", "grant_types", *(name for name in METADATA if name not in ("first_party", "profile")))
"""The members of RFC 7591 that are called as ours are."""


_OFFERED: Mapping[str, Any] = {"response_types": ["code"], "subject_type": "public"}
"""Of what a client may ask to be, the one thing that is offered: told at once, not when people sign in."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A client with what is shown to it alone: its *secret* where it was just made, and the token to manage it."""

    client: Client
    registration_access_token: str
    client_secret: str | None = None

    def as_json(self, issuer: str) -> dict[str, Any]:
        """RFC 7591 section 3.2.1. A secret is told once, so that reading the registration does not tell it."""
        client = self.client
        body: dict[str, Any] = {
            "client_id": client.id,
            "client_id_issued_at": int(client.created_at.timestamp()),
            "client_name": client.name,
            "scope": " ".join(client.scopes),
            "token_endpoint_auth_method": client.authentication,
            "response_types": ["code"] if "authorization_code" in client.grant_types else [],
            "registration_access_token": self.registration_access_token,
            "registration_client_uri": f"{issuer}/oauth2/register/{client.id}",
            **{name: value for name, value in client.as_json().items() if name in _SAME and value is not None},
        }
        if self.client_secret is not None:
            body |= {"client_secret": self.client_secret, "client_secret_expires_at": 0}
        return body


def register_client(
    metadata: Mapping[str, Any],
    presented: str,
    *,
    attempt: Attempt,
    clients: Clients,
    secrets: Secrets,
    single_use: SingleUse,
    in_use: Callable[[str], bool],
    clock: Clock,
) -> Registration:
    """
    The client that the holder of the initial access token *presented* describes; members that are not known are ignored.

    *in_use* tells whether a tenant is.

    Raises:
        InvalidToken: not an initial access token, expired, used before, or of a tenant that is not in use.
        InvalidRedirectURI: a redirect URI is not one that may be registered.
        InvalidClientMetadata: another member is at fault, or a scope is more than the token allows.
    """
    initial = spend_initial_access_token(presented, secrets=secrets, single_use=single_use, clock=clock)
    if not in_use(initial.tenant_id):
        raise InvalidToken
    attempt.tenant_id, attempt.principal_type = initial.tenant_id, "oauth_client"
    attempt.principal_id = f"initial_access_token:{initial.nonce}"
    fields = _fields(metadata, most=initial.scopes)
    token, kept = _new_token()
    try:
        client, secret = create_client(
            fields,
            tenant_id=initial.tenant_id,
            attempt=attempt,
            clients=clients,
            secrets=secrets,
            clock=clock,
            registration_token=kept,
        )
    except Unprocessable as error:
        raise _told(error) from None
    return Registration(client, token, secret)


def verify_registration(client_id: str, presented: str, *, clients: Clients) -> Registration:
    """
    The registration that the token *presented* is for (RFC 7592 section 2).

    Raises:
        InvalidToken: there is none, or the token is not its own.
    """
    client = clients.get(client_id) if is_id(client_id, "cli") else None
    kept = client.registration_token if client is not None else None
    if client is None or kept is None or client.status != "active" or not hmac.compare_digest(kept, _hash(presented)):
        raise InvalidToken
    return Registration(client, presented)


def update_registration(
    registration: Registration, metadata: Mapping[str, Any], *, attempt: Attempt, clients: Clients
) -> Registration:
    """
    The registration with *metadata* in place of all that it had, and another token (RFC 7592 section 2.2).

    Raises:
        InvalidToken: it was changed meanwhile, by who had the same token.
        InvalidRedirectURI: as in `register_client`.
        InvalidClientMetadata: likewise; or it names another client, or another type of client.
    """
    before = registration.client
    if metadata.get("client_id") != before.id:
        raise InvalidClientMetadata("client_id must be the client's own.")
    fields = _fields(metadata, most=before.scopes)
    if fields.pop("type") != before.type:
        raise InvalidClientMetadata("A client stays public, or confidential.")
    token, kept = _new_token()

    def replaced(client: Client) -> Client:
        if client.registration_token != before.registration_token:
            raise InvalidToken
        current = {**DEFAULTS, "type": client.type, "name": client.name, "roles": client.roles}
        whole = checked(fields, known=CHANGEABLE, current=current, platform=client.platform)
        own = {"first_party": client.first_party, "profile": client.profile, "status": client.status}
        return client.changed(**{**whole, **own, "registration_token": kept})

    try:
        after = change_client(
            before.id, replaced, tenant_id=before.tenant_id, if_version=None, attempt=attempt, clients=clients
        )
    except Unprocessable as error:
        raise _told(error) from None
    except PreconditionFailed:
        raise InvalidToken from None
    return replace(registration, client=after, registration_access_token=token)


def delete_registration(registration: Registration, *, attempt: Attempt, clients: Clients) -> None:
    """End the client, its secrets and its live tokens (RFC 7592 section 2.3)."""
    client = registration.client
    delete_client(client.id, tenant_id=client.tenant_id, if_version=None, attempt=attempt, clients=clients)


def _fields(metadata: Mapping[str, Any], *, most: tuple[str, ...]) -> dict[str, Any]:
    """Our names for the members that are known, with the defaults of RFC 7591 section 2."""
    fields = {name: metadata[name] for name in _SAME if metadata.get(name) is not None}
    method = metadata.get("token_endpoint_auth_method", "client_secret_basic")
    fields["token_endpoint_auth_method"] = method
    fields["type"] = "public" if method == "none" else "confidential"
    fields.setdefault("grant_types", ["authorization_code"])
    if "authorization_code" in fields["grant_types"] and not fields.get("redirect_uris"):  # section 2: it MUST have one
        raise InvalidRedirectURI("A client of the authorization code grant needs a redirect URI.")
    for name, value in _OFFERED.items():
        if metadata.get(name, value) != value:
            raise InvalidClientMetadata(f"{name} is not offered like this.")
    fields["name"] = metadata.get("client_name", "client")
    scope = metadata.get("scope", " ".join(most))
    if not isinstance(scope, str):
        raise InvalidClientMetadata("scope must be a text.")
    scopes = list(dict.fromkeys(scope.split()))
    if not within(
        [each for each in scopes if each not in OPENID_SCOPES], [each for each in most if each not in OPENID_SCOPES]
    ):
        raise InvalidClientMetadata("scope exceeds what this registration may have.")
    fields["scopes"] = scopes
    return fields


def _told(error: Unprocessable) -> InvalidClientMetadata | InvalidRedirectURI:
    faults: list[FieldError] = list(error.errors)
    if any(fault["pointer"].startswith("/redirect_uris") for fault in faults):
        return InvalidRedirectURI()
    places = ", ".join(fault["pointer"].lstrip("/").partition("/")[0] for fault in faults[:5])
    return InvalidClientMetadata(f"Not valid: {places}.")


def _new_token() -> tuple[str, str]:
    token = _PREFIX + entropy.token_urlsafe(32)
    return token, _hash(token)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
