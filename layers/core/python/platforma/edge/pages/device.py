"""
Connecting a device: its code is entered, its person signs in where they have not, sees who asks for what, and decides.

A code that comes with the link fills the form in and is looked at when the form is sent: whoever follows a link of somebody
else's sees the code and is asked whether their own device shows it (RFC 8628 sections 3.3.1 and 5.4). A code has 34 bits and
ten minutes: wrong ones are counted, by the person who is signed in and by the network address (section 5.1), and right ones
pay back no more than themselves, so that nobody clears the count by a device of their own.
"""

from dataclasses import replace
from urllib.parse import quote

from platforma.edge.answer import Answer
from platforma.edge.pages.guard import entered_token
from platforma.edge.pages.visit import Visit
from platforma.identity.model import User
from platforma.identity.sign_in import place_of
from platforma.identity.throttle import FREE_ATTEMPTS, FREE_ATTEMPTS_OF_AN_ADDRESS
from platforma.kernel.errors import AlreadyUsed, RateLimited
from platforma.kernel.tenancy import PLATFORM
from platforma.oauth.device.errors import UnknownUserCode
from platforma.oauth.device.model import DeviceAuthorization, shown_code
from platforma.oauth.model import Client

_LONGEST_CODE = 32


def show_device(visit: Visit) -> Answer:
    """
    The form for a code; or, where one was entered here, who asks for what, after signing in.

    Raises:
        Shown: the device does not wait any more.
    """
    if visit.user_code is None:
        return visit.show("device", typed=visit.parameters.get("user_code", "")[:_LONGEST_CODE])
    there, asked, client = _entered(visit, visit.user_code)
    if (user := there.person()) is None:
        return Answer(303, headers={"Location": f"/login?tenant={asked.tenant_id}&device={quote(there.device, safe='')}"})
    return _question(there, asked, client, user)


def connect_device(visit: Visit) -> Answer:
    """
    The answer to either form: on with the code that was entered, or the person's decision, for which nothing but yes is yes.

    Raises:
        Shown: no device waits for the code, or too many wrong ones were tried.
    """
    if visit.user_code is None:
        typed = visit.parameters.get("user_code", "")[:_LONGEST_CODE]
        user_code = _tried(visit, typed).user_code
        device = entered_token(visit.world.form_key(), visit.browser, user_code)
        return Answer(303, headers={"Location": f"/device?device={quote(device, safe='')}"})
    there, asked, _ = _entered(visit, visit.user_code)
    if (user := there.person()) is None or "answer" not in visit.parameters:
        return show_device(visit)
    there.act_as(user.id)
    allowed = visit.parameters["answer"] == "allow"
    decide = visit.world.oauth.allow_device if allowed else visit.world.oauth.decline_device
    try:
        decide(asked, session=visit.session, attempt=visit.call.attempt)
    except AlreadyUsed:
        raise _unknown(visit, UnknownUserCode()) from None
    return replace(there, user_code=None).show("device_done", allowed=allowed)


def _tried(visit: Visit, typed: str) -> DeviceAuthorization:
    """The request of the code that was *typed*, which cost a try if there is none."""
    world, now = visit.world, visit.call.now
    tried_by = [(PLATFORM, f"device:{place_of(visit.call.attempt.ip_address)}", FREE_ATTEMPTS_OF_AN_ADDRESS)]
    if visit.session is not None:
        tried_by.append((visit.session.tenant_id, f"device:{visit.session.user_id}", FREE_ATTEMPTS))
    charged = []
    try:
        for tenant_id, subject, free in tried_by:
            cost = world.identity.charge_attempt(tenant_id, subject, now=now, free=free)
            charged.append((tenant_id, subject, cost))
        asked, _ = world.oauth.read_device(typed)
        if not world.in_use(asked.tenant_id):
            raise UnknownUserCode
    except (RateLimited, UnknownUserCode) as cause:
        raise _unknown(visit, cause, typed) from None
    for tenant_id, subject, cost in charged:
        world.identity.refund_attempt(tenant_id, subject, cost)
    found: DeviceAuthorization = asked
    return found


def _entered(visit: Visit, user_code: str) -> tuple[Visit, DeviceAuthorization, Client]:
    """The visit as one of the device's tenant, what the device asks for, and its client."""
    try:
        asked, client = visit.world.oauth.read_device(user_code)
        if not visit.world.in_use(asked.tenant_id):
            raise UnknownUserCode
    except UnknownUserCode as cause:
        raise _unknown(visit, cause) from None
    there = replace(visit, tenant=visit.world.identity.read_tenant(asked.tenant_id), kept=None, client=None)
    return there, asked, client


def _unknown(visit: Visit, cause: RateLimited | UnknownUserCode, typed: str = "") -> Exception:
    return replace(visit, user_code=None).refuse(cause, "device", status=404, typed=typed)


def _question(there: Visit, asked: DeviceAuthorization, client: Client, user: User) -> Answer:
    return there.show("device_consent", user_code=shown_code(asked.user_code), asking=client, scopes=asked.scope, user=user)
