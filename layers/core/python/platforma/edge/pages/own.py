"""One's own ways to sign in, for who has signed in within a quarter of an hour; and signing out."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from platforma.edge.answer import Answer
from platforma.edge.browser import SESSION, forgotten
from platforma.edge.pages.visit import Visit
from platforma.identity.factors import TooManyPasskeys, WrongCode, WrongPasskey
from platforma.identity.model import User
from platforma.kernel.errors import Conflict, NotFound, RateLimited, Unavailable

FRESH = timedelta(minutes=15)
"""How long after signing in one may change how one signs in: a browser left open is not enough."""


def show_factors(visit: Visit) -> Answer:
    """The list, with what may be added."""
    user = _person(visit)
    return _asked_to_sign_in(visit) if user is None else visit.show("factors", **_list(visit, user))


def change_factors(visit: Visit) -> Answer:
    """
    Add or remove one.

    Raises:
        Shown: it could not be done.
    """
    if (user := _person(visit)) is None:
        return _asked_to_sign_in(visit)
    visit.act_as(user.id)
    own, sent, of = visit.world.factors, visit.parameters, (user.tenant_id, user.id)
    attempt, action = visit.call.attempt, sent.get("do")
    try:
        if action == "app":
            assert visit.tenant is not None
            secret, uri = own.enrol_totp(*of, account=user.email, issuer_name=visit.tenant.name, attempt=attempt)
            return visit.show("app", secret=secret, uri=uri)
        if action == "confirm":
            codes = own.confirm_totp(*of, sent.get("code", ""), attempt=attempt)
            return visit.show("recovery", codes=codes)
        if action == "recovery":
            return visit.show("recovery", codes=own.renew_recovery_codes(*of, attempt=attempt))
        if action == "passkey":
            name = sent.get("name", "").strip()[:64] or "Passkey"
            own.enrol_passkey(user, sent.get("passkey", ""), name=name, attempt=attempt)
        elif action == "remove":
            own.remove_factor(*of, sent.get("id", ""), attempt=attempt)
    except (WrongCode, WrongPasskey, TooManyPasskeys, Conflict, NotFound, RateLimited) as cause:
        raise visit.refuse(cause, "factors", **_list(visit, user)) from None
    return Answer(303, headers={"Location": "/factors"})


def show_sign_out(visit: Visit) -> Answer:
    """The question, or that it is done."""
    on = None
    if visit.session is not None:
        with suppress(Unavailable):
            on = visit.world.sso.signs_out_at(visit.session)
    return visit.show("sign_out", user=visit.person(), leads_to=[on] if on is not None else [])


def sign_out(visit: Visit) -> Answer:
    """
    End the session, and all that was given in it; then at the identity provider, if it began there.

    Who signs out is signed out here, also where it cannot be read by which provider they came.
    """
    on = None
    if visit.session is not None and visit.tenant is not None and visit.session.tenant_id == visit.tenant.id:
        visit.act_as(visit.session.user_id)
        with suppress(Unavailable):
            on = visit.world.sso.sign_out_link(visit.session)
        visit.world.oauth.end_session(visit.session.id, tenant_id=visit.session.tenant_id, attempt=visit.call.attempt)
    if on is not None:
        return Answer(303, headers={"Location": on}, cookies=(forgotten(SESSION),))
    return visit.show("sign_out", user=None, cookies=(forgotten(SESSION),))


def _person(visit: Visit) -> User | None:
    user = visit.person()
    fresh = visit.session is not None and visit.call.now - visit.session.auth_time < FRESH
    return user if fresh else None


def _asked_to_sign_in(visit: Visit) -> Answer:
    where = f"/login?tenant={visit.tenant.id}" if visit.tenant else "/login"
    return Answer(303, headers={"Location": where})


def _list(visit: Visit, user: User) -> dict[str, Any]:
    factors = visit.world.factors.read_factors(user.tenant_id, user.id)
    return {
        "user": user,
        "factors": factors.as_json(),
        "second": factors.second,
        "options": visit.world.factors.enrolment_options(user),
    }
