"""API keys: issue, show, narrow, rotate, revoke."""

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.giving import key_fields, key_request

api = API("apikeys_manage", bootstrap.edge)


@api.serves("settings.api_keys.create")
def create_key(call: Call) -> Answer:
    giving = bootstrap.giving(call)
    giving.check(scopes=call.body.scopes)
    giving.check_key_scopes(call.body.scopes)
    owner_type, owner_id = giving.key_owner(call.body.owner)
    issued = bootstrap.apikeys.issue_key(
        key_request(call.body),
        tenant_id=call.tenant_id,
        owner_type=owner_type,
        owner_id=owner_id,
        created_by=call.caller.principal_id,
        bound=giving.bound(),
        attempt=call.attempt,
    )
    return created({**issued.key.as_json(call.now), "key": issued.text}, issued.key.version, issued.key.id)


@api.serves("settings.api_keys.list")
def list_keys(call: Call) -> Answer:
    keys, after = bootstrap.apikeys.list_keys(call.tenant_id, **call.page(), owner_id=call.only_own())
    return listed([key.as_json(call.now) for key in keys], call.next_cursor(after))


@api.serves("settings.api_keys.get")
def get_key(call: Call) -> Answer:
    key = bootstrap.apikeys.get_key(call.tenant_id, call.path["id"])
    call.require_own(key.owner_id)
    return shown(key.as_json(call.now), key.version)


@api.serves("settings.api_keys.update")
def update_key(call: Call) -> Answer:
    giving, fields = bootstrap.giving(call), call.given()
    giving.check_key_change(bootstrap.apikeys.get_key(call.tenant_id, call.path["id"]), fields)
    key = bootstrap.apikeys.change_key(
        call.tenant_id,
        call.path["id"],
        key_fields(fields),
        narrows=giving.narrows,
        if_match=call.if_match,
        attempt=call.attempt,
    )
    return shown(key.as_json(call.now), key.version)


@api.serves("settings.api_keys.delete")
def revoke_key(call: Call) -> Answer:
    bootstrap.apikeys.revoke_key(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.api_keys.rotate")
def rotate_key(call: Call) -> Answer:
    giving, scopes = bootstrap.giving(call), bootstrap.apikeys.get_key(call.tenant_id, call.path["id"]).scopes
    giving.check(scopes=scopes)
    giving.check_key_scopes(scopes)
    issued = bootstrap.apikeys.rotate_key(
        call.tenant_id,
        call.path["id"],
        created_by=call.caller.principal_id,
        grace_period_seconds=call.body.grace_period_seconds,
        until_used=call.body.until_used,
        attempt=call.attempt,
    )
    return created({**issued.key.as_json(call.now), "key": issued.text}, issued.key.version, issued.key.id)


handler = api.handler
