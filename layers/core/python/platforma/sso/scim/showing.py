"""Resources as RFC 7643 has them: what the directory said, and what we say of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from platforma.identity.model import Group
from platforma.identity.ports import Groups
from platforma.kernel.clock import rfc3339
from platforma.sso.scim.model import Directory, ProvisionedGroup, ProvisionedUser
from platforma.sso.scim.schema import ENTERPRISE, GROUP, USER

BASE = "/scim/v2"


def version_tag(version: int) -> str:
    """The weak entity tag of a resource's *version* (RFC 7644 section 3.14)."""
    return f'W/"{version}"'


def shown_user(found: ProvisionedUser, caller: Directory, groups: Mapping[str, Group], *, url: str) -> dict[str, Any]:
    """
    The user, with those of its *groups*, by id, that are the directory's.

    `active` is whether the person may sign in, whatever the directory said last; it is left out where that said nothing.
    """
    user = found.user
    mine = [groups[each] for each in user.groups if each in groups and groups[each].managed == caller.manages]
    said = dict(found.document)
    if "active" in said or user.status == "suspended":
        said["active"] = user.status != "suspended"
    resource: dict[str, Any] = {
        "schemas": [USER, ENTERPRISE] if ENTERPRISE in said else [USER],
        "id": user.id,
        **said,
        "meta": meta("User", user.id, user.version, rfc3339(user.created_at), rfc3339(found.modified_at), url=url),
    }
    if mine:
        resource["groups"] = [
            {"value": group.id, "$ref": f"{url}{BASE}/Groups/{group.id}", "display": group.name, "type": "direct"}
            for group in mine
        ]
    return resource


def show_user(found: ProvisionedUser, caller: Directory, *, groups: Groups, issuer: str) -> dict[str, Any]:
    """The user, its groups read."""
    known = {group.id: group for group in groups.several(caller.tenant_id, found.user.groups)}
    return shown_user(found, caller, known, url=issuer)


def meta(kind: str, resource_id: str, version: int, created: str, modified: str, *, url: str) -> dict[str, str]:
    """The resource's metadata (RFC 7643 section 3.1)."""
    return {
        "resourceType": kind,
        "created": created,
        "lastModified": modified,
        "location": f"{url}{BASE}/{kind}s/{resource_id}",
        "version": version_tag(version),
    }


def groups_of(users: Iterable[ProvisionedUser]) -> tuple[str, ...]:
    """The ids of all the groups that one of *users* is in."""
    return tuple(sorted({group_id for each in users for group_id in each.user.groups}))


def shown_group(found: ProvisionedGroup, *, issuer: str, with_members: bool = True) -> dict[str, Any]:
    """The group, with its members unless they were not asked for."""
    group = found.group
    resource: dict[str, Any] = {"schemas": [GROUP], "id": group.id, "displayName": group.name}
    if group.external_id is not None:
        resource["externalId"] = group.external_id
    if with_members and found.members:
        resource["members"] = [
            {"value": each, "$ref": f"{issuer}{BASE}/Users/{each}", "type": "User"} for each in found.members
        ]
    modified = rfc3339(group.modified_at or group.created_at)
    resource["meta"] = meta("Group", group.id, group.version, rfc3339(group.created_at), modified, url=issuer)
    return resource
