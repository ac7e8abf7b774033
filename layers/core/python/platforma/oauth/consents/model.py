"""What a person allowed a client to do in their name, scope by scope."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from platforma.kernel.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Consent:
    """The *scopes* that a client may ask for without asking its person again."""

    tenant_id: str
    user_id: str
    client_id: str
    scopes: tuple[str, ...]
    created_at: datetime
    updated_at: datetime

    def covers(self, scope: Iterable[str]) -> bool:
        """Whether all of *scope* was allowed, word for word."""
        return set(scope) <= set(self.scopes)

    def widened(self, scope: Iterable[str], now: datetime) -> "Consent":
        """It, with *scope* allowed as well."""
        return replace(self, scopes=tuple(sorted({*self.scopes, *scope})), updated_at=now)

    def as_json(self) -> dict[str, object]:
        """The consent as the API shows it."""
        return {
            "client_id": self.client_id,
            "user_id": self.user_id,
            "scopes": list(self.scopes),
            "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(self.updated_at),
        }
