"""What a client discovers: the server's metadata and its public signing keys."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.call import Call

api = API("oauth_metadata", bootstrap.edge)
_CACHED = {"Cache-Control": "public, max-age=300"}


@api.serves("oauth.metadata.get")
def get_openid_configuration(_call: Call) -> Answer:
    return Answer(200, bootstrap.oauth.openid_configuration(), _CACHED)


@api.serves("oauth.server_metadata.get")
def get_authorization_server(_call: Call) -> Answer:
    return Answer(200, bootstrap.oauth.authorization_server(), _CACHED)


@api.serves("oauth.resource_metadata.get")
def get_protected_resource(_call: Call) -> Answer:
    return Answer(200, bootstrap.oauth.protected_resource(), _CACHED)


@api.serves("oauth.signing_keys.list")
def list_signing_keys(_call: Call) -> Answer:
    return Answer(200, bootstrap.signing_keys().jwks(), _CACHED)


handler = api.handler
