"""
Decisions: roles and policies, compiled once a change and asked many times, to the letter of the decision rules.

`model` has the words, `document` reads policies, `compile` makes a tenant's policy set of them and `decide` asks it.
"""

from platforma.policy.create_policy import create_policy
from platforma.policy.custom_roles import change_role, create_role, delete_role, get_role, list_roles
from platforma.policy.decide import decide
from platforma.policy.delete_policy import delete_policy
from platforma.policy.known_resources import delete_resource, get_resource, put_resource
from platforma.policy.protected_apis import (
    change_protected_api,
    create_protected_api,
    delete_protected_api,
    get_protected_api,
    list_protected_apis,
)
from platforma.policy.read_policy import get_policy, get_policy_version, list_policies, list_policy_versions
from platforma.policy.replace_policy import replace_policy
from platforma.policy.simulate import simulate, try_documents
from platforma.policy.validate_policy import validate_policy

__all__ = [
    "change_protected_api",
    "change_role",
    "create_policy",
    "create_protected_api",
    "create_role",
    "decide",
    "delete_policy",
    "delete_protected_api",
    "delete_resource",
    "delete_role",
    "get_policy",
    "get_policy_version",
    "get_protected_api",
    "get_resource",
    "get_role",
    "list_policies",
    "list_policy_versions",
    "list_protected_apis",
    "list_roles",
    "put_resource",
    "replace_policy",
    "simulate",
    "try_documents",
    "validate_policy",
]
