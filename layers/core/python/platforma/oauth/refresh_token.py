"""
The refresh token grant (RFC 6749 section 6), rotating (RFC 9700 section 4.14.2).

Each use spends the token and makes the next one of its family. A spent token that is shown again is taken for theft and
ends the family. The one exception is for clients that lost the answer or asked several times at once: the same client with
the same request gets the identical answer again, within 30 seconds and while the successor is unspent. The answer is kept
sealed under a key that is derived from the spent token.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.oauth.errors import InvalidGrant, InvalidRequest
from platforma.oauth.grants.granting import Granting
from platforma.oauth.grants.mint import mint, person_of, require_target
from platforma.oauth.grants.model import REPLAYED_WITHIN, Grant, Spent
from platforma.oauth.grants.refresh_token_format import GenuineRefreshToken, genuine_refresh_token, new_refresh_token
from platforma.oauth.model import Client
from platforma.oauth.scope import narrowed_scope
from platforma.oauth.token_response import TokenResponse

_RACES = 3
_PROOFS = frozenset({"client_assertion", "client_secret", "refresh_token"})
"""What of a request may differ, or says nothing, when it is sent again; the proof of a key is no part of the form."""
_PURPOSE = b"platforma oauth refresh answer v1\x00"


@dataclass(frozen=True, slots=True)
class ReplayedResponse:
    """An answer that was given before, to the very same request."""

    body: dict[str, object] = field(repr=False)
    jti: str

    def as_json(self) -> dict[str, object]:
        """The body of the answer."""
        return self.body


def refresh(
    form: Mapping[str, str],
    *,
    client: Client,
    attempt: Attempt,
    by: Granting,
    binding: Mapping[str, str] | None = None,
) -> TokenResponse | ReplayedResponse:
    """
    The tokens for the refresh token in *form*, of the authenticated *client*, proved by the key that *binding* names.

    Raises:
        InvalidRequest: there is none.
        InvalidGrant: it is not genuine, another client's or key's, expired, spent, or of a family, session or person that
            is good no more. A spent one has ended its family by then.
        InvalidScope: more than was granted.
        InvalidTarget: another `resource` than was granted.
    """
    presented = form.get("refresh_token")
    if presented is None:
        raise InvalidRequest("refresh_token is missing.")
    shown = genuine_refresh_token(presented, secrets=by.secrets)
    if shown is None:
        raise InvalidGrant
    asked = _fingerprint(form, client, binding)
    for _ in range(_RACES):
        grant = by.grants.get(shown.grant_id)
        if grant is None or grant.ended_at is not None or grant.token_hash is None:
            raise InvalidGrant
        mine = grant.client_id == client.id and _is_bound(grant, client, binding)
        if not hmac.compare_digest(grant.token_hash, shown.hash):
            return _again(grant, shown, presented, asked if mine else b"", attempt, by)
        now = by.clock()
        if not mine or not grant.refreshable(now):
            raise InvalidGrant
        attempt.user_id = grant.user_id
        require_target(form, grant)
        scope = narrowed_scope(form.get("scope"), grant.scope)
        person = person_of(grant, by)
        rotates = client.profile != "fapi2"
        successor, kept = (
            new_refresh_token(grant.id, grant.generation + 1, secrets=by.secrets) if rotates else (presented, shown.hash)
        )
        answer = mint(
            grant,
            client=client,
            person=person,
            scope=scope,
            by=by,
            now=now,
            binding=binding,
            refresh_token=successor,
        )
        if rotates:
            sealed = _seal(presented, shown, {"jti": answer.jti, "body": answer.as_json()})
            after = grant.refreshed(kept, Spent(shown.hash, now, asked, sealed), now)
        else:
            after = replace(grant, used_at=now)
        event = attempt.event("success", resource=answer.jti, resource_type="access_token", changes=_told(after))
        try:
            by.grants.refresh(grant, after, event)
        except PreconditionFailed:
            continue
        return answer
    raise InvalidGrant


def _again(
    grant: Grant,
    shown: GenuineRefreshToken,
    presented: str,
    asked: bytes,
    attempt: Attempt,
    by: Granting,
) -> ReplayedResponse:
    """A genuine token that is not the family's current one."""
    now, spent = by.clock(), grant.spent
    attempt.user_id = grant.user_id
    same = (
        spent is not None
        and hmac.compare_digest(spent.token_hash, shown.hash)
        and hmac.compare_digest(spent.request, asked)
        and now - spent.at < REPLAYED_WITHIN
    )
    if same and spent is not None:
        kept = _open(presented, shown, spent.answer)
        attempt.resource, attempt.resource_type = kept["jti"], "access_token"
        return ReplayedResponse(kept["body"], kept["jti"])
    event = attempt.event("denied", resource=grant.id, resource_type="grant", reason="refresh_reuse_detected")
    by.grants.end(grant, now, event)
    raise InvalidGrant(cause="refresh_reuse_detected", generation=shown.generation, current=grant.generation)


def _is_bound(grant: Grant, client: Client, binding: Mapping[str, str] | None) -> bool:
    """
    Whether the request proves what the grant is bound to.

    A public client has nothing but the key, which stays; a confidential one may have a new one (RFC 9449 section 5).
    """
    if grant.binding is None:
        return True
    return binding is not None if client.type == "confidential" else binding == grant.binding


def _fingerprint(form: Mapping[str, str], client: Client, binding: Mapping[str, str] | None) -> bytes:
    """What makes two requests the same: client, key, and every parameter but what proves."""
    sent = {name: value for name, value in form.items() if name not in _PROOFS}
    text = json.dumps([client.id, dict(binding or {}), sent], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def _seal(token: str, shown: GenuineRefreshToken, answer: dict[str, object]) -> bytes:
    nonce = os.urandom(12)
    return nonce + _cipher(token, shown).encrypt(nonce, json.dumps(answer).encode(), shown.grant_id.encode())


def _open(token: str, shown: GenuineRefreshToken, sealed: bytes) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(_cipher(token, shown).decrypt(sealed[:12], sealed[12:], shown.grant_id.encode()))
    return opened


def _cipher(token: str, shown: GenuineRefreshToken) -> AESGCM:
    info = _PURPOSE + shown.generation.to_bytes(4, "big")
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=info).derive(token.encode()))


def _told(grant: Grant) -> dict[str, object]:
    return {"after": {"grant": grant.id, "session": grant.session_id, "generation": grant.generation}}
