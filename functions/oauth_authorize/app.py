"""The authorization endpoint (RFC 6749 section 3.1), the one that its requests are pushed to (RFC 9126), and logout."""

from collections.abc import Mapping
from urllib.parse import urlencode

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.bodies import read_form, read_parameters
from platforma.edge.browser import BROWSER, SESSION, cookie, forgotten
from platforma.edge.call import Call
from platforma.edge.clients import client_of
from platforma.edge.redirects import led_on

api = API("oauth_authorize", bootstrap.edge)


@api.serves("oauth.authorizations.start")
def start(call: Call) -> Answer:
    return _authorized(call, read_parameters(call))


@api.serves("oauth.authorizations.submit")
def submit(call: Call) -> Answer:
    return _authorized(call, read_form(call))


def _authorized(call: Call, parameters: Mapping[str, str]) -> Answer:
    browser = cookie(call.headers, BROWSER)
    session = bootstrap.oauth.read_session(cookie(call.headers, SESSION))
    if "flow" in parameters and "client_id" not in parameters:
        go = bootstrap.oauth.resume_authorization
        return led_on(go(parameters["flow"], session=session, browser=browser, attempt=call.attempt))
    go = bootstrap.oauth.begin_authorization
    return led_on(go(parameters, session=session, browser=browser, attempt=call.attempt))


@api.serves("oauth.authorization_requests.push")
def push(call: Call) -> Answer:
    form = read_form(call)
    client = client_of(call, form, bootstrap.oauth.authenticate_client, bootstrap.snapshots)
    audiences = bootstrap.audiences_of(client.tenant_id)
    push_request, key = bootstrap.oauth.push_authorization_request, bootstrap.proofs().key_of(call)
    return Answer(201, push_request(form, client=client, audiences=audiences, key=key))


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
