"""What became of sign-ins by a connection, kept for a week: what its health is told from."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from platforma.kernel.clock import rfc3339

KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Trace:
    """
    One sign-in. *reference* is what the person was shown where it failed: the request's id, as in the event.

    *why* says in plain words what was wrong; *code* is that of the error. Both are None where it was a success.
    """

    tenant_id: str
    connection_id: str
    reference: str
    at: datetime
    user_id: str | None = None
    code: str | None = None
    why: str | None = None

    @property
    def failed(self) -> bool:
        """Whether nobody was signed in."""
        return self.code is not None

    def as_json(self) -> dict[str, Any]:
        """As the API shows it."""
        if self.failed:
            return {"reference": self.reference, "at": rfc3339(self.at), "code": self.code, "why": self.why}
        return {"reference": self.reference, "at": rfc3339(self.at), "user_id": self.user_id}
