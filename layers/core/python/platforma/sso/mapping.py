"""
From the groups that an identity provider says somebody is in, to the roles that they have here. A pure function.

Precedence: every mapping that matches any of the groups gives its role, so that several groups may give one role and one
group several; the default roles are for those to whom no mapping gives any. Order means nothing. Group names are compared as
they are, case included, after NFC; globs are those of policies (`platforma.policy.globs`).
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from platforma.policy.globs import compile_glob
from platforma.sso.model import Connection, GroupMapping

MAX_GROUPS = 1000
"""More groups than this of one person are not looked at: they are refused, never cut."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A role, and why: the mapping at *index* by the group, or by default."""

    role: str
    source: Literal["mapping", "default"]
    group: str | None = None
    index: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"role": self.role, "source": self.source, "group": self.group, "mapping": self.index}


def matches(mapping: GroupMapping, group: str) -> bool:
    """Whether the mapping is about this group."""
    if mapping.match == "exact":
        return mapping.group == group
    if mapping.match == "prefix":
        return group.startswith(mapping.group)
    return compile_glob(mapping.group).fullmatch(group) is not None


def map_groups(connection: Connection, groups: Iterable[str]) -> tuple[Granted, ...]:
    """Every role that the groups give, each for each reason, by mapping and group; else the default roles."""
    named = sorted({unicodedata.normalize("NFC", group) for group in groups})
    found = tuple(
        Granted(mapping.role, "mapping", group, index)
        for index, mapping in enumerate(connection.group_mappings)
        for group in named
        if matches(mapping, group)
    )
    return found or tuple(Granted(role, "default") for role in connection.provisioning.default_roles)
