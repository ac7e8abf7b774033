"""The templates as they stand in the repository, and what a role may do by them."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from infra.local.template import load

ROOT = Path(__file__).resolve().parents[3]
STATE = load(ROOT / "infra" / "state.yaml")
SERVICE = load(ROOT / "template.yaml")
OBSERVABILITY = load(ROOT / "infra" / "observability.yaml")
SAMPLE = load(ROOT / "infra" / "samples" / "sample.yaml")
FOLDERS = sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and not path.name.startswith("_"))


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def properties(template: dict[str, Any], name: str) -> dict[str, Any]:
    return template["Resources"][name]["Properties"]


def stem(folder: str) -> str:
    """`oauth_token` is `OauthToken`; its function, role, log group and secret are named after it."""
    return "".join(word.capitalize() for word in folder.split("_"))


def function(folder: str) -> dict[str, Any]:
    return properties(SERVICE, stem(folder) + "Function")


def variables(folder: str) -> dict[str, Any]:
    """The function's environment, Globals included."""
    return SERVICE["Globals"]["Function"]["Environment"]["Variables"] | function(folder)["Environment"]["Variables"]


def imported(node: Any) -> str | None:
    """What is imported from the state, without the stack's name: `AuditTableArn`."""
    if isinstance(node, dict) and "Fn::ImportValue" in node:
        return node["Fn::ImportValue"]["Fn::Sub"].partition("-")[2]
    return None


def as_list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [node]


def plain(node: Any) -> Iterator[Any]:
    """The statements of a list, those under a condition too."""
    for statement in as_list(node):
        if "Fn::If" in statement:
            yield from (one for one in statement["Fn::If"][1:] if one != {"Ref": "AWS::NoValue"})
        else:
            yield statement


@cache
def statements(folder: str) -> list[dict[str, Any]]:
    """All that the function's role allows: managed policies and its own."""
    role = properties(SERVICE, stem(folder) + "Role")
    documents = [properties(SERVICE, policy["Ref"])["PolicyDocument"] for policy in role["ManagedPolicyArns"]]
    documents += [policy["PolicyDocument"] for policy in role["Policies"]]
    return [statement for document in documents for statement in plain(document["Statement"])]


def may(folder: str, service: str) -> dict[str, set[str]]:
    """Actions of one service by what they are allowed on: an export of the state's, or the resource as written."""
    allowed: dict[str, set[str]] = {}
    for statement in statements(folder):
        actions = {action for action in as_list(statement["Action"]) if action.startswith(f"{service}:")}
        for resource in as_list(statement["Resource"]) if actions else ():
            allowed.setdefault(imported(resource) or str(resource), set()).update(actions)
    return allowed


def within(resource: Any) -> str:
    """What a statement names, as the state exports it and with what follows: `AuditTableArn`, `ColdBucketArn/events/*`."""
    if isinstance(resource, dict) and isinstance(sub := resource.get("Fn::Sub"), list):
        text, parts = sub
        return re.sub(r"\${(\w+)}", lambda found: imported(parts.get(found[1])) or found[0], text)
    return imported(resource) or str(resource)


@cache
def may_reach(folder: str, action: str, what: str, leading_key: str | None = None) -> bool:
    """Whether the function may do *action* to *what*, as `within` names it; of a table, to the items of this partition."""
    for statement in statements(folder):
        if action in as_list(statement["Action"]) and any(
            fnmatchcase(what, within(resource)) for resource in as_list(statement["Resource"])
        ):
            condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
            patterns = condition.get("dynamodb:LeadingKeys")
            if patterns is None or any(fnmatchcase(leading_key or "", pattern) for pattern in patterns):
                return True
    return False


@cache
def may_call(folder: str, action: str) -> bool:
    """Whether the function may do *action* to anything at all, on AWS, by whatever policy its role can have."""
    role = {"Ref": stem(folder) + "Role"}
    attached = [
        statement
        for policy in of_type(SERVICE, "AWS::IAM::ManagedPolicy").values()
        if role in policy["Properties"].get("Roles", ())
        for statement in plain(policy["Properties"]["PolicyDocument"]["Statement"])
    ]
    return any(action in actions_on_aws(statement) for statement in (*statements(folder), *attached))


def actions_on_aws(statement: dict[str, Any]) -> list[Any]:
    """The actions of a statement that holds on AWS; none of one that is for the emulator."""
    if str(statement.get("Sid", "")).endswith("OnEmulator"):
        return []
    actions = statement["Action"]
    return as_list(actions["Fn::If"][1] if isinstance(actions, dict) else actions)
