"""
Client authentication: by secret (`client_secret_basic`, `client_secret_post`, RFC 6749 section 2.3.1), by `private_key_jwt`
(RFC 7523), by `tls_client_auth` (RFC 8705), and `none` for public clients, who are merely named.

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
from platforma.oauth.client_assertion import ASSERTION_TYPE, subject_of, verify_assertion
from platforma.oauth.client_certificate import verify_subject
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.client_secret import genuine
from platforma.oauth.denied_certificates import presented_id
from platforma.oauth.errors import InvalidClient, InvalidRequest
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients, SingleUse
from platforma.oauth.sessions.ports import Revocations

USE_NOTED_EVERY = timedelta(minutes=1)
_MAX_HEADER = 1024


@dataclass(frozen=True, slots=True)
class UnverifiedClient:
    """What a request says about the client behind it: a *secret*, an *assertion*, or the *certificate* of its connection."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    method: str = "none"
    assertion: str | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)


def presented_client(
    authorization: str | None, form: Mapping[str, str], certificate: bytes | None = None
) -> UnverifiedClient:
    """
    The client that a request names, and by what it means to prove it. Nothing about it is verified yet.

    Raises:
        InvalidRequest: two ways of authentication at once, or two client ids (RFC 6749 section 2.3).
        InvalidClient: none that is offered here, or one that cannot be read.
    """
    ways = [
        authorization is not None,
        "client_secret" in form,
        "client_assertion" in form or "client_assertion_type" in form,
    ]
    if sum(ways) > 1:
        raise InvalidRequest("A client authenticates in one way at a time.")
    if authorization is not None:
        client_id, secret = _basic(authorization)
        if form.get("client_id", client_id) != client_id:
            raise InvalidRequest("The client_id of the form is not the one that authenticates.")
        return UnverifiedClient(client_id, secret, "client_secret_basic")
    if ways[2]:
        return _asserted(form)
    if "client_id" not in form:
        raise InvalidClient("Client authentication is required.")
    if "client_secret" in form:
        return UnverifiedClient(form["client_id"], form["client_secret"], "client_secret_post")
    return UnverifiedClient(form["client_id"], certificate=certificate)


def _asserted(form: Mapping[str, str]) -> UnverifiedClient:
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise InvalidClient
    named = subject_of(form["client_assertion"])
    if form.get("client_id", named) != named:
        raise InvalidClient
    return UnverifiedClient(named, None, "private_key_jwt", assertion=form["client_assertion"])


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


def authenticate_client(
    presented: UnverifiedClient,
    *,
    clients: Clients,
    secrets: Secrets,
    client_keys: ClientKeys,
    single_use: SingleUse,
    revocations: Revocations,
    issuer: str,
    clock: Clock,
) -> Client:
    """
    Turn what a request presents into the client that it proves to be. Whether its tenant is in use is not asked here.

    A public client proves nothing: what it may do, it may do because it shows a code, a token or a device code of its own.

    Raises:
        InvalidClient: unknown, wrong, taken away, suspended or deleted, or not the method it registered: one error for all.
    """
    if not is_id(presented.client_id, "cli"):
        raise InvalidClient
    if presented.secret is not None:
        return _by_secret(presented, presented.secret, clients=clients, secrets=secrets, clock=clock)
    client = clients.get(presented.client_id)
    if client is None or client.status != "active":
        raise InvalidClient
    method = "tls_client_auth" if client.authentication == "tls_client_auth" else presented.method
    if not client.may_authenticate_by(method):
        raise InvalidClient
    if method == "private_key_jwt":
        verify_assertion(
            presented.assertion or "", client=client, keys=client_keys, single_use=single_use, issuer=issuer, clock=clock
        )
    elif method == "tls_client_auth":
        verify_subject(presented.certificate, client=client, clock=clock)
        if revocations.any_of(client.tenant_id, [presented_id(presented.certificate or b"")]):
            raise InvalidClient
    return client


def _by_secret(presented: UnverifiedClient, secret: str, *, clients: Clients, secrets: Secrets, clock: Clock) -> Client:
    shown = genuine(secret, client_id=presented.client_id, secrets=secrets)
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
