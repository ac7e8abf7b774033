"""
Signing in: a passkey alone, or a password and then, where the person has one, a code of an authenticator app; or by the
identity provider of the domain that the address is of, which then takes over (`single_sign_on`).

Which of address and password was wrong is not said. The session is begun only when every step is done, with a cookie that is
new each time.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from platforma.edge.answer import Answer
from platforma.edge.browser import SESSION, kept
from platforma.edge.pages.guard import read_step_token, step_token
from platforma.edge.pages.visit import Visit
from platforma.identity.factors import WrongCode, WrongPasskey
from platforma.kernel.errors import NotFound, RateLimited, Unauthenticated
from platforma.sso.errors import ProviderRequired


def show_sign_in(visit: Visit) -> Answer:
    """The sign-in page, or first the question of which tenant."""
    if visit.tenant is None:
        return _asked_for_tenant(visit)
    return visit.show("login", **_form(visit))


def sign_in(visit: Visit) -> Answer:
    """
    The answer to the sign-in form: the next step, or on with a session.

    Raises:
        Shown: something was wrong.
    """
    sent = visit.parameters
    if visit.tenant is None or "sso" in sent:
        return _by_provider(visit, sent.get("email", ""))
    if sent.get("go_on") and visit.kept is not None and visit.person() is not None:
        visit.world.oauth.choose_account(visit.kept)
        return _onward(visit)
    if "passkey" in sent:
        return _by_passkey(visit, sent["passkey"])
    if "step" in sent:
        return _by_code(visit, sent["step"], sent.get("code", ""))
    return _by_password(visit, sent.get("email", ""), sent.get("password", ""))


def _asked_for_tenant(visit: Visit, **values: Any) -> Answer:
    return visit.show("tenant", **{"leads_to": ["https:"], "email": "", **values})


def _by_provider(visit: Visit, email: str) -> Answer:
    """On to the identity provider of the address's domain; where it has none, to its tenant's own page."""
    home = visit.world.sso.find_home(email)
    known = home is not None and (visit.tenant is None or visit.tenant.id == home.tenant_id)
    if home is None or not known or not visit.world.in_use(home.tenant_id):
        error = visit.words.no_sso
        if visit.tenant is None:
            return _asked_for_tenant(visit, status=403, error=error, email=email)
        return visit.show("login", status=403, error=error, **_form(visit, email=email))
    if home.connection is not None:
        back = quote(_asked_from(visit), safe="")
        return Answer(303, headers={"Location": f"/sso/{home.connection.id}/start?return_to={back}"})
    if visit.tenant is None:
        return Answer(303, headers={"Location": f"/login?tenant={home.tenant_id}"})
    return visit.show("login", status=403, error=visit.words.no_sso, **_form(visit, email=email))


def _by_password(visit: Visit, email: str, password: str) -> Answer:
    assert visit.tenant is not None
    since = visit.call.now
    try:
        user = visit.world.identity.check_password(visit.tenant.id, email, password, attempt=visit.call.attempt)
    except (Unauthenticated, RateLimited) as cause:
        raise visit.refuse(cause, "login", **_form(visit, email=email)) from None
    if visit.world.factors.read_factors(visit.tenant.id, user.id).second:
        return visit.show("code", step=_step(visit, user.id, since))
    return _signed_in(visit, user.id, ("pwd",), since)


def _by_code(visit: Visit, step: str, code: str) -> Answer:
    assert visit.tenant is not None
    key, now = visit.world.form_key(), visit.call.now
    user_id, since = read_step_token(key, step, visit.browser, visit.tenant.id, visit.flow, now)
    visit.act_as(user_id)
    try:
        method = visit.world.factors.check_code(visit.tenant.id, user_id, code, attempt=visit.call.attempt)
    except (WrongCode, RateLimited) as cause:
        raise visit.refuse(cause, "code", step=step) from None
    return _signed_in(visit, user_id, ("pwd", method, "mfa"), since)


def _by_passkey(visit: Visit, answer: str) -> Answer:
    assert visit.tenant is not None
    check, since = visit.world.factors.check_passkey, visit.call.now
    try:
        user_id, amr = check(visit.tenant.id, answer, browser=visit.browser, attempt=visit.call.attempt)
    except WrongPasskey as cause:
        raise visit.refuse(cause, "login", **_form(visit)) from None
    return _signed_in(visit, user_id, amr, since)


def _signed_in(visit: Visit, user_id: str, amr: tuple[str, ...], since: datetime) -> Answer:
    assert visit.tenant is not None
    visit.act_as(user_id)
    try:
        user = visit.world.identity.read_user(visit.tenant.id, user_id)
    except NotFound:
        user = None
    if user is None or user.status != "active":  # suspended or gone between two steps
        raise visit.refuse(Unauthenticated(), "login", **_form(visit))
    if visit.world.sso.requires_provider(user):
        raise visit.refuse(ProviderRequired(), "login", **_form(visit, email=user.email))
    _, held = visit.world.oauth.start_session(
        visit.tenant.id,
        user_id,
        amr=amr,
        attempt=visit.call.attempt,
        current=visit.session,
        interaction=visit.flow or None,
        since=since,
    )
    return _onward(visit, (kept(SESSION, held),))


def _onward(visit: Visit, cookies: tuple[str, ...] = ()) -> Answer:
    return Answer(303, headers={"Location": _asked_from(visit)}, cookies=cookies)


def _asked_from(visit: Visit) -> str:
    """What asked for the sign-in and goes on after it, or one's own ways to sign in; never an address given."""
    if visit.flow:
        return f"/oauth2/authorize?flow={quote(visit.flow, safe='')}"
    return f"/device?device={quote(visit.device, safe='')}" if visit.device else "/factors"


def _step(visit: Visit, user_id: str, since: datetime) -> str:
    assert visit.tenant is not None
    return step_token(visit.world.form_key(), visit.browser, visit.tenant.id, user_id, visit.flow, since)


def _form(visit: Visit, **values: str) -> dict[str, Any]:
    assert visit.tenant is not None
    providers = [each.start_url for each in visit.world.sso.enabled_connections(visit.tenant.id)]
    hinted = visit.kept.request.login_hint if visit.kept else None
    chooses = visit.kept is not None and "select_account" in visit.kept.request.prompt
    return {
        "email": hinted or "",
        "options": visit.world.factors.sign_in_options(visit.tenant.id, visit.browser),
        "known": visit.person() if chooses else None,
        "sso": bool(providers),
        "leads_to": providers,
        **values,
    }
