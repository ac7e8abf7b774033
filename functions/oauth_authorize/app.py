"""The authorization endpoint (RFC 6749 section 3.1), and the one that its requests are pushed to (RFC 9126)."""

from collections.abc import Mapping

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.bodies import read_form, read_parameters
from platforma.edge.browser import BROWSER, SESSION, cookie
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
    browser, languages = cookie(call.headers, BROWSER), call.headers.get("accept-language", "")
    session = bootstrap.oauth.read_session(cookie(call.headers, SESSION))
    if "flow" in parameters and "client_id" not in parameters:
        go = bootstrap.oauth.resume_authorization
        return led_on(go(parameters["flow"], session=session, browser=browser, attempt=call.attempt), languages)
    go = bootstrap.oauth.begin_authorization
    return led_on(go(parameters, session=session, browser=browser, attempt=call.attempt), languages)


@api.serves("oauth.authorization_requests.push")
def push(call: Call) -> Answer:
    form = read_form(call)
    client = client_of(call, form, bootstrap.oauth.authenticate_client, bootstrap.snapshots)
    audiences = bootstrap.audiences_of(client.tenant_id)
    push_request, key = bootstrap.oauth.push_authorization_request, bootstrap.proofs().key_of(call)
    return Answer(201, push_request(form, client=client, audiences=audiences, key=key))


handler = api.handler
