"""What a sign-in with certain attributes would give, without one."""

from dataclasses import dataclass
from typing import Any

from platforma.sso.mapping import Granted, map_groups
from platforma.sso.model import Connection
from platforma.sso.profile import Attributes, Profile, read_profile


@dataclass(frozen=True, slots=True)
class DryRun:
    """Who the attributes say somebody is, and the roles that they would have, each with its reason."""

    profile: Profile
    granted: tuple[Granted, ...]

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "email": self.profile.email,
            "name": self.profile.name,
            "groups": list(self.profile.groups),
            "roles": sorted({granted.role for granted in self.granted}),
            "matches": [granted.as_json() for granted in self.granted],
        }


def try_mapping(connection: Connection, attributes: Attributes, instead: tuple[str, ...] | None = None) -> DryRun:
    """
    What *connection* makes of *attributes*; *instead*, where given, are groups in place of those in them.

    Raises:
        Unprocessable: the attributes cannot be read as the connection maps them.
    """
    profile = read_profile(attributes, connection.attribute_mapping)
    if instead is not None:
        profile = Profile(profile.email, profile.name, tuple(dict.fromkeys(instead)))
    return DryRun(profile, map_groups(connection, profile.groups))
