"""
What a directory may ask for.

A layer of its own carries what this imports (`scim2_models`), for the one function that serves directories.
"""

from platforma.sso.scim.directories import directory_behind
from platforma.sso.scim.discovery import resource_type, resource_types, schema, schemas, service_provider_config
from platforma.sso.scim.groups import change_group, create_group, read_group, remove_group
from platforma.sso.scim.query import list_groups, list_users
from platforma.sso.scim.showing import show_user, shown_group
from platforma.sso.scim.tokens import create_scim_token, list_scim_tokens, revoke_scim_token
from platforma.sso.scim.users import change_user, create_user, read_user, remove_user

__all__ = [
    "change_group",
    "change_user",
    "create_group",
    "create_scim_token",
    "create_user",
    "directory_behind",
    "list_groups",
    "list_scim_tokens",
    "list_users",
    "read_group",
    "read_user",
    "remove_group",
    "remove_user",
    "resource_type",
    "resource_types",
    "revoke_scim_token",
    "schema",
    "schemas",
    "service_provider_config",
    "show_user",
    "shown_group",
]
