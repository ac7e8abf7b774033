"""The token endpoint (RFC 6749 section 3.2)."""

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
    return Answer(200, token.as_json(), {"Pragma": "no-cache"}, resource=token.jti)


handler = api.handler
