"""What can go wrong with rules, beside a request that is not valid."""

from collections.abc import Mapping
from typing import Any

from platforma.kernel.errors import Conflict


class Moved(Conflict):
    """Something else changed the tenant's rules in the meantime; nothing was written, and it may be tried again."""

    code = "conflict"
    public = "The tenant's rules changed at the same time. Try again."


class WouldLockOut(Conflict):
    """Afterwards no active user who can sign in without SSO could surely administer the tenant."""

    code = "would_lock_out"
    public = "This would leave the tenant without an administrator."


class NewAccess(Conflict):
    """It would let somebody do what they may not do now, which the caller wants refused. *witness* is such a question."""

    code = "new_access"
    public = "This would give access that nobody has now."

    def __init__(self, witness: Mapping[str, Any]) -> None:
        super().__init__()
        self.witness = witness
