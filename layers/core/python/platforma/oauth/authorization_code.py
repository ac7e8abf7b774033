"""
The authorization code grant (RFC 6749 section 4.1.3) with PKCE (RFC 7636 section 4.5).

A code that is shown a second time was stolen, on its way to the client or back: what the first one gave ends
(RFC 6749 section 4.1.2).
"""

from collections.abc import Mapping

from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Attempt
from platforma.oauth.authorization.model import AuthorizationCode, code_hash, verifies
from platforma.oauth.backchannel.model import to_be_told
from platforma.oauth.errors import InvalidGrant, InvalidRequest
from platforma.oauth.grants.granting import Granting
from platforma.oauth.grants.mint import first_answer, require_target
from platforma.oauth.grants.model import Grant
from platforma.oauth.model import Client
from platforma.oauth.token_response import TokenResponse

_MAX_CODE = 128


def redeem_code(
    form: Mapping[str, str],
    *,
    client: Client,
    attempt: Attempt,
    by: Granting,
    binding: Mapping[str, str] | None = None,
) -> TokenResponse:
    """
    The tokens for the code in *form*, of the authenticated *client*, bound to the key that *binding* (`cnf`) names.

    Raises:
        InvalidRequest: code, redirect URI or verifier are missing.
        InvalidGrant: the code is unknown, another client's, spent, expired, or asked for with another redirect URI or
            verifier; or the person or the session is good no more.
        InvalidTarget: another `resource` than was granted.
    """
    shown, redirect_uri, verifier = (form.get(name) for name in ("code", "redirect_uri", "code_verifier"))
    if shown is None or redirect_uri is None or verifier is None:
        raise InvalidRequest("code, redirect_uri and code_verifier are required.")
    code = by.authorizations.code(code_hash(shown)) if len(shown) <= _MAX_CODE else None
    if code is None or code.request.client_id != client.id:
        raise InvalidGrant
    attempt.user_id = code.user_id
    if code.spent:
        raise _replayed(code, attempt, by)
    request, now = code.request, by.clock()
    bound = request.dpop_jkt is None or (binding or {}).get("jkt") == request.dpop_jkt
    if now >= code.expires_at or redirect_uri != request.redirect_uri or not bound:
        raise InvalidGrant
    if not 43 <= len(verifier) <= 128 or not verifies(verifier, request.code_challenge):
        raise InvalidGrant
    grant = Grant(
        id=code.grant_id,
        tenant_id=code.tenant_id,
        client_id=client.id,
        user_id=code.user_id,
        session_id=code.session_id,
        scope=request.scope,
        audience=request.audience,
        amr=code.amr,
        auth_time=code.auth_time,
        created_at=now,
        claims=request.claims,
        binding=binding,
    )
    require_target(form, grant)
    grant, answer = first_answer(grant, client=client, by=by, now=now, nonce=request.nonce)
    event = attempt.event("success", resource=answer.jti, resource_type="access_token", changes=_told(grant))
    try:
        by.authorizations.redeem(code, grant, event, to_be_told(grant, client))
    except AlreadyUsed:
        raise _replayed(code, attempt, by) from None
    return answer


def _replayed(code: AuthorizationCode, attempt: Attempt, by: Granting) -> InvalidGrant:
    grant = by.grants.get(code.grant_id)
    if grant is not None:
        event = attempt.event("denied", resource=grant.id, resource_type="grant", reason="code_reuse_detected")
        by.grants.end(grant, by.clock(), event)
    return InvalidGrant(cause="code_reuse_detected")


def _told(grant: Grant) -> dict[str, object]:
    return {"after": {"grant": grant.id, "session": grant.session_id, "scope": " ".join(grant.scope)}}
