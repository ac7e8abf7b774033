"""Users and the roles that they are given."""

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.schemas.identity import UserRoles, UserView

api = API("identity_users", bootstrap.edge)


@api.serves("settings.users.create")
def create_user(call: Call) -> Answer:
    bootstrap.giving(call).check(roles=call.body.roles)
    user = bootstrap.identity.create_user(
        call.tenant_id, **call.given(), known_roles=bootstrap.known_roles(call), attempt=call.attempt
    )
    return created(UserView.of(user), user.version, user.id)


@api.serves("settings.users.list")
def list_users(call: Call) -> Answer:
    asked = call.parameters
    page = bootstrap.identity.list_users(
        call.tenant_id, **call.page(), email=asked.email, status=asked.status, role=asked.role
    )
    return listed([UserView.of(user) for user in page.items], call.next_cursor(page.after))


@api.serves("settings.users.get")
def get_user(call: Call) -> Answer:
    user = bootstrap.identity.read_user(call.tenant_id, call.path["id"])
    return shown(UserView.of(user), user.version)


@api.serves("settings.users.update")
def update_user(call: Call) -> Answer:
    user = bootstrap.identity.change_user(
        call.tenant_id,
        call.path["id"],
        call.given(),
        if_match=call.if_match,
        known_roles=bootstrap.known_roles(call),
        attempt=call.attempt,
    )
    return shown(UserView.of(user), user.version)


@api.serves("settings.users.delete")
def delete_user(call: Call) -> Answer:
    bootstrap.identity.delete_user(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.user_roles.set")
def set_roles(call: Call) -> Answer:
    bootstrap.giving(call).check(roles=call.body.roles)
    user = bootstrap.identity.set_roles(
        call.tenant_id,
        call.path["id"],
        call.body.roles,
        if_match=call.if_match,
        known_roles=bootstrap.known_roles(call),
        attempt=call.attempt,
    )
    return shown(UserView.of(user), user.version)


@api.serves("settings.user_roles.get")
def get_roles(call: Call) -> Answer:
    sources = bootstrap.identity.explain_roles(call.tenant_id, call.path["id"])
    roles = sorted({source.role for source in sources})
    told = sources if call.parameters.explain == "true" else None
    return Answer(200, UserRoles.of({"roles": roles, "sources": told}))


handler = api.handler
