"""
The token by which a connection's directory calls: `scim_`, pepper version (1), the connection's id (22), 256 random bits
(43), keyed checksum (11), in base62 as API keys are.

The checksum refuses a made-up token without a read or a hash. What is stored is a bcrypt hash with a ticket, so that a good
one costs a hash once an hour; a token that is revoked, whose connection is disabled or gone, or that has expired, is refused
from the next request on: each reads token and connection consistently.
"""

import hmac
import re
import secrets as entropy
from dataclasses import dataclass, field
from datetime import timedelta

from platforma.apikeys.format import ALPHABET, decode, encode
from platforma.kernel import ids
from platforma.kernel.clock import Clock
from platforma.kernel.errors import Conflict, NotFound, Unauthenticated
from platforma.kernel.events import Attempt
from platforma.keys.errors import UnknownPepper
from platforma.keys.model import Pepper
from platforma.keys.ports import Secrets
from platforma.keys.stored_secret import store, verify
from platforma.sso.model import Connection
from platforma.sso.ports import Connections
from platforma.sso.read_connection import read_connection
from platforma.sso.scim.model import MAX_TOKENS, SCIMToken
from platforma.sso.scim.ports import SCIMTokens

PREFIX = "scim_"
USE_NOTED_EVERY = timedelta(minutes=1)
_FORM = re.compile(r"scim_([0-9A-Za-z])([0-9A-Za-z]{22})([0-9A-Za-z]{43})([0-9A-Za-z]{11})", re.ASCII)
_PURPOSE = b"platforma scim token checksum v1\x00"


@dataclass(frozen=True, slots=True)
class GenuineToken:
    """A token that we once issued. Whether it is still good is not known yet."""

    connection_id: str
    selector: str
    secret: str = field(repr=False)


def create_scim_token(
    connection_id: str,
    *,
    tenant_id: str,
    expires_in: int | None,
    connections: Connections,
    scim_tokens: SCIMTokens,
    secrets: Secrets,
    clock: Clock,
    attempt: Attempt,
) -> tuple[SCIMToken, str]:
    """
    A fresh token of the connection's, and its text, told this once. *expires_in* is in seconds; None: it does not expire.

    Raises:
        NotFound: the tenant has no such connection.
        Conflict: the connection has as many as it may.
    """
    connection = read_connection(connection_id, tenant_id=tenant_id, connections=connections)
    if len(scim_tokens.of_connection(connection_id)) >= MAX_TOKENS:
        raise Conflict(f"A connection has at most {MAX_TOKENS} tokens: revoke one first.")
    now, pepper = clock(), secrets.pepper()
    number = encode(int.from_bytes(ids.to_bytes(connection.id), "big"), 22)
    random = encode(entropy.randbits(256), 43)
    head = f"{PREFIX}{ALPHABET[pepper.version]}{number}{random}"
    selector = _checksum(head, pepper)
    token = SCIMToken(
        id=ids.new_id("sso").removeprefix("sso_"),
        tenant_id=tenant_id,
        connection_id=connection.id,
        selector=selector,
        stored=store(random, bound_to=connection.id, pepper=pepper, now=now),
        created_at=now,
        expires_at=None if expires_in is None else now.replace(microsecond=0) + timedelta(seconds=expires_in),
    )
    changes = {"before": None, "after": {"scim_token": token.id, "expires_at": token.as_json()["expires_at"]}}
    scim_tokens.add(token, attempt.event("success", resource=connection.id, resource_type="sso_connection", changes=changes))
    return token, head + selector


def list_scim_tokens(
    connection_id: str, *, tenant_id: str, connections: Connections, scim_tokens: SCIMTokens
) -> tuple[SCIMToken, ...]:
    """
    The connection's tokens, without their texts.

    Raises:
        NotFound: the tenant has no such connection.
    """
    return scim_tokens.of_connection(read_connection(connection_id, tenant_id=tenant_id, connections=connections).id)


def revoke_scim_token(
    connection_id: str,
    token_id: str,
    *,
    tenant_id: str,
    connections: Connections,
    scim_tokens: SCIMTokens,
    attempt: Attempt,
) -> None:
    """
    Have a token be good no more, from the next request.

    Raises:
        NotFound: the tenant has no such connection, or that no such token.
    """
    known = list_scim_tokens(connection_id, tenant_id=tenant_id, connections=connections, scim_tokens=scim_tokens)
    token = next((each for each in known if each.id == token_id), None)
    if token is None:
        raise NotFound
    changes = {"before": {"scim_token": token.id}, "after": None}
    event = attempt.event("success", resource=connection_id, resource_type="sso_connection", changes=changes)
    scim_tokens.remove(token, event)


def verify_scim_token(
    presented: str, *, connections: Connections, scim_tokens: SCIMTokens, secrets: Secrets, clock: Clock
) -> Connection:
    """
    Turn a presented token into the connection whose directory calls. Nothing about *presented* is verified yet.

    Raises:
        Unauthenticated: it is none of ours, revoked or expired, or its connection is disabled or gone; one error for all.
            Its facts name the connection and tenant of a genuine one.
        Unavailable: it could not be checked.
    """
    token, now = genuine(presented, secrets=secrets), clock()
    connection = connections.get(token.connection_id)
    if connection is None:
        raise Unauthenticated(cause="connection_gone")
    facts = {"connection_id": connection.id, "tenant_id": connection.tenant_id}
    kept = next((each for each in scim_tokens.of_connection(connection.id) if each.selector == token.selector), None)
    if kept is None or not connection.enabled or (kept.expires_at is not None and kept.expires_at <= now):
        raise Unauthenticated(cause="scim_token_dead", **facts)
    renewed = verify(token.secret, kept.stored, bound_to=connection.id, secrets=secrets, now=now)
    if renewed is not None or kept.last_used_at is None or now - kept.last_used_at >= USE_NOTED_EVERY:
        scim_tokens.note_use(kept, renewed or kept.stored, now)
    return connection


def genuine(presented: str, *, secrets: Secrets) -> GenuineToken:
    """
    Tell a token that we issued from anything else, in constant time and without a read.

    Raises:
        Unauthenticated: it is not one.
    """
    if not (match := _FORM.fullmatch(presented)):
        raise Unauthenticated
    try:
        pepper = secrets.pepper(ALPHABET.index(match[1]))
    except UnknownPepper:
        raise Unauthenticated from None
    if not hmac.compare_digest(_checksum(presented[: match.start(4)], pepper), match[4]):
        raise Unauthenticated
    return GenuineToken(ids.from_bytes("sso", decode(match[2]).to_bytes(16, "big")), match[4], match[3])


def _checksum(text: str, pepper: Pepper) -> str:
    mac = hmac.digest(pepper.key, _PURPOSE + text.encode(), "sha256")
    return encode(int.from_bytes(mac[:8], "big"), 11)
