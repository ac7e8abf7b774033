"""Users, their groups, and the roles that both are given."""

from functools import partial
from typing import Any

from platforma import bootstrap
from platforma.edge import factors
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.persons import erase_person, shown_users
from platforma.edge.schemas.identity import GroupView, UserRoles, UserView

api = API("identity_users", bootstrap.edge)


def _shown(user: Any) -> Answer:
    return shown(shown_users([user], bootstrap.groups().several)[0], user.version)


@api.serves("settings.users.create")
def create_user(call: Call) -> Answer:
    giving = bootstrap.giving(call)
    giving.check(roles=call.body.roles)
    if call.body.attributes:
        giving.require_manage("giving attributes")
    user = bootstrap.identity.create_user(
        call.tenant_id,
        **call.given(),
        known_roles=bootstrap.known_roles(call),
        invitations=bootstrap.link_requests(),
        attempt=call.attempt,
    )
    return created(UserView.of(user), user.version, user.id)


@api.serves("settings.passwords.set")
def set_password(call: Call) -> Answer:
    bootstrap.identity.read_user(call.tenant_id, call.path["id"])
    user_id = call.require_oneself()
    # Whoever signed in by the old one is out; who changes it stays.
    staying = call.caller.session_id
    bootstrap.identity.change_password(call.tenant_id, user_id, **call.given(), attempt=call.attempt, staying=staying)
    bootstrap.oauth.end_sessions(call.tenant_id, user_id, but=staying, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.password_resets.create")
def reset_password(call: Call) -> Answer:
    bootstrap.identity.request_link(call.tenant_id, call.path["id"], attempt=call.attempt)
    return Answer(202, {"user_id": call.path["id"]})


@api.serves("settings.users.list")
def list_users(call: Call) -> Answer:
    asked = call.parameters
    page = bootstrap.identity.list_users(
        call.tenant_id, **call.page(), email=asked.email, status=asked.status, role=asked.role
    )
    return listed(shown_users(page.items, bootstrap.groups().several), call.next_cursor(page.after))


@api.serves("settings.users.get")
def get_user(call: Call) -> Answer:
    user = bootstrap.identity.read_user(call.tenant_id, call.path["id"])
    return _shown(user)


@api.serves("settings.users.update")
def update_user(call: Call) -> Answer:
    fields = call.given()
    if "attributes" in fields:
        bootstrap.giving(call).require_manage("giving attributes")
    may = None
    if "email" in fields or fields.get("status") == "active":
        may = partial(bootstrap.giving(call).check_account, groups=bootstrap.groups())
    user = bootstrap.identity.change_user(
        call.tenant_id,
        call.path["id"],
        fields,
        if_match=call.if_match,
        known_roles=bootstrap.known_roles(call),
        attempt=call.attempt,
        may=may,
    )
    if fields.get("status") == "suspended":
        bootstrap.oauth.end_sessions(call.tenant_id, user.id, attempt=call.attempt)
    return _shown(user)


@api.serves("settings.users.delete")
def delete_user(call: Call) -> Answer:
    bootstrap.identity.delete_user(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    bootstrap.oauth.end_sessions(call.tenant_id, call.path["id"], attempt=call.attempt)
    return Answer(204)


@api.serves("settings.users.erase")
def erase_user(call: Call) -> Answer:
    bootstrap.audit.require_no_hold(call.tenant_id)
    who = (call.tenant_id, call.path["id"])
    erasure = erase_person(
        call,
        delete=lambda: bootstrap.identity.delete_user(*who, if_match=None, attempt=call.attempt),
        kept=bootstrap.kept_of_persons(),
        ask=lambda: bootstrap.audit.ask_for_erasure(*who, attempt=call.attempt),
        persons=bootstrap.person_keys(),
    )
    bootstrap.oauth.end_sessions(*who, attempt=call.attempt)
    return Answer(202, erasure)


@api.serves("settings.factors.list")
@api.serves("settings.own_factors.list")
def list_factors(call: Call) -> Answer:
    return factors.list_factors(call, bootstrap)


@api.serves("settings.factors.get")
@api.serves("settings.own_factors.get")
def get_factor(call: Call) -> Answer:
    return factors.get_factor(call, bootstrap)


@api.serves("settings.factors.delete")
@api.serves("settings.own_factors.delete")
def remove_factor(call: Call) -> Answer:
    return factors.remove_factor(call, bootstrap)


@api.serves("settings.factors.reset")
def reset_factors(call: Call) -> Answer:
    return factors.reset_factors(call, bootstrap)


@api.serves("settings.user_roles.set")
def set_roles(call: Call) -> Answer:
    user = bootstrap.identity.set_roles(
        call.tenant_id,
        call.path["id"],
        call.body.roles,
        if_match=call.if_match,
        known_roles=bootstrap.known_roles(call),
        attempt=call.attempt,
        may=bootstrap.giving(call).check_change,
    )
    return _shown(user)


@api.serves("settings.user_roles.get")
def get_roles(call: Call) -> Answer:
    sources = bootstrap.identity.explain_roles(call.tenant_id, call.path["id"])
    roles = sorted({source.role for source in sources})
    told = sources if call.parameters.explain == "true" else None
    return Answer(200, UserRoles.of({"roles": roles, "sources": told}))


@api.serves("settings.groups.create")
def create_group(call: Call) -> Answer:
    bootstrap.giving(call).check(roles=call.body.roles)
    group = bootstrap.identity.create_group(
        call.tenant_id, **call.given(), known_roles=bootstrap.known_roles(call), attempt=call.attempt
    )
    return created(GroupView.of(group), group.version, group.id)


@api.serves("settings.groups.list")
def list_groups(call: Call) -> Answer:
    page = bootstrap.identity.list_groups(call.tenant_id, **call.page())
    return listed([GroupView.of(group) for group in page.items], call.next_cursor(page.after))


@api.serves("settings.groups.get")
def get_group(call: Call) -> Answer:
    group = bootstrap.identity.read_group(call.tenant_id, call.path["id"])
    return shown(GroupView.of(group), group.version)


def _changed(call: Call, fields: dict[str, object], **more: Any) -> Answer:
    group = bootstrap.identity.change_group(
        call.tenant_id,
        call.path["id"],
        fields,
        if_match=call.if_match,
        known_roles=bootstrap.known_roles(call),
        attempt=call.attempt,
        **more,
    )
    return shown(GroupView.of(group), group.version)


@api.serves("settings.groups.update")
def update_group(call: Call) -> Answer:
    return _changed(call, call.given())


@api.serves("settings.group_roles.set")
def set_group_roles(call: Call) -> Answer:
    return _changed(call, {"roles": call.body.roles}, may=bootstrap.giving(call).check_change)


@api.serves("settings.groups.delete")
def delete_group(call: Call) -> Answer:
    may = bootstrap.giving(call).check_group
    bootstrap.identity.delete_group(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt, may=may)
    return Answer(204)


@api.serves("settings.group_members.list")
def list_members(call: Call) -> Answer:
    page = bootstrap.identity.list_members(call.tenant_id, call.path["id"], **call.page())
    return listed([{"user_id": user_id} for user_id in page.items], call.next_cursor(page.after))


@api.serves("settings.group_members.add")
def add_member(call: Call) -> Answer:
    may = bootstrap.giving(call).check_group
    bootstrap.identity.add_member(call.tenant_id, call.path["id"], call.path["user_id"], attempt=call.attempt, may=may)
    return Answer(204)


@api.serves("settings.group_members.remove")
def remove_member(call: Call) -> Answer:
    may = bootstrap.giving(call).check_group
    bootstrap.identity.remove_member(call.tenant_id, call.path["id"], call.path["user_id"], attempt=call.attempt, may=may)
    return Answer(204)


handler = api.handler
