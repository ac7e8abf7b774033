"""A client at its own registration: the token that it shows (RFC 7592 section 2), and whose it is."""

from collections.abc import Callable
from typing import Any

from platforma.edge.call import Call
from platforma.oauth.dynamic_registration import Registration
from platforma.oauth.errors import InvalidToken
from platforma.policy.snapshots import Snapshots


def presented_token(call: Call) -> str:
    """
    The bearer token of the request.

    Raises:
        InvalidToken: there is none, or more than one.
    """
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or "," in token:
        raise InvalidToken
    return token.strip()


def registration_of(call: Call, oauth: Any, snapshots: Callable[[], Snapshots]) -> Registration:
    """
    The registration that the request's token is for; the call's event is its tenant's from here on.

    Raises:
        InvalidToken: it is for none, or its tenant is not in use.
    """
    found: Registration = oauth.verify_registration(call.path["id"], presented_token(call))
    client = found.client
    if snapshots().of(client.tenant_id).standing != "active":
        raise InvalidToken
    call.identify_client(client.tenant_id, client.id)
    return found
