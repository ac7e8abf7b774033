"""
Credentials that were genuine and are good no more: revoked, expired, suspended, of a tenant that is not in use.

Their use is told of in their tenant's log, but not at their bearer's pleasure: once a minute from each instance. The rest
is a stranger's, and stands in the gateway's access log like every refusal.
"""

from collections import OrderedDict
from datetime import datetime, timedelta

from platforma.kernel.errors import PlatformaError
from platforma.kernel.events import Attempt
from platforma.kernel.tenancy import PLATFORM

TOLD_EVERY = timedelta(minutes=1)
_KEPT = 1024


class DeadCredentials:
    """Remembers of which it told when, within bounds."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def settle(self, attempt: Attempt, error: PlatformaError) -> None:
        """
        Let the refused *attempt* be its tenant's where *error* tells of a genuine credential in its turn, else nobody's.

        A client that authenticates to an endpoint has put its name into the attempt already, a key stands in the facts.
        """
        if attempt.principal_type == "anonymous" and "key_id" in error.facts:
            attempt.tenant_id, attempt.principal_type = str(error.facts["tenant_id"]), "api_key"
            attempt.principal_id = str(error.facts["key_id"])
        if attempt.principal_type != "anonymous" and not self._may_tell(attempt):
            attempt.tenant_id, attempt.principal_type, attempt.principal_id = PLATFORM, "anonymous", None

    def _may_tell(self, attempt: Attempt) -> bool:
        who, now = (attempt.tenant_id, str(attempt.principal_id)), attempt.clock()
        last = self._told.get(who)
        if last is not None and now - last < TOLD_EVERY:
            return False
        self._told[who] = now
        self._told.move_to_end(who)
        if len(self._told) > _KEPT:
            self._told.popitem(last=False)
        return True
