"""A device asks (RFC 8628 section 3.1), and its person finds what it asks, and decides (section 3.3)."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed, NotFound, Unavailable
from platforma.kernel.events import Attempt
from platforma.oauth.authorization.ports import Consents
from platforma.oauth.consents.life import record_consent
from platforma.oauth.device.errors import UnknownUserCode
from platforma.oauth.device.model import (
    LIFETIME,
    DeviceAuthorization,
    device_code_hash,
    new_codes,
    shown_code,
    typed_code,
)
from platforma.oauth.device.ports import Devices
from platforma.oauth.errors import InvalidTarget, UnauthorizedClient
from platforma.oauth.model import DEVICE_CODE, Client
from platforma.oauth.ports import Clients
from platforma.oauth.scope import authorized_scope
from platforma.oauth.sessions.model import Session

_TRIES = 5


def authorize_device(
    form: Mapping[str, str],
    *,
    client: Client,
    audiences: Collection[str],
    devices: Devices,
    issuer: str,
    clock: Clock,
) -> dict[str, object]:
    """
    The body of the answer to a device of the authenticated *client* (RFC 8628 section 3.2).

    Raises:
        UnauthorizedClient: the client is not registered for this grant.
        InvalidScope: malformed, or more than it is registered for.
        InvalidTarget: a `resource` for which no tokens are issued.
        Unavailable: no free user code was found.
    """
    if DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClient
    audience = form.get("resource", issuer)
    if audience != issuer and audience not in audiences:
        raise InvalidTarget
    scope, now = authorized_scope(form.get("scope"), client), clock()
    for _ in range(_TRIES):
        device_code, user_code = new_codes()
        asked = DeviceAuthorization(
            hash=device_code_hash(device_code),
            user_code=user_code,
            tenant_id=client.tenant_id,
            client_id=client.id,
            scope=scope,
            audience=audience,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        try:
            devices.keep(asked)
        except AlreadyUsed:
            continue
        return {
            "device_code": device_code,
            "user_code": shown_code(user_code),
            "verification_uri": f"{issuer}/device",
            "verification_uri_complete": f"{issuer}/device?user_code={shown_code(user_code)}",
            "expires_in": int(LIFETIME.total_seconds()),
            "interval": asked.interval,
        }
    raise Unavailable


def read_device(typed: str, *, devices: Devices, clients: Clients, clock: Clock) -> tuple[DeviceAuthorization, Client]:
    """
    The request that somebody *typed* the code of, and its client.

    A user code has 34 bits: whoever asks counts the tries of whoever types (RFC 8628 section 5.1).

    Raises:
        UnknownUserCode: no such code that is waiting, too old, or its client is not active any more.
    """
    user_code = typed_code(typed)
    asked = devices.by_user_code(user_code) if user_code else None
    client = clients.get(asked.client_id) if asked else None
    if (
        asked is None
        or client is None
        or asked.standing != "pending"
        or clock() >= asked.expires_at
        or client.status != "active"
    ):
        raise UnknownUserCode
    return asked, client


def allow_device(
    asked: DeviceAuthorization,
    *,
    session: Session,
    attempt: Attempt,
    devices: Devices,
    consents: Consents,
    clock: Clock,
) -> None:
    """
    Let the device have what it asks for, in the name of the person of *session*.

    Raises:
        NotFound: the session is of another tenant.
        AlreadyUsed: it was decided already.
    """
    if session.tenant_id != asked.tenant_id:
        raise NotFound
    event = attempt.event("success", resource=asked.client_id, resource_type="oauth_client", reason="device_allowed")
    devices.decide(asked.allowed_by(session), event)
    record_consent(session, asked.client_id, asked.scope, attempt=attempt, consents=consents, clock=clock, part=2)


def decline_device(asked: DeviceAuthorization, *, session: Session, attempt: Attempt, devices: Devices) -> None:
    """
    Refuse the device.

    Raises:
        NotFound: the session is of another tenant.
        AlreadyUsed: it was decided already.
    """
    if session.tenant_id != asked.tenant_id:
        raise NotFound
    event = attempt.event("denied", resource=asked.client_id, resource_type="oauth_client", reason="access_denied")
    devices.decide(replace(asked, standing="denied"), event)
