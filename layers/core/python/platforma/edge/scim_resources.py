"""Users and groups as the desk serves them: from the RFC's methods to use cases, and back to resources."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platforma.edge.scim_bulk import Changed, Versions
from platforma.kernel.events import Attempt
from platforma.sso.scim.groups import replaced_group
from platforma.sso.scim.member_changes import told_apart
from platforma.sso.scim.model import Directory, ProvisionedGroup, ProvisionedUser
from platforma.sso.scim.patch import operations_of, patched
from platforma.sso.scim.query import Query, shows
from platforma.sso.scim.schema import Kind, kind
from platforma.sso.scim.users import replaced

MEMBERS_SHOWN_AGAIN = 200
"""Of how many members a changed group is shown whole, unless attributes of it are asked for."""


class UserResources:
    """`platforma.edge.scim.Resources`. *scim* has the use cases, their ports filled in."""

    name: Kind = "User"

    def __init__(self, scim: Any) -> None:
        self._scim = scim

    def create(self, caller: Directory, sent: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """POST."""
        return self._shown(caller, self._scim.create_user(caller, sent, attempt=attempt))

    def replace(
        self, caller: Directory, resource_id: str, sent: Mapping[str, Any], versions: Versions, attempt: Attempt
    ) -> dict[str, Any]:
        """PUT."""
        changed = self._scim.change_user(caller, resource_id, replaced(sent), if_match=versions, attempt=attempt)
        return self._shown(caller, changed)

    def update(
        self,
        caller: Directory,
        resource_id: str,
        sent: Mapping[str, Any],
        versions: Versions,
        attempt: Attempt,
        _query: Query,
    ) -> Changed:
        """PATCH."""
        operations = operations_of(sent)
        changed = self._scim.change_user(
            caller,
            resource_id,
            lambda before: patched(before, operations, kind("User")),
            if_match=versions,
            attempt=attempt,
        )
        return Changed(self._shown(caller, changed))

    def delete(self, caller: Directory, resource_id: str, versions: Versions, attempt: Attempt) -> None:
        """DELETE."""
        self._scim.remove_user(caller, resource_id, if_match=versions, attempt=attempt)

    def get(self, caller: Directory, resource_id: str, _query: Query) -> dict[str, Any]:
        """GET of one."""
        return self._shown(caller, self._scim.read_user(caller, resource_id))

    def list(self, caller: Directory, query: Query) -> dict[str, Any]:
        """GET of many."""
        found: dict[str, Any] = self._scim.list_users(caller, query)
        return found

    def _shown(self, caller: Directory, found: ProvisionedUser) -> dict[str, Any]:
        resource: dict[str, Any] = self._scim.show_user(found, caller)
        return resource


class GroupResources:
    """`platforma.edge.scim.Resources`. *scim* has the use cases, their ports filled in."""

    name: Kind = "Group"

    def __init__(self, scim: Any) -> None:
        self._scim = scim

    def create(self, caller: Directory, sent: Mapping[str, Any], attempt: Attempt) -> dict[str, Any]:
        """POST."""
        return self._shown(self._scim.create_group(caller, sent, attempt=attempt))

    def replace(
        self, caller: Directory, resource_id: str, sent: Mapping[str, Any], versions: Versions, attempt: Attempt
    ) -> dict[str, Any]:
        """PUT."""
        return self._shown(
            self._scim.change_group(caller, resource_id, replaced_group(sent), if_match=versions, attempt=attempt)
        )

    def update(
        self,
        caller: Directory,
        resource_id: str,
        sent: Mapping[str, Any],
        versions: Versions,
        attempt: Attempt,
        query: Query,
    ) -> Changed:
        """PATCH: members that are named one by one are moved alone, and of a large group they are not shown again."""
        operations = operations_of(sent)
        rest, moves = told_apart(operations) or (operations, None)
        changed: ProvisionedGroup = self._scim.change_group(
            caller,
            resource_id,
            lambda before: patched(before, rest, kind("Group")),
            moves=moves,
            if_match=versions,
            attempt=attempt,
        )
        if not shows(query, "members", kind("Group")):
            return Changed(self._shown(replace(changed, members=())))
        size = changed.group.size if moves is not None else len(changed.members)
        if not query.only and (size is None or size > MEMBERS_SHOWN_AGAIN):
            return Changed(self._shown(replace(changed, members=())), whole=False)
        if moves is not None:
            changed = replace(changed, members=self._scim.read_group(caller, resource_id).members)
        return Changed(self._shown(changed))

    def delete(self, caller: Directory, resource_id: str, versions: Versions, attempt: Attempt) -> None:
        """DELETE."""
        self._scim.remove_group(caller, resource_id, if_match=versions, attempt=attempt)

    def get(self, caller: Directory, resource_id: str, query: Query) -> dict[str, Any]:
        """GET of one, its members read only where they are shown."""
        with_members = shows(query, "members", kind("Group"))
        return self._shown(self._scim.read_group(caller, resource_id, with_members=with_members))

    def list(self, caller: Directory, query: Query) -> dict[str, Any]:
        """GET of many."""
        found: dict[str, Any] = self._scim.list_groups(caller, query)
        return found

    def _shown(self, found: ProvisionedGroup) -> dict[str, Any]:
        resource: dict[str, Any] = self._scim.shown_group(found)
        return resource
