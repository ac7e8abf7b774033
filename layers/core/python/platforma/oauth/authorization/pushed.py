"""
Pushed authorization requests (RFC 9126): the client says what it wants by itself, and the browser carries a reference.

The reference is the client's alone, good for five minutes, and for one answer: it may be opened again while its person has
not come to an end (a page that is reloaded), and is over with the code or the no that it leads to.
"""

import secrets as entropy
from collections.abc import Collection, Mapping

from platforma.kernel.clock import Clock
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.authorization.checks import checked_request, recipient_of
from platforma.oauth.authorization.errors import InvalidRequestURI, UntrustedRequest
from platforma.oauth.authorization.model import PUSHED_LIFETIME, KeptRequest
from platforma.oauth.authorization.ports import Authorizations
from platforma.oauth.authorization.request_object import open_request_object
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.errors import InvalidDPoPProof, InvalidRequest
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients

PREFIX = "urn:ietf:params:oauth:request_uri:"


def push_authorization_request(
    form: Mapping[str, str],
    *,
    client: Client,
    audiences: Collection[str],
    key: str | None = None,
    clients: Clients,
    authorizations: Authorizations,
    signing_keys: SigningKeys,
    client_keys: ClientKeys,
    issuer: str,
    clock: Clock,
) -> dict[str, object]:
    """
    Keep what the authenticated *client* asks for; the body of the answer (RFC 9126 section 2.2).

    *key* is the thumbprint of the key that it proves to hold: the code is for that key alone (RFC 9449 section 10.1).

    Raises:
        InvalidRequest: another client is meant, or the redirect URI is not one of its.
        InvalidRequestObject: a signed request that is not the client's.
        InvalidDPoPProof: *key* is not the one that `dpop_jkt` names.
        OAuthError: what the request itself is refused with.
    """
    parameters: dict[str, str] = {"client_id": client.id, **form}
    if parameters["client_id"] != client.id:
        raise InvalidRequest("The client_id is not the one that authenticates.")
    signed = "request" in parameters
    if signed:  # RFC 9126 section 3: what counts is in it
        if "request_uri" in parameters:
            raise InvalidRequest("request_uri is not for a pushed request.")
        parameters = open_request_object(
            parameters["request"], client=client, client_keys=client_keys, issuer=issuer, clock=clock
        )
    if key is not None and parameters.setdefault("dpop_jkt", key) != key:
        raise InvalidDPoPProof
    try:
        recipient_of(parameters, clients=clients)
    except UntrustedRequest:
        raise InvalidRequest("The redirect_uri is missing, or not one of the client's.") from None
    request = checked_request(
        parameters, client=client, pushed=True, signed=signed, audiences=audiences, issuer=issuer, signing_keys=signing_keys
    )
    now = clock()
    kept = KeptRequest(entropy.token_urlsafe(24), client.tenant_id, request, now, now + PUSHED_LIFETIME)
    authorizations.keep(kept)
    return {"request_uri": PREFIX + kept.id, "expires_in": int(PUSHED_LIFETIME.total_seconds())}


def read_pushed(
    parameters: Mapping[str, str], *, clients: Clients, authorizations: Authorizations, clock: Clock
) -> tuple[Client, KeptRequest]:
    """
    The request that a `request_uri` of ours stands for, and its client; other parameters count for nothing.

    Raises:
        InvalidRequestURI: unknown, over, expired, or not the named client's.
    """
    kept = authorizations.kept(parameters["request_uri"].removeprefix(PREFIX))
    if kept is None or kept.browser is not None or clock() >= kept.expires_at:
        raise InvalidRequestURI
    client = clients.get(kept.request.client_id)
    if client is None or client.status != "active" or parameters.get("client_id") != client.id:
        raise InvalidRequestURI
    return client, kept
