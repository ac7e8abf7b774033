"""The caller, as this system sees it."""

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.me import me

api = API("identity_me", bootstrap.edge)


@api.serves("settings.me.get")
def get_me(call: Call) -> Answer:
    return Answer(200, me(call, bootstrap.snapshots().of(call.tenant_id), call.now))


handler = api.handler
