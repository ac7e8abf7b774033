"""The token endpoint (RFC 6749 section 3.2), and what tells of tokens and ends them."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.bodies import read_form
from platforma.edge.call import Call
from platforma.edge.clients import client_of

api = API("oauth_token", bootstrap.edge)


@api.serves("oauth.tokens.issue")
def issue_token(call: Call) -> Answer:
    form = read_form(call)
    client = client_of(call, form, bootstrap.oauth.authenticate_client, bootstrap.snapshots)
    binding = bootstrap.proofs().binding_of(call, client)
    audiences = bootstrap.audiences_of(client.tenant_id)
    token = bootstrap.oauth.issue_token(form, client=client, audiences=audiences, binding=binding, attempt=call.attempt)
    call.unproven = False  # it showed a code or a token of its own: an answer that is given again is told of as well
    return Answer(200, token.as_json(), {"Pragma": "no-cache"}, resource=token.jti)


@api.serves("oauth.device_authorizations.start")
def authorize_device(call: Call) -> Answer:
    form = read_form(call)
    client = client_of(call, form, bootstrap.oauth.authenticate_client, bootstrap.snapshots)
    audiences = bootstrap.audiences_of(client.tenant_id)
    return Answer(200, bootstrap.oauth.authorize_device(form, client=client, audiences=audiences))


@api.serves("oauth.tokens.introspect")
def introspect(call: Call) -> Answer:
    form = read_form(call)
    client = client_of(call, form, bootstrap.oauth.authenticate_client, bootstrap.snapshots)
    return Answer(200, dict(bootstrap.oauth.introspect(form, client=client)))


@api.serves("oauth.tokens.revoke")
def revoke(call: Call) -> Answer:
    form = read_form(call)
    client = client_of(call, form, bootstrap.oauth.authenticate_client, bootstrap.snapshots)
    bootstrap.oauth.revoke_token(form, client=client, attempt=call.attempt)
    return Answer(200, {})


@api.serves("oauth.userinfo.get")
@api.serves("oauth.userinfo.read")
def userinfo(call: Call) -> Answer:
    caller = call.caller
    return Answer(200, bootstrap.oauth.userinfo(caller.tenant_id, caller.user_id, caller.client_id, caller.openid_scopes))


handler = api.handler
