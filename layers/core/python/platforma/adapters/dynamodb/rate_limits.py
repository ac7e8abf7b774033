"""
Counters of rate limits, and which shared limits are set, in the Credential table.

    KEY#{key id}                          RATE                    the window that a key's own limit is in
    {tenant id}#RATE#{type}#{holder id}   RATE                    the window that a shared limit is in: what is leased of it
    {tenant id}                           LIMIT#{type}#{holder}   a shared limit as it was set

A counter has a partition of its own, since it may be the most written item of its tenant. It is swept a day after its
window.
"""

from datetime import UTC, datetime, timedelta

from pynamodb.attributes import NumberAttribute

from platforma.adapters.dynamodb.single import read, written
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import moves_policy
from platforma.apikeys.model import Charge, Holder, RateLimit, SharedLimit, Window
from platforma.kernel.errors import PreconditionFailed, Unavailable
from platforma.kernel.events import Event

_RACES = 8


class RateItem(Item):
    """The window of a rate limit: when it opened (epoch milliseconds) and how much was charged since."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    opened = NumberAttribute()
    used = NumberAttribute()


class LimitItem(Item):
    """A shared limit."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    rate_limit = NumberAttribute()
    rate_period = NumberAttribute()
    version = NumberAttribute()


class DynamoDBLimits:
    """`Limits` in DynamoDB: a counter is one item, and every charge or lease one conditional update of it."""

    def charge(self, key_id: str, limit: RateLimit, cost: int, now: datetime) -> Charge:
        """See `Limits.charge`."""
        opened, used, granted = _take(RateItem(f"KEY#{key_id}", "RATE"), limit, cost, cost, now)
        resets_at = opened + timedelta(seconds=limit.period_seconds)
        return Charge(granted == cost, limit, max(0, limit.limit - used), resets_at)

    def lease(self, holder: Holder, limit: RateLimit, *, least: int, block: int, now: datetime) -> Window:
        """See `Limits.lease`."""
        return _take(RateItem(f"{holder.tenant_id}#RATE#{holder.type}#{holder.id}", "RATE"), limit, least, block, now)


class DynamoDBLimitSettings:
    """`LimitSettings` in DynamoDB."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def get(self, holder: Holder) -> SharedLimit | None:
        """See `LimitSettings.get`."""
        item = read(LimitItem, holder.tenant_id, _sk(holder))
        if item is None:
            return None
        return SharedLimit(holder, RateLimit(int(item.rate_limit), int(item.rate_period)), int(item.version))

    def put(self, before: SharedLimit | None, after: SharedLimit, event: Event) -> None:
        """See `LimitSettings.put`."""
        holder, limit = after.holder, after.limit
        item = LimitItem(
            holder.tenant_id,
            _sk(holder),
            rate_limit=limit.limit,
            rate_period=limit.period_seconds,
            version=after.version,
        )
        stands = LimitItem.pk.does_not_exist() if before is None else LimitItem.version == before.version
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(item, stands, refused=PreconditionFailed())
        moves_policy(transaction, holder.tenant_id)
        transaction.commit(event)

    def delete(self, limit: SharedLimit, event: Event) -> None:
        """See `LimitSettings.delete`."""
        transaction = Transaction(self._tables, self._outbox)
        item = LimitItem(limit.holder.tenant_id, _sk(limit.holder))
        transaction.delete(item, LimitItem.version == limit.version, refused=PreconditionFailed())
        moves_policy(transaction, limit.holder.tenant_id)
        transaction.commit(event)


def _take(item: RateItem, limit: RateLimit, least: int, most: int, now: datetime) -> Window:
    """Take *most* of the window, or what is left of it if that is *least* or more; open a new one where none is."""
    moment, period = int(now.timestamp() * 1000), limit.period_seconds * 1000
    current = RateItem.opened > moment - period
    for tried in range(_RACES):
        if most and written(item, [RateItem.used.add(most)], current & (RateItem.used <= limit.limit - most)):
            return _window(int(item.opened), int(item.used), most)
        there = read(RateItem, item.pk, item.sk)
        if there is not None and there.opened > moment - period:
            used = int(there.used)
            if not least or used + least > limit.limit:
                return _window(int(there.opened), used, 0)
            most = min(most, limit.limit - used) if tried < _RACES // 2 else least
            continue
        if not least or least > limit.limit:
            return _window(moment, 0, 0)
        most = min(most, limit.limit)
        gone = RateItem.pk.does_not_exist() | (RateItem.opened <= moment - period)
        swept = (moment + period) // 1000 + 86400
        if written(item, [RateItem.opened.set(moment), RateItem.used.set(most), RateItem.expires.set(swept)], gone):
            return _window(moment, most, most)
    raise Unavailable(cause="rate_limit_contention")


def _window(opened: int, used: int, granted: int) -> Window:
    return Window(datetime.fromtimestamp(0, tz=UTC) + timedelta(milliseconds=opened), used, granted)


def _sk(holder: Holder) -> str:
    return f"LIMIT#{holder.type}#{holder.id}"
