"""Users and groups as the desk serves them: from the RFC's methods to use cases, and back to resources."""

from collections.abc import Mapping
from typing import Any

from platforma.edge.scim_bulk import Versions
from platforma.kernel.events import Attempt
from platforma.sso.scim.groups import replaced_group
from platforma.sso.scim.model import Directory, ProvisionedGroup, ProvisionedUser
from platforma.sso.scim.patch import operations_of, patched
from platforma.sso.scim.query import Query, shows
from platforma.sso.scim.schema import Kind, kind
from platforma.sso.scim.users import replaced


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
        self, caller: Directory, resource_id: str, sent: Mapping[str, Any], versions: Versions, attempt: Attempt
    ) -> dict[str, Any]:
        """PATCH."""
        operations = operations_of(sent)
        changed = self._scim.change_user(
            caller,
            resource_id,
            lambda before: patched(before, operations, kind("User")),
            if_match=versions,
            attempt=attempt,
        )
        return self._shown(caller, changed)

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
        self, caller: Directory, resource_id: str, sent: Mapping[str, Any], versions: Versions, attempt: Attempt
    ) -> dict[str, Any]:
        """PATCH."""
        operations = operations_of(sent)
        changed = self._scim.change_group(
            caller,
            resource_id,
            lambda before: patched(before, operations, kind("Group")),
            if_match=versions,
            attempt=attempt,
        )
        return self._shown(changed)

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
