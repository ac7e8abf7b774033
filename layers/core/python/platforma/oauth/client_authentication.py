"""
Client authentication by secret: `client_secret_basic` and `client_secret_post` (RFC 6749 section 2.3.1).

What it costs to be wrong. A secret not issued by us to that client id is refused by its checksum: no read, no hash. A
genuine one that was taken away, or of a client that is suspended or deleted, costs one read and no hash. bcrypt is paid for
a secret that is good, once an hour; so strangers can neither exhaust a function nor tell by time which clients exist.
"""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import unquote_plus

from platforma.kernel.clock import Clock
from platforma.kernel.errors import Unauthenticated
from platforma.kernel.ids import is_id
from platforma.keys.ports import Secrets
from platforma.keys.stored_secret import verify
from platforma.oauth.client_secret import genuine
from platforma.oauth.errors import InvalidClient, InvalidRequest
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients

USE_NOTED_EVERY = timedelta(minutes=1)
_MAX_HEADER = 1024


@dataclass(frozen=True, slots=True)
class UnverifiedClient:
    """What a request says about the client behind it."""

    client_id: str
    secret: str = field(repr=False)
    method: str


def presented_client(authorization: str | None, form: Mapping[str, str]) -> UnverifiedClient:
    """
    The client id and secret that a request presents. Nothing about them is verified yet.

    Raises:
        InvalidRequest: two ways of authentication at once, or two client ids (RFC 6749 section 2.3).
        InvalidClient: none that is offered here, or one that cannot be read.
    """
    if authorization is None:
        if not ("client_id" in form and "client_secret" in form):
            raise InvalidClient("Client authentication is required.")
        return UnverifiedClient(form["client_id"], form["client_secret"], "client_secret_post")
    if "client_secret" in form or "client_assertion" in form:
        raise InvalidRequest("A client authenticates in one way at a time.")
    client_id, secret = _basic(authorization)
    if form.get("client_id", client_id) != client_id:
        raise InvalidRequest("The client_id of the form is not the one that authenticates.")
    return UnverifiedClient(client_id, secret, "client_secret_basic")


def _basic(authorization: str) -> tuple[str, str]:
    """RFC 7617 section 2, each half form-encoded besides (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(authorization) > _MAX_HEADER:
        raise InvalidClient
    try:
        client_id, colon, secret = b64decode(encoded.strip(" "), validate=True).decode().partition(":")
        if not colon:
            raise InvalidClient
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError):
        raise InvalidClient from None


def authenticate_client(presented: UnverifiedClient, *, clients: Clients, secrets: Secrets, clock: Clock) -> Client:
    """
    Turn what a request presents into the client that it proves to be. Whether its tenant is in use is not asked here.

    Raises:
        InvalidClient: unknown, wrong, taken away, suspended or deleted, or not the method it registered: one error for all.
    """
    if not is_id(presented.client_id, "cli"):
        raise InvalidClient
    shown = genuine(presented.secret, client_id=presented.client_id, secrets=secrets)
    client = clients.get(presented.client_id)
    if client is None:
        raise InvalidClient
    kept = next((each for each in client.secrets if hmac.compare_digest(each.selector, shown.selector)), None)
    if kept is None or client.status != "active" or not client.may_authenticate_by(presented.method):
        raise InvalidClient(client=client)
    now = clock()
    try:
        renewed = verify(shown.random, kept.stored, bound_to=client.id, secrets=secrets, now=now)
    except Unauthenticated:
        raise InvalidClient from None
    noted = kept.last_used_at is not None and now - kept.last_used_at < USE_NOTED_EVERY
    if renewed or not noted:
        used = replace(kept, stored=renewed or kept.stored, last_used_at=now)
        if not clients.note_use(client.id, used):
            raise InvalidClient(client=client)
    return client
