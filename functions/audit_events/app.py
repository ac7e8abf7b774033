"""The audit log, read."""

from platforma import bootstrap
from platforma.edge.answer import Answer, listed
from platforma.edge.api import API
from platforma.edge.audit_query import event_query
from platforma.edge.call import Call

api = API("audit_events", bootstrap.edge)


@api.serves("audit.events.search")
def search_events(call: Call) -> Answer:
    found = bootstrap.audit.search(event_query(call))
    return listed(list(found.events), call.next_cursor(found.after))


@api.serves("audit.events.get")
def get_event(call: Call) -> Answer:
    event = bootstrap.audit.get_event(call.tenant_id, call.path["id"])
    call.require_own(event["principal_id"], event["user_id"])
    return Answer(200, event)


handler = api.handler
