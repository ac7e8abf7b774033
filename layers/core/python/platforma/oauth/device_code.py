"""The device code grant (RFC 8628 sections 3.4 and 3.5): the device asks again and again, and gets tokens once."""

import secrets as entropy
from collections.abc import Mapping

from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Attempt
from platforma.oauth.authorization.errors import AccessDenied
from platforma.oauth.backchannel.model import to_be_told
from platforma.oauth.device.model import DeviceAuthorization, device_code_hash
from platforma.oauth.errors import AuthorizationPending, ExpiredToken, InvalidGrant, InvalidRequest, SlowDown
from platforma.oauth.grants.granting import Granting
from platforma.oauth.grants.mint import first_answer, require_target
from platforma.oauth.grants.model import Grant
from platforma.oauth.model import Client
from platforma.oauth.token_response import TokenResponse

_MAX_CODE = 128


def redeem_device_code(
    form: Mapping[str, str],
    *,
    client: Client,
    attempt: Attempt,
    by: Granting,
    binding: Mapping[str, str] | None = None,
) -> TokenResponse:
    """
    The tokens for the device code in *form*, of the authenticated *client*, bound to the key that *binding* (`cnf`) names.

    Raises:
        InvalidRequest: there is none.
        InvalidGrant: it is unknown, another client's or spent; or the person or the session is good no more.
        ExpiredToken: ten minutes are over.
        AuthorizationPending, SlowDown: the person has not decided; the device asks too often.
        AccessDenied: the person said no.
    """
    shown = form.get("device_code")
    if shown is None:
        raise InvalidRequest("device_code is missing.")
    asked = by.devices.get(device_code_hash(shown)) if len(shown) <= _MAX_CODE else None
    if asked is None or asked.client_id != client.id or asked.standing == "spent":
        raise InvalidGrant
    now = by.clock()
    if now >= asked.expires_at:
        raise ExpiredToken
    if asked.standing == "denied":
        raise AccessDenied
    if asked.standing == "pending":
        polled = asked.polled(now)
        by.devices.note_poll(polled)
        raise SlowDown if polled.interval > asked.interval else AuthorizationPending
    grant = _grant(asked, by, binding)
    attempt.user_id = grant.user_id
    require_target(form, grant)
    grant, answer = first_answer(grant, client=client, by=by, now=now)
    changes = {"after": {"grant": grant.id, "session": grant.session_id, "scope": " ".join(grant.scope)}}
    event = attempt.event("success", resource=answer.jti, resource_type="access_token", changes=changes)
    try:
        by.devices.redeem(asked, grant, event, to_be_told(grant, client))
    except AlreadyUsed:
        raise InvalidGrant from None
    return answer


def _grant(asked: DeviceAuthorization, by: Granting, binding: Mapping[str, str] | None) -> Grant:
    assert asked.user_id is not None
    assert asked.session_id is not None
    assert asked.auth_time is not None
    return Grant(
        id=entropy.token_urlsafe(16),
        tenant_id=asked.tenant_id,
        client_id=asked.client_id,
        user_id=asked.user_id,
        session_id=asked.session_id,
        scope=asked.scope,
        audience=asked.audience,
        amr=asked.amr,
        auth_time=asked.auth_time,
        created_at=by.clock(),
        binding=binding,
    )
