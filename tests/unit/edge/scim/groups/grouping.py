"""Groups as a test says them, in SCIM."""

from typing import Any
from urllib.parse import quote

from platforma.sso.scim.patch import PATCH_OP
from tests.directories import Directory

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
MAPPINGS = [
    {"group": "Platform Engineers", "role": "operator"},
    {"group": "Admins", "role": "admin"},
    {"group": "Bill", "match": "prefix", "role": "billing"},
]


def group(directory: Directory, name: str, *members: str, **fields: Any) -> dict[str, Any]:
    body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members], **fields}
    return directory.call("POST", "/Groups", body, expect=201).json


def members(directory: Directory, group_id: str) -> list[str]:
    shown = directory.call("GET", f"/Groups/{group_id}", expect=200).json
    return [each["value"] for each in shown.get("members", [])]


def roles(directory: Directory, user_id: str) -> list[str]:
    return directory.tenant.call("GET", f"/v1/users/{user_id}/roles", expect=200).json["roles"]


def where(text: str) -> str:
    return f"filter={quote(text)}"


def add(*ids: str) -> dict[str, Any]:
    return {"op": "Add", "path": "members", "value": [{"value": each} for each in ids]}


def patch_of(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def remove(*ids: str) -> dict[str, Any]:
    return {"op": "Remove", "path": "members", "value": [{"value": each} for each in ids]}
