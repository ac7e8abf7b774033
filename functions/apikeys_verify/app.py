"""Is this key good, and may its bearer do that."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.key_verification import verify_presented_key

api = API("apikeys_verify", bootstrap.edge)


@api.serves("settings.api_keys.verify")
def verify_key(call: Call) -> Answer:
    found = verify_presented_key(
        call,
        check=bootstrap.apikeys.check_key,
        snapshot=bootstrap.snapshots().of(call.tenant_id),
        subjects=bootstrap.subjects(),
        known=bootstrap.known_resource,
    )
    return Answer(200, found)


handler = api.handler
