"""Tenants, users, groups, roles given, passwords. A file per use case; `principals` says what a decision needs of a user."""

from platforma.identity.change_group import change_group
from platforma.identity.change_password import change_password
from platforma.identity.change_tenant import change_tenant
from platforma.identity.change_user import change_user
from platforma.identity.create_group import create_group
from platforma.identity.create_tenant import create_tenant
from platforma.identity.create_user import create_user
from platforma.identity.delete_group import delete_group
from platforma.identity.delete_tenant import delete_tenant, purge_tenant, restore_tenant
from platforma.identity.delete_user import delete_user
from platforma.identity.group_members import add_member, list_members, remove_member
from platforma.identity.links import (
    Link,
    LinkRequest,
    LinkRequests,
    Links,
    find_link,
    mail_link,
    request_link,
    request_link_by_email,
    set_password_by_link,
)
from platforma.identity.list_users import list_users
from platforma.identity.lockout import Administration, AdministrationOf
from platforma.identity.mail import Letter, Mailer
from platforma.identity.model import Group, NewTenant, Page, Principal, RoleSource, Tenant, User
from platforma.identity.ports import Directory, Groups, Shredder, TenantKeys, Tenants
from platforma.identity.principals import read_holders, read_principal
from platforma.identity.purge_tenants import Purge, purge_tenants, unfinished_tenants
from platforma.identity.read_group import list_groups, read_group
from platforma.identity.read_tenant import list_tenants, read_tenant
from platforma.identity.read_user import explain_roles, read_user
from platforma.identity.service import Service, Services, is_service_name, register_service
from platforma.identity.services import change_service, delete_service, list_services, read_service
from platforma.identity.set_roles import set_roles
from platforma.identity.sign_in import check_password
from platforma.identity.throttle import AttemptCounts, charge_attempt, refund_attempt

__all__ = [
    "Administration",
    "AdministrationOf",
    "AttemptCounts",
    "Directory",
    "Group",
    "Groups",
    "Letter",
    "Link",
    "LinkRequest",
    "LinkRequests",
    "Links",
    "Mailer",
    "NewTenant",
    "Page",
    "Principal",
    "Purge",
    "RoleSource",
    "Service",
    "Services",
    "Shredder",
    "Tenant",
    "TenantKeys",
    "Tenants",
    "User",
    "add_member",
    "change_group",
    "change_password",
    "change_service",
    "change_tenant",
    "change_user",
    "charge_attempt",
    "check_password",
    "create_group",
    "create_tenant",
    "create_user",
    "delete_group",
    "delete_service",
    "delete_tenant",
    "delete_user",
    "explain_roles",
    "find_link",
    "is_service_name",
    "list_groups",
    "list_members",
    "list_services",
    "list_tenants",
    "list_users",
    "mail_link",
    "purge_tenant",
    "purge_tenants",
    "read_group",
    "read_holders",
    "read_principal",
    "read_service",
    "read_tenant",
    "read_user",
    "refund_attempt",
    "register_service",
    "remove_member",
    "request_link",
    "request_link_by_email",
    "restore_tenant",
    "set_password_by_link",
    "set_roles",
    "unfinished_tenants",
]
