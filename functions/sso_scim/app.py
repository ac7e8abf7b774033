"""SCIM 2.0: the directory of a connection keeps its users and groups, by a token that was made for it."""

from functools import partial

from platforma import bootstrap
from platforma.edge.answer import Answer
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.schemas.scim import TokenCreated, TokenList

api = API("sso_scim", bootstrap.edge)


@api.serves("settings.scim_tokens.create")
def create_token(call: Call) -> Answer:
    bootstrap.giving(call).require_manage("giving a directory access")
    token, text = bootstrap.scim.create_scim_token(
        call.path["id"], tenant_id=call.tenant_id, expires_in=call.body.expires_in, attempt=call.attempt
    )
    return Answer(201, TokenCreated.of({**token.as_json(), "token": text}), resource=call.path["id"])


@api.serves("settings.scim_tokens.list")
def list_tokens(call: Call) -> Answer:
    found = bootstrap.scim.list_scim_tokens(call.path["id"], tenant_id=call.tenant_id)
    return Answer(200, TokenList.of({"items": [each.as_json() for each in found], "next_cursor": None}))


@api.serves("settings.scim_tokens.delete")
def revoke_token(call: Call) -> Answer:
    bootstrap.scim.revoke_scim_token(call.path["id"], call.path["token_id"], tenant_id=call.tenant_id, attempt=call.attempt)
    return Answer(204)


@api.serves("scim.users.create")
def create_user(call: Call) -> Answer:
    return bootstrap.scim_desk().create(call, "User")


@api.serves("scim.users.list")
def list_users(call: Call) -> Answer:
    return bootstrap.scim_desk().list(call, "User")


@api.serves("scim.users.search")
def search_users(call: Call) -> Answer:
    return bootstrap.scim_desk().search(call, "User")


@api.serves("scim.users.get")
def get_user(call: Call) -> Answer:
    return bootstrap.scim_desk().get(call, "User")


@api.serves("scim.users.replace")
def replace_user(call: Call) -> Answer:
    return bootstrap.scim_desk().replace(call, "User")


@api.serves("scim.users.update")
def update_user(call: Call) -> Answer:
    return bootstrap.scim_desk().update(call, "User")


@api.serves("scim.users.delete")
def delete_user(call: Call) -> Answer:
    return bootstrap.scim_desk().delete(call, "User")


@api.serves("scim.groups.create")
def create_group(call: Call) -> Answer:
    return bootstrap.scim_desk().create(call, "Group")


@api.serves("scim.groups.list")
def list_groups(call: Call) -> Answer:
    return bootstrap.scim_desk().list(call, "Group")


@api.serves("scim.groups.search")
def search_groups(call: Call) -> Answer:
    return bootstrap.scim_desk().search(call, "Group")


@api.serves("scim.groups.get")
def get_group(call: Call) -> Answer:
    return bootstrap.scim_desk().get(call, "Group")


@api.serves("scim.groups.replace")
def replace_group(call: Call) -> Answer:
    return bootstrap.scim_desk().replace(call, "Group")


@api.serves("scim.groups.update")
def update_group(call: Call) -> Answer:
    return bootstrap.scim_desk().update(call, "Group")


@api.serves("scim.groups.delete")
def delete_group(call: Call) -> Answer:
    return bootstrap.scim_desk().delete(call, "Group")


@api.serves("scim.resources.search")
def search_resources(call: Call) -> Answer:
    return bootstrap.scim_desk().search_all(call)


@api.serves("scim.bulk.run")
def run_bulk(call: Call) -> Answer:
    return bootstrap.scim_desk().bulk(call)


@api.serves("scim.provider.get")
def get_provider(call: Call) -> Answer:
    return bootstrap.scim_desk().tell(call, bootstrap.scim.service_provider_config)


@api.serves("scim.resource_types.list")
def list_resource_types(call: Call) -> Answer:
    return bootstrap.scim_desk().tell(call, bootstrap.scim.resource_types)


@api.serves("scim.resource_types.get")
def get_resource_type(call: Call) -> Answer:
    return bootstrap.scim_desk().tell(call, partial(bootstrap.scim.resource_type, call.path["name"]))


@api.serves("scim.schemas.list")
def list_schemas(call: Call) -> Answer:
    return bootstrap.scim_desk().tell(call, bootstrap.scim.schemas)


@api.serves("scim.schemas.get")
def get_schema(call: Call) -> Answer:
    return bootstrap.scim_desk().tell(call, partial(bootstrap.scim.schema, call.path["name"]))


@api.refuses
def refuse(call: Call) -> Answer:
    return bootstrap.scim_desk().refuse(call)


handler = api.handler
