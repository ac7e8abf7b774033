"""The roles that every tenant has, and the one that only the platform's own tenant has. A tenant's own roles are data."""

from collections.abc import Mapping

from platforma.kernel.tenancy import PLATFORM

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "admin": ("*",),
    "operator": ("infrastructure:manage", "billing:read"),
    "developer": ("orders:manage", "resources:manage"),
    "viewer": ("*:read",),
    "billing": ("billing:manage", "invoices:manage"),
}

PLATFORM_ROLE = "platform"
"""The role of platform clients: no wildcard reaches the domain `platform`, so it is granted by name, and only here."""


def built_in_roles(tenant_id: str) -> Mapping[str, tuple[str, ...]]:
    """The fixed roles of this tenant, with the actions that each grants."""
    return {**BUILT_IN, PLATFORM_ROLE: ("platform:manage",)} if tenant_id == PLATFORM else BUILT_IN
