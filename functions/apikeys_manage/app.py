"""API keys: issue, show, narrow, rotate, revoke; and the rate limits that several share."""

from functools import partial
from typing import Any

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.conditional import put
from platforma.edge.giving import key_fields, key_request
from platforma.edge.key_verification import told_key
from platforma.edge.leak_reports import answer_report
from platforma.edge.limit_holders import limit_asked, owner_named, tenant_named

api = API("apikeys_manage", bootstrap.edge)


def _told(call: Call, key: Any) -> dict[str, Any]:
    return told_key(key, call.now, bootstrap.subjects())


@api.serves("settings.api_keys.create")
def create_key(call: Call) -> Answer:
    call.require_own_change(call.caller.acting_id)
    giving = bootstrap.giving(call)
    giving.check_new_key(call.body.scopes)
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
    return created({**_told(call, issued.key), "key": issued.text}, issued.key.version, issued.key.id)


@api.serves("settings.api_keys.list")
def list_keys(call: Call) -> Answer:
    keys, after = bootstrap.apikeys.list_keys(call.tenant_id, **call.page(), owner_id=call.only_own())
    return listed([_told(call, key) for key in keys], call.next_cursor(after))


@api.serves("settings.api_keys.get")
def get_key(call: Call) -> Answer:
    key = bootstrap.apikeys.get_key(call.tenant_id, call.path["id"])
    call.require_own(key.owner_id)
    return shown(_told(call, key), key.version)


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
    return shown(_told(call, key), key.version)


@api.serves("settings.api_keys.delete")
def revoke_key(call: Call) -> Answer:
    call.require_own_change(bootstrap.apikeys.get_key(call.tenant_id, call.path["id"]).owner_id)
    bootstrap.apikeys.revoke_key(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.api_keys.rotate")
def rotate_key(call: Call) -> Answer:
    key = bootstrap.apikeys.get_key(call.tenant_id, call.path["id"])
    call.require_own_change(key.owner_id)
    bootstrap.giving(call).check_new_key(key.scopes)
    issued = bootstrap.apikeys.rotate_key(
        call.tenant_id,
        call.path["id"],
        created_by=call.caller.principal_id,
        grace_period_seconds=call.body.grace_period_seconds,
        until_used=call.body.until_used,
        if_match=call.if_match_given,
        attempt=call.attempt,
    )
    return created({**_told(call, issued.key), "key": issued.text}, issued.key.version, issued.key.id)


@api.serves("settings.api_keys.report_leaks")
def report_leaks(call: Call) -> Answer:
    areas = bootstrap.apikeys
    return Answer(200, answer_report(call, verify=areas.verify_report, report=areas.report_leaks))


@api.serves("settings.leak_response.get")
def get_leak_response(call: Call) -> Answer:
    found = bootstrap.apikeys.get_leak_response(call.tenant_id)
    return shown({"response": found.response}, found.version)


@api.serves("settings.leak_response.set")
def set_leak_response(call: Call) -> Answer:
    found = bootstrap.apikeys.set_leak_response(
        call.tenant_id, call.body.response, if_match=call.if_match, attempt=call.attempt
    )
    return shown({"response": found.response}, found.version)


@api.serves("settings.rate_limits.set")
def set_owners_limit(call: Call) -> Answer:
    return _set(call, owner_named(call, bootstrap.subjects()))


@api.serves("settings.rate_limits.get")
def get_owners_limit(call: Call) -> Answer:
    found = bootstrap.apikeys.get_limit(owner_named(call, bootstrap.subjects()))
    return shown(found.as_json(), found.version)


@api.serves("settings.rate_limits.delete")
def delete_owners_limit(call: Call) -> Answer:
    holder = owner_named(call, bootstrap.subjects())
    bootstrap.apikeys.delete_limit(holder, if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("platform.rate_limits.set")
def set_tenants_limit(call: Call) -> Answer:
    return _set(call, tenant_named(call, bootstrap.snapshots()))


@api.serves("platform.rate_limits.get")
def get_tenants_limit(call: Call) -> Answer:
    found = bootstrap.apikeys.get_limit(tenant_named(call, bootstrap.snapshots()))
    return shown(found.as_json(), found.version)


@api.serves("platform.rate_limits.delete")
def delete_tenants_limit(call: Call) -> Answer:
    holder = tenant_named(call, bootstrap.snapshots())
    bootstrap.apikeys.delete_limit(holder, if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


def _set(call: Call, holder: Any) -> Answer:
    write = partial(bootstrap.apikeys.set_limit, holder, limit_asked(call), attempt=call.attempt)
    found = put(call, lambda version: write(if_match=version))
    return shown(found.as_json(), found.version)


handler = api.handler
