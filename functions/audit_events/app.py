"""The audit log: searched, proved, and written to by other services."""

from platforma import bootstrap
from platforma.edge.answer import Answer, listed
from platforma.edge.api import API
from platforma.edge.audit_exports import asked_export, export_view
from platforma.edge.audit_query import asked_times, consistency_sizes, event_query, own_log, tile_answer
from platforma.edge.audit_writing import write_external
from platforma.edge.call import Call
from platforma.edge.key_usage import key_usage, usage_window

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


@api.serves("settings.api_key_usage.get")
def get_key_usage(call: Call) -> Answer:
    key = bootstrap.apikeys.get_key(call.tenant_id, call.path["id"])
    call.require_own(key.owner_id)
    return Answer(200, key_usage(key, *usage_window(call), search=bootstrap.audit.search))


@api.serves("audit.events.write")
def write_events(call: Call) -> Answer:
    return Answer(200, {"ids": write_external(call, bootstrap.outbox().enter)})


@api.serves("audit.proofs.get")
def get_proof(call: Call) -> Answer:
    log_id, event = bootstrap.audit.locate_event(call.tenant_id, call.path["id"])
    sequence = event.get("sequence")
    proof = None if sequence is None else bootstrap.published().inclusion(log_id, sequence)
    return Answer(202, {"status": "pending"}, {"Retry-After": "60"}) if proof is None else Answer(200, proof)


@api.serves("audit.logs.list")
def list_logs(call: Call) -> Answer:
    return listed(bootstrap.published().logs(call.tenant_id, bootstrap.host()), None)


@api.serves("audit.consistency.get")
def get_consistency(call: Call) -> Answer:
    return Answer(200, bootstrap.published().consistency(*consistency_sizes(call)))


@api.serves("audit.completeness.get")
def get_completeness(call: Call) -> Answer:
    return Answer(200, bootstrap.audit.completeness(call.tenant_id, *asked_times(call), now=call.now))


@api.serves("audit.events.export")
def export_events(call: Call) -> Answer:
    export = bootstrap.audit.ask_for_export(call.tenant_id, **asked_export(call), attempt=call.attempt)
    return Answer(202, export_view(export, bootstrap.export_files()), {"Retry-After": "60"}, resource=export.id)


@api.serves("audit.exports.list")
def list_exports(call: Call) -> Answer:
    found, after = bootstrap.audit.list_exports(call.tenant_id, **call.page())
    return listed([export_view(export, bootstrap.export_files()) for export in found], call.next_cursor(after))


@api.serves("audit.exports.get")
def get_export(call: Call) -> Answer:
    export = bootstrap.audit.read_export(call.tenant_id, call.path["id"])
    return Answer(200, export_view(export, bootstrap.export_files()))


@api.serves("audit.keys.list")
def list_keys(call: Call) -> Answer:
    return Answer(200, {"keys": bootstrap.published().keys(own_log(call), bootstrap.checkpoint_signer())})


@api.serves("audit.checkpoints.get")
def get_checkpoint(call: Call) -> Answer:
    return Answer(200, bootstrap.published().checkpoint(own_log(call)).decode(), media_type="text/plain; charset=utf-8")


@api.serves("audit.tiles.get")
def get_tile(call: Call) -> Answer:
    return tile_answer(bootstrap.published().tile(own_log(call), f"tile/{call.path['path']}"), call)


handler = api.handler
