"""API keys and their counters in memory."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

from platforma.apikeys.expiry_notices import Notice, next_notice
from platforma.apikeys.leaks import LeakResponse
from platforma.apikeys.model import APIKey, Charge, Holder, RateLimit, SharedLimit, Window
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import AlreadyUsed, Conflict, NotFound, PreconditionFailed
from platforma.kernel.events import Event, entered
from platforma.keys.stored_secret import StoredSecret

_MINUTE = timedelta(minutes=1)


class MemoryKeys:
    """`platforma.apikeys.ports.Keys`. *record* gets each event; *reads* and *writes* count what a check costs."""

    def __init__(self, record: Callable[[Event], None] = lambda _: None) -> None:
        self._record = record
        self._keys: dict[str, APIKey] = {}
        self._lock = Lock()
        self.reads = 0
        self.writes = 0
        self.notices = MemoryNotices(self._keys, record)

    def find(self, key_id: str) -> APIKey | None:
        """The key of this id, without its address."""
        self.reads += 1
        key = self._keys.get(key_id)
        return None if key is None else replace(key, last_used_ip=None)

    def get(self, tenant_id: str, key_id: str) -> APIKey:
        """The tenant's key of this id."""
        key = self._keys.get(key_id)
        if key is None or key.tenant_id != tenant_id:
            raise NotFound
        return key

    def page(
        self, tenant_id: str, *, limit: int, after: str | None = None, owner_id: str | None = None
    ) -> tuple[tuple[APIKey, ...], str | None]:
        """A page of the tenant's keys."""
        with self._lock:
            listed = sorted(
                (
                    key
                    for key in self._keys.values()
                    if key.tenant_id == tenant_id and owner_id in (None, key.owner_id) and key.id > (after or "")
                ),
                key=lambda key: key.id,
            )
        return tuple(listed[:limit]), listed[limit - 1].id if len(listed) > limit else None

    def add(self, key: APIKey, event: Event) -> None:
        """Keep a new key."""
        with self._lock:
            if key.id in self._keys:
                raise Conflict
            self._keys[key.id] = key
            self.notices.put(key, key.created_at)
            self._enter(event)

    def change(self, before: APIKey, after: APIKey, event: Event) -> None:
        """Put *after* in the place of *before*."""
        with self._lock:
            self._replace(before, after)
            self.notices.put(after, parse_rfc3339(event.timestamp))
            self._enter(event)

    def rotate(self, before: APIKey, after: APIKey, successor: APIKey, event: Event) -> None:
        """Put *after* in the place of *before*, and keep its successor."""
        with self._lock:
            self._replace(before, after)
            self._keys[successor.id] = successor
            self.notices.put(successor, successor.created_at)
            self._enter(event)

    def renew_ticket(self, key: APIKey, secret: StoredSecret) -> None:
        """Keep the new ticket."""
        with self._lock:
            kept = self._unchanged(key)
            if kept is None:
                raise Conflict
            self._keys[key.id] = replace(kept, secret=secret)
            self.writes += 1

    def note_use(self, key: APIKey, *, used_at: datetime, ip_address: str | None) -> None:
        """Keep time and address of a use."""
        with self._lock:
            kept = self._unchanged(key)
            if kept is not None and (kept.last_used_at is None or used_at - kept.last_used_at >= _MINUTE):
                self._keys[key.id] = replace(kept, last_used_at=used_at, last_used_ip=ip_address)
                self.writes += 1

    def end_predecessor(self, key: APIKey, at: datetime, event: Event) -> None:
        """End the predecessor, unless it is over already."""
        with self._lock:
            if (kept := self._keys.get(key.id)) is not None:
                self._keys[key.id] = replace(kept, ends_predecessor=False)
            ended = self._keys.get(key.predecessor_id or "")
            if ended is None or ended.successor_id != key.id or ended.revoked_at is not None:
                return
            if ended.expires_at is not None and ended.expires_at <= at:
                return
            gone = replace(ended.secret, ticket="", ticket_expires=0)
            self._keys[ended.id] = replace(ended, expires_at=at, secret=gone, version=ended.version + 1)
            self._enter(event)

    def forget(self, key: APIKey) -> None:
        """Leave nothing of it."""
        with self._lock:
            self._keys.pop(key.id, None)

    def _replace(self, before: APIKey, after: APIKey) -> None:
        kept = self._keys.get(before.id)
        if kept is None or kept.version != before.version:
            raise PreconditionFailed
        self._keys[before.id] = replace(after, last_used_at=kept.last_used_at, last_used_ip=kept.last_used_ip)

    def _unchanged(self, key: APIKey) -> APIKey | None:
        kept = self._keys.get(key.id)
        if kept is None or kept.revoked_at is not None or not kept.enabled or kept.secret.hash != key.secret.hash:
            return None
        return kept

    def _enter(self, event: Event) -> None:
        self._record(event)
        entered((event,))


class MemoryNotices:
    """`platforma.apikeys.expiry_notices.Notices`, over the keys of a `MemoryKeys`."""

    def __init__(self, keys: dict[str, APIKey], record: Callable[[Event], None]) -> None:
        self._keys, self._record = keys, record
        self._waiting: set[Notice] = set()
        self._lock = Lock()

    def put(self, key: APIKey, after: datetime) -> None:
        """Keep the key's next notice."""
        if (notice := next_notice(key, after)) is not None:
            self._waiting.add(notice)

    def find(self, key_id: str) -> APIKey | None:
        """The key of this id."""
        return self._keys.get(key_id)

    def due(self, now: datetime) -> Iterator[Notice]:
        """What is due."""
        yield from sorted(notice for notice in self._waiting if notice.due <= now)

    def tell(self, notice: Notice, key: APIKey, event: Event) -> None:
        """Tell it, and keep the next one."""
        with self._lock:
            if self._keys[key.id].version != key.version:
                raise PreconditionFailed
            if notice not in self._waiting:
                raise AlreadyUsed
            self._record(event)
            self._waiting.remove(notice)
            self.put(key, parse_rfc3339(event.timestamp))
        entered((event,))

    def drop(self, notice: Notice) -> None:
        """Forget it."""
        self._waiting.discard(notice)


class MemoryLeaks:
    """`platforma.apikeys.leaks.Leaks`, over the keys of a `MemoryKeys`."""

    def __init__(self, keys: MemoryKeys, record: Callable[[Event], None] = lambda _: None) -> None:
        self._keys, self._record = keys, record
        self._responses: dict[str, LeakResponse] = {}
        self._places: set[tuple[str, str]] = set()
        self._lock = Lock()

    def response(self, tenant_id: str) -> LeakResponse:
        """What the tenant wants done."""
        return self._responses.get(tenant_id, LeakResponse())

    def respond(self, tenant_id: str, before: LeakResponse, after: LeakResponse, event: Event) -> None:
        """Put *after* in the place of *before*."""
        with self._lock:
            if self.response(tenant_id).version != before.version:
                raise PreconditionFailed
            self._responses[tenant_id] = after
            self._record(event)
        entered((event,))

    def find(self, key_id: str) -> APIKey | None:
        """The key of this id."""
        return self._keys.find(key_id)

    def report(self, before: APIKey, after: APIKey, place: str, event: Event) -> None:
        """Note the place, and put *after* in the key's."""
        with self._lock:
            if (before.id, place) in self._places:
                raise AlreadyUsed
            if after != before:
                self._keys.change(before, after, event)
            else:
                self._record(event)
            self._places.add((before.id, place))
        entered((event,))


class MemoryLimits:
    """`platforma.apikeys.ports.Limits`; *writes* counts what an item of a table would be written."""

    def __init__(self) -> None:
        self._windows: dict[object, tuple[datetime, int]] = {}
        self._lock = Lock()
        self.writes = 0

    def charge(self, key_id: str, limit: RateLimit, cost: int, now: datetime) -> Charge:
        """Take *cost* from the key's window."""
        opened, used, granted = self._take(key_id, limit, cost, cost, now)
        resets_at = opened + timedelta(seconds=limit.period_seconds)
        return Charge(granted == cost, limit, max(0, limit.limit - used), resets_at)

    def lease(self, holder: Holder, limit: RateLimit, *, least: int, block: int, now: datetime) -> Window:
        """Take a block from the holder's window."""
        return self._take(holder, limit, least, block, now)

    def _take(self, name: object, limit: RateLimit, least: int, most: int, now: datetime) -> Window:
        with self._lock:
            opened, used = self._windows.get(name, (now, 0))
            if now - opened >= timedelta(seconds=limit.period_seconds):
                opened, used = now, 0
            left = limit.limit - used
            granted = min(most, left) if left >= least else 0
            if granted:
                used += granted
                self._windows[name] = (opened, used)
                self.writes += 1
        return Window(opened, used, granted)


class MemoryLimitSettings:
    """`platforma.apikeys.ports.LimitSettings`; *moved* counts how often rules moved, *reads* what was read."""

    def __init__(self, record: Callable[[Event], None] = lambda _: None) -> None:
        self._record = record
        self._limits: dict[Holder, SharedLimit] = {}
        self._lock = Lock()
        self.moved = 0
        self.reads = 0

    def get(self, holder: Holder) -> SharedLimit | None:
        """The holder's limit."""
        self.reads += 1
        return self._limits.get(holder)

    def put(self, before: SharedLimit | None, after: SharedLimit, event: Event) -> None:
        """Put *after* in the place of *before*."""
        with self._lock:
            self._require(after.holder, before)
            self._limits[after.holder] = after
            self._enter(event)

    def delete(self, limit: SharedLimit, event: Event) -> None:
        """Take the limit away."""
        with self._lock:
            self._require(limit.holder, limit)
            del self._limits[limit.holder]
            self._enter(event)

    def _require(self, holder: Holder, before: SharedLimit | None) -> None:
        stands = self._limits.get(holder)
        if (stands.version if stands else None) != (before.version if before else None):
            raise PreconditionFailed

    def _enter(self, event: Event) -> None:
        self.moved += 1
        self._record(event)
        entered((event,))
