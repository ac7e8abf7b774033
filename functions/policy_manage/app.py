"""Policies with their versions, and roles."""

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.schemas.policy import PolicyChange
from platforma.edge.simulation import simulated
from platforma.policy.model import Attachment
from platforma.policy.simulate import Trial

api = API("policy_manage", bootstrap.edge)


def policy_fields(call: Call) -> dict[str, object]:
    return {"attachments": [], **call.given()}


@api.serves("settings.policies.create")
def create_policy(call: Call) -> Answer:
    bootstrap.giving(call).check_document(call.body.document)
    policy = bootstrap.policy.create_policy(call.tenant_id, **policy_fields(call), attempt=call.attempt)
    return created(policy.as_json(), policy.version, policy.id)


@api.serves("settings.policies.list")
def list_policies(call: Call) -> Answer:
    kind, named = call.parameters.attachment_type, call.parameters.attachment_id
    attached_to = None if kind is None else Attachment(kind, named)
    policies, after = bootstrap.policy.list_policies(call.tenant_id, attached_to=attached_to, **call.page())
    return listed([policy.as_json() for policy in policies], call.next_cursor(after))


@api.serves("settings.policies.get")
def get_policy(call: Call) -> Answer:
    policy = bootstrap.policy.get_policy(call.tenant_id, call.path["id"])
    return shown(policy.as_json(), policy.version)


@api.serves("settings.policies.update")
def replace_policy(call: Call) -> Answer:
    giving = bootstrap.giving(call)
    giving.check_document(call.body.document)
    giving.check_lifted(bootstrap.policy.get_policy(call.tenant_id, call.path["id"]).document)
    refuse = bootstrap.analyst(call).refusing if call.parameters.deny_if_new_access == "true" else None
    policy = bootstrap.policy.replace_policy(
        call.tenant_id, call.path["id"], **policy_fields(call), if_match=call.if_match, attempt=call.attempt, refuse=refuse
    )
    return shown(policy.as_json(), policy.version)


@api.serves("settings.policies.rollback")
def roll_back_policy(call: Call) -> Answer:
    """Write a former version again, as the next one; whoever may not give what it allows may not bring it back either."""
    former = bootstrap.policy.get_policy_version(call.tenant_id, call.path["id"], call.body.version)
    giving = bootstrap.giving(call)
    giving.check_document(former.document)
    giving.check_lifted(bootstrap.policy.get_policy(call.tenant_id, call.path["id"]).document)
    policy = bootstrap.policy.replace_policy(
        call.tenant_id,
        former.id,
        name=former.name,
        description=former.description,
        document=former.document,
        attachments=[attachment.as_json() for attachment in former.attachments],
        if_match=call.if_match,
        attempt=call.attempt,
    )
    return shown(policy.as_json(), policy.version)


@api.serves("settings.policies.delete")
def delete_policy(call: Call) -> Answer:
    bootstrap.giving(call).check_lifted(bootstrap.policy.get_policy(call.tenant_id, call.path["id"]).document)
    bootstrap.policy.delete_policy(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("settings.policy_versions.list")
def list_versions(call: Call) -> Answer:
    policies, after = bootstrap.policy.list_policy_versions(call.tenant_id, call.path["id"], **call.page())
    return listed([policy.as_json() for policy in policies], call.next_cursor(after))


@api.serves("settings.policy_documents.verify")
def validate_policy(call: Call) -> Answer:
    return Answer(200, bootstrap.policy.validate_policy(call.tenant_id, **call.given()))


def trial(call: Call) -> Trial:
    changes: list[PolicyChange] | None = call.body.changes
    if changes is None:
        tried: Trial = bootstrap.policy.try_documents(call.tenant_id, before=call.body.before, after=call.body.after)
    else:
        given = [change.model_dump(exclude_unset=True) for change in changes]
        tried = bootstrap.policy.simulate(call.tenant_id, changes=given)
    return tried


@api.serves("settings.policy_simulations.read")
def simulate(call: Call) -> Answer:
    desk, subjects = bootstrap.desk(call), bootstrap.subjects()
    return Answer(200, simulated(call, trial(call), desk=desk, subjects=subjects, search=bootstrap.audit.search))


@api.serves("settings.policy_analyses.read")
def analyze(call: Call) -> Answer:
    return Answer(200, bootstrap.analyst(call).analysis(call.body, trial(call)))


@api.serves("settings.policy_access.verify")
def check_no_new_access(call: Call) -> Answer:
    return Answer(200, bootstrap.analyst(call).check(call.body, trial(call)))


@api.serves("settings.roles.list")
def list_roles(call: Call) -> Answer:
    return listed([role.as_json() for role in bootstrap.policy.list_roles(call.tenant_id)], None)


@api.serves("settings.roles.get")
def get_role(call: Call) -> Answer:
    role = bootstrap.policy.get_role(call.tenant_id, call.path["id"])
    return shown(role.as_json(), role.version)


@api.serves("settings.roles.create")
def create_role(call: Call) -> Answer:
    bootstrap.giving(call).check(scopes=call.body.actions)
    role = bootstrap.policy.create_role(call.tenant_id, **call.given(), attempt=call.attempt)
    return created(role.as_json(), role.version, role.name)


@api.serves("settings.roles.update")
def update_role(call: Call) -> Answer:
    fields = call.given()
    bootstrap.giving(call).check(scopes=fields.get("actions"))
    role = bootstrap.policy.change_role(
        call.tenant_id, call.path["id"], **fields, if_match=call.if_match, attempt=call.attempt
    )
    return shown(role.as_json(), role.version)


@api.serves("settings.roles.delete")
def delete_role(call: Call) -> Answer:
    bootstrap.giving(call).check_roles([call.path["id"]], [])
    bootstrap.policy.delete_role(call.tenant_id, call.path["id"], if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


handler = api.handler
