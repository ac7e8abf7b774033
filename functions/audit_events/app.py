"""The audit log: searched, proved, and written to by other services."""

from functools import partial
from typing import Any

from platforma import bootstrap
from platforma.edge.answer import Answer, etag, listed, shown, tagged
from platforma.edge.api import API
from platforma.edge.audit_disclosures import asked_fields, disclosure_answer
from platforma.edge.audit_exports import asked_export, export_view, exports_page
from platforma.edge.audit_query import asked_times, consistency_sizes, event_query, own_log, tile_answer
from platforma.edge.audit_streams import asked_stream, stream_view
from platforma.edge.audit_witnesses import witness_view
from platforma.edge.audit_writing import write_external
from platforma.edge.call import Call
from platforma.edge.conditional import put
from platforma.edge.key_usage import key_usage, usage_window
from platforma.edge.persons import archive, events_of_person

api = API("audit_events", bootstrap.edge)


@api.serves("audit.events.search")
def search_events(call: Call) -> Answer:
    found = bootstrap.audit.search(event_query(call))
    return listed(list(found.events), call.next_cursor(found.after))


@api.serves("audit.events.get")
def get_event(call: Call) -> Answer:
    event = bootstrap.audit.get_event(call.tenant_id, call.path["id"])
    call.require_own(event["principal_id"], event["user_id"])
    return tagged(event)


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


@api.serves("audit.disclosures.get")
def disclose_event(call: Call) -> Answer:
    log_id, event = bootstrap.audit.locate_event(call.tenant_id, call.path["id"])
    disclosed = bootstrap.audit.disclose(log_id, event.get("sequence"), asked_fields(call))
    return disclosure_answer(call, disclosed, bootstrap.outbox().enter)


@api.serves("audit.logs.list")
def list_logs(call: Call) -> Answer:
    return listed(bootstrap.published().logs(call.tenant_id, bootstrap.host()), None)


@api.serves("audit.consistency.get")
def get_consistency(call: Call) -> Answer:
    return Answer(200, bootstrap.published().consistency(*consistency_sizes(call)))


@api.serves("audit.completeness.get")
def get_completeness(call: Call) -> Answer:
    return Answer(200, bootstrap.audit.completeness(call.tenant_id, *asked_times(call), now=call.now))


def _export(call: Call, export: Any, after: str | None = None) -> dict[str, Any]:
    return export_view(call, export, bootstrap.exports(), bootstrap.export_files(), after)


@api.serves("audit.events.export")
def export_events(call: Call) -> Answer:
    export = bootstrap.audit.ask_for_export(call.tenant_id, **asked_export(call), attempt=call.attempt)
    headers = {"Retry-After": "60", "ETag": etag(export.version)}
    return Answer(202, _export(call, export), headers, resource=export.id)


@api.serves("audit.exports.list")
def list_exports(call: Call) -> Answer:
    found, after = bootstrap.audit.list_exports(call.tenant_id, **call.page())
    views, after = exports_page(call, found, after, bootstrap.exports(), bootstrap.export_files())
    return listed(views, call.next_cursor(after))


@api.serves("audit.exports.get")
def get_export(call: Call) -> Answer:
    export = bootstrap.audit.read_export(call.tenant_id, call.path["id"])
    return shown(_export(call, export, call.parameters.cursor), export.version)


def _stream(call: Call, stream: Any) -> dict[str, Any]:
    return stream_view(stream, streams=bootstrap.streams(), store=bootstrap.audit_store(), now=call.now)


@api.serves("audit.streams.create")
def create_stream(call: Call) -> Answer:
    stream, secret = bootstrap.audit.create_stream(asked_stream(call), attempt=call.attempt)
    return shown({**_stream(call, stream), "secret": secret}, stream.version, status=201)


@api.serves("audit.streams.list")
def list_streams(call: Call) -> Answer:
    found, after = bootstrap.audit.list_streams(call.tenant_id, **call.page())
    return listed([_stream(call, stream) for stream in found], call.next_cursor(after))


@api.serves("audit.streams.get")
def get_stream(call: Call) -> Answer:
    stream = bootstrap.audit.read_stream(call.tenant_id, call.path["id"])
    return shown(_stream(call, stream), stream.version)


@api.serves("audit.streams.update")
def update_stream(call: Call) -> Answer:
    change = partial(bootstrap.audit.update_stream, call.path["id"], asked_stream(call), attempt=call.attempt)
    stream = change(if_match=call.if_match)
    return shown(_stream(call, stream), stream.version)


@api.serves("audit.streams.delete")
def delete_stream(call: Call) -> Answer:
    bootstrap.audit.delete_stream(call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("audit.stream_secrets.rotate")
def rotate_stream_secret(call: Call) -> Answer:
    stream, secret = bootstrap.audit.rotate_stream_secret(call.path["id"], attempt=call.attempt)
    return shown({**_stream(call, stream), "secret": secret}, stream.version, status=201)


@api.serves("audit.streams.replay")
def replay_stream(call: Call) -> Answer:
    asked = {"log_id": call.body.log, "from_sequence": call.body.from_sequence}
    stream = bootstrap.audit.replay_stream(call.path["id"], **asked, attempt=call.attempt)
    return shown(_stream(call, stream), stream.version, status=202)


def _witness(witness: Any) -> dict[str, Any]:
    return witness_view(witness, witnesses=bootstrap.witnesses(), store=bootstrap.audit_store())


@api.serves("audit.witnesses.create")
def choose_witness(call: Call) -> Answer:
    witness = bootstrap.audit.choose_witness(call.body.verifier_key, call.body.url, attempt=call.attempt)
    return shown(_witness(witness), witness.version, status=201)


@api.serves("audit.witnesses.list")
def list_witnesses(call: Call) -> Answer:
    found, after = bootstrap.audit.list_witnesses(call.tenant_id, **call.page())
    return listed([_witness(witness) for witness in found], call.next_cursor(after))


@api.serves("audit.witnesses.get")
def get_witness(call: Call) -> Answer:
    witness = bootstrap.audit.read_witness(call.tenant_id, call.path["id"])
    return shown(_witness(witness), witness.version)


@api.serves("audit.witnesses.delete")
def dismiss_witness(call: Call) -> Answer:
    bootstrap.audit.dismiss_witness(call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("audit.keys.list")
def list_keys(call: Call) -> Answer:
    return Answer(200, {"keys": bootstrap.published().keys(own_log(call), bootstrap.checkpoint_signer())})


@api.serves("audit.checkpoints.get")
def get_checkpoint(call: Call) -> Answer:
    return Answer(200, bootstrap.published().checkpoint(own_log(call)).decode(), media_type="text/plain; charset=utf-8")


@api.serves("audit.tiles.get")
def get_tile(call: Call) -> Answer:
    return tile_answer(bootstrap.published().tile(own_log(call), f"tile/{call.path['path']}"), call)


@api.serves("audit.retention.get")
def get_retention(call: Call) -> Answer:
    kept = bootstrap.audit.read_keeping(call.tenant_id)
    return shown(kept.as_json(), kept.version) if kept.version else Answer(200, kept.as_json())


@api.serves("audit.retention.set")
def set_retention(call: Call) -> Answer:
    write = partial(bootstrap.audit.set_keeping, call.tenant_id, **call.body.model_dump(), attempt=call.attempt)
    kept = put(call, lambda version: write(if_match=version))
    return shown(kept.as_json(), kept.version)


@api.serves("settings.users.disclose")
def export_person(call: Call) -> Answer:
    call.require_own(call.path["id"])
    user = bootstrap.identity.read_user(call.tenant_id, call.path["id"])
    roles = bootstrap.identity.explain_roles(call.tenant_id, user.id)
    found = bootstrap.audit.search(events_of_person(call, user.id))
    return Answer(200, archive(call, user, roles, bootstrap.kept_of_persons(), found.events, call.next_cursor(found.after)))


@api.serves("settings.erasures.get")
def get_erasure(call: Call) -> Answer:
    return tagged(bootstrap.audit.read_erasure(call.tenant_id, call.path["id"]).as_json())


handler = api.handler
