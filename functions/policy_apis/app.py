"""Other APIs that our authorizer guards, what each of their routes does, and what is known of their resources."""

from functools import partial

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.conditional import put
from platforma.edge.resources import named_resource
from platforma.edge.schemas.policy import ResourceView

api = API("policy_apis", bootstrap.edge)


@api.serves("settings.protected_apis.create")
def create_protected_api(call: Call) -> Answer:
    bootstrap.giving(call).require_manage("saying what the routes of an API do")
    protected = bootstrap.policy.create_protected_api(call.tenant_id, **call.given(), attempt=call.attempt)
    return created(protected.as_json(), protected.version, protected.id)


@api.serves("settings.protected_apis.list")
def list_protected_apis(call: Call) -> Answer:
    page, after = bootstrap.policy.list_protected_apis(call.tenant_id, **call.page())
    return listed([protected.as_json() for protected in page], call.next_cursor(after))


@api.serves("settings.protected_apis.get")
def get_protected_api(call: Call) -> Answer:
    protected = bootstrap.policy.get_protected_api(call.tenant_id, call.path["id"])
    return shown(protected.as_json(), protected.version)


@api.serves("settings.protected_apis.update")
def change_protected_api(call: Call) -> Answer:
    bootstrap.giving(call).require_manage("saying what the routes of an API do")
    protected = bootstrap.policy.change_protected_api(
        call.tenant_id, call.path["id"], **call.given(), if_match=call.if_match, attempt=call.attempt
    )
    return shown(protected.as_json(), protected.version)


@api.serves("settings.protected_apis.delete")
def delete_protected_api(call: Call) -> Answer:
    bootstrap.giving(call).require_manage("saying what the routes of an API do")
    bootstrap.policy.delete_protected_api(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.resources.set")
def put_resource(call: Call) -> Answer:
    fields = {"attributes": {}, **call.given()}
    named = named_resource(call)
    known = bootstrap.known_resource(call.tenant_id, *named)
    bootstrap.giving(call).check_resource(known, fields["attributes"], fields.get("environment"))
    write = partial(bootstrap.policy.put_resource, call.tenant_id, *named, **fields, attempt=call.attempt)
    told = put(call, lambda version: write(if_match=version))
    return shown(ResourceView.of(told), told.version)


@api.serves("settings.resources.get")
def get_resource(call: Call) -> Answer:
    known = bootstrap.policy.get_resource(call.tenant_id, *named_resource(call))
    return shown(ResourceView.of(known), known.version)


@api.serves("settings.resources.delete")
def delete_resource(call: Call) -> Answer:
    named = named_resource(call)
    bootstrap.giving(call).check_resource(bootstrap.policy.get_resource(call.tenant_id, *named), {}, None)
    bootstrap.policy.delete_resource(call.tenant_id, *named, if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


handler = api.handler
