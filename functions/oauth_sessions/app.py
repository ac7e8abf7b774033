"""Sign-in sessions and consents: what a person has open and has allowed, and how they, or their client, end it."""

from urllib.parse import urlencode

from platforma import bootstrap
from platforma.edge.answer import Answer, content_version, listed, tagged
from platforma.edge.api import API
from platforma.edge.bodies import read_form, read_parameters
from platforma.edge.browser import SESSION, cookie, forgotten
from platforma.edge.call import Call
from platforma.kernel.errors import NotFound, PreconditionFailed

api = API("oauth_sessions", bootstrap.edge)


@api.serves("settings.sessions.list")
def list_sessions(call: Call) -> Answer:
    page, after = bootstrap.oauth.list_sessions(call.tenant_id, _whose(call) or call.only_own(), **call.page())
    return listed([session.as_json() for session in page], call.next_cursor(after))


@api.serves("settings.sessions.get")
def get_session(call: Call) -> Answer:
    session, graph = bootstrap.oauth.view_session(call.path["id"], tenant_id=call.tenant_id)
    call.require_own(session.user_id)
    return tagged(graph)


@api.serves("settings.sessions.delete")
def delete_session(call: Call) -> Answer:
    session, graph = bootstrap.oauth.view_session(call.path["id"], tenant_id=call.tenant_id)
    call.require_own_change(session.user_id)
    if call.if_match not in (None, content_version(graph)):
        raise PreconditionFailed
    return Answer(200, bootstrap.oauth.close_session(session.id, tenant_id=call.tenant_id, attempt=call.attempt))


@api.serves("settings.consents.list")
def list_consents(call: Call) -> Answer:
    page, after = bootstrap.oauth.list_consents(call.tenant_id, _whose(call) or call.caller.acting_id, **call.page())
    return listed([consent.as_json() for consent in page], call.next_cursor(after))


@api.serves("settings.consents.get")
def get_consent(call: Call) -> Answer:
    whose = _whose(call) or call.caller.acting_id
    return tagged(bootstrap.oauth.get_consent(call.tenant_id, whose, call.path["client_id"]).as_json())


@api.serves("settings.consents.delete")
def delete_consent(call: Call) -> Answer:
    whose, client_id = _whose(call) or call.caller.acting_id, call.path["client_id"]
    call.require_own_change(whose)
    if call.if_match is not None:
        consent = bootstrap.oauth.get_consent(call.tenant_id, whose, client_id)
        if call.if_match != content_version(consent.as_json()):
            raise PreconditionFailed
    ended = bootstrap.oauth.revoke_consent(call.tenant_id, whose, client_id, attempt=call.attempt)
    return Answer(200, {"client_id": client_id, "grants": ended}, resource=client_id)


def _whose(call: Call) -> str | None:
    """The user that is asked about, if one is named; another's is as if there were none to who may see only their own."""
    asked: str | None = call.parameters.user_id
    if asked is not None and not call.permitted and asked != call.caller.acting_id:
        raise NotFound
    return asked


@api.serves("oauth.logout.start")
def log_out(call: Call) -> Answer:
    session = bootstrap.oauth.read_session(cookie(call.headers, SESSION))
    outcome = bootstrap.oauth.log_out(read_parameters(call), session=session, attempt=call.attempt)
    gone = (forgotten(SESSION),) if call.attempt.entered else ()
    return Answer(303, headers={"Location": outcome.location or "/sign-out"}, cookies=gone)


@api.serves("oauth.logout.submit")
def log_out_by_form(call: Call) -> Answer:
    # Another site's form comes without the cookie that says whose session is meant; the navigation it is led on to has it.
    return Answer(303, headers={"Location": f"/oauth2/logout?{urlencode(read_form(call))}"})


handler = api.handler
