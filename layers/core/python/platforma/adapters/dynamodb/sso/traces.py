"""
What became of sign-ins, in the Credential table, for a week.

    {tenant} / SSOTRACE#{connection id}#{time}#{reference}
"""

from collections.abc import Sequence

from pynamodb.attributes import UnicodeAttribute

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.kernel.clock import Clock, parse_rfc3339, rfc3339
from platforma.sso.traces import KEPT_FOR, Trace


class TraceItem(Item):
    """What became of one sign-in."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    at = UnicodeAttribute()
    reference = UnicodeAttribute()
    user_id = UnicodeAttribute(null=True)
    code = UnicodeAttribute(null=True)
    why = UnicodeAttribute(null=True)


class DynamoTraces:
    """`platforma.sso.ports.Traces`."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables, self._clock = tables, clock

    def keep(self, trace: Trace) -> None:
        """Keep one."""
        item = TraceItem(
            trace.tenant_id,
            f"{_prefix(trace.connection_id)}{rfc3339(trace.at)}#{trace.reference}",
            at=rfc3339(trace.at),
            reference=trace.reference,
            user_id=trace.user_id,
            code=trace.code,
            why=trace.why,
            expires=int((trace.at + KEPT_FOR).timestamp()),
        )
        t = Transaction(self._tables)
        t.put(item)
        t.commit()

    def latest(self, tenant_id: str, connection_id: str, *, limit: int) -> Sequence[Trace]:
        """The newest ones first; those that are over are not shown, swept or not."""
        prefix, since = _prefix(connection_id), rfc3339(self._clock() - KEPT_FOR)
        within = TraceItem.sk.between(prefix + since, f"{prefix}~")
        with answering():
            found = TraceItem.query(tenant_id, within, consistent_read=True, scan_index_forward=False, limit=limit)
            return [
                Trace(tenant_id, connection_id, each.reference, parse_rfc3339(each.at), each.user_id, each.code, each.why)
                for each in found
            ]


def _prefix(connection_id: str) -> str:
    return f"SSOTRACE#{connection_id}#"
