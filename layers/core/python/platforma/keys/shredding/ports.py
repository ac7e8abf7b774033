"""What shredding needs of the outside. Every method may raise `Unavailable`."""

from collections.abc import Sequence
from typing import Protocol

from platforma.kernel.events import Event
from platforma.keys.model import TenantKey
from platforma.keys.shredding.model import LogPosition, Shredding


class MortalKeys(Protocol):
    """Tenants' keys, of which one is to go."""

    def describe(self, tenant_id: str) -> TenantKey:
        """
        The tenant's key as it stands.

        Raises:
            NoSuchKey: the tenant has no key.
        """

    def destroy_tenant_key(self, tenant_id: str) -> None:
        """Destroy every version of the tenant's key; none left is success too."""


class Shreddings(Protocol):
    """What was shredded, by tenant; kept for good."""

    def get(self, tenant_id: str) -> Shredding | None:
        """The tenant's shredding, begun or done."""

    def begin(self, shredding: Shredding) -> Shredding:
        """Keep *shredding* unless one of this tenant was begun; the one that stands then."""

    def finish(self, shredding: Shredding, event: Event) -> Shredding:
        """Keep the statement with its event, unless there is one: what stands then."""


class TenantLogs(Protocol):
    """A tenant's audit logs."""

    def settle(self, tenant_id: str) -> Sequence[LogPosition]:
        """Enter all that waits to enter them, while it can be opened, and publish; how far each has come."""


class Statements(Protocol):
    """The key that we make statements by."""

    def sign(self, text: str) -> str:
        """*text*, of whole lines, as a signed note (C2SP)."""
