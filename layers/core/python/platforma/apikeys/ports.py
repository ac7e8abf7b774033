"""The ports of this area: stores of keys, counters and limits, and what each operation promises."""

from datetime import datetime
from typing import Protocol

from platforma.apikeys.model import APIKey, Charge, Holder, RateLimit, SharedLimit, Window
from platforma.kernel.events import Event
from platforma.keys.stored_secret import StoredSecret


class Keys(Protocol):
    """Keys on record. Every read is consistent; every write that takes an event commits both or neither."""

    def find(self, key_id: str) -> APIKey | None:
        """The key of this id, of whatever tenant, as a check needs it: its `last_used_ip` stays sealed (None)."""

    def get(self, tenant_id: str, key_id: str) -> APIKey:
        """
        The tenant's key of this id.

        Raises:
            NotFound: none, or another tenant's.
        """

    def page(
        self, tenant_id: str, *, limit: int, after: str | None = None, owner_id: str | None = None
    ) -> tuple[tuple[APIKey, ...], str | None]:
        """Keys after *after* in the order of their ids, and the id after which the next page starts (None: no more)."""

    def add(self, key: APIKey, event: Event) -> None:
        """Keep a new key."""

    def change(self, before: APIKey, after: APIKey, event: Event) -> None:
        """
        Put *after* in the place of *before*.

        Raises:
            PreconditionFailed: it is not at `before.version` any more.
        """

    def rotate(self, before: APIKey, after: APIKey, successor: APIKey, event: Event) -> None:
        """
        Put *after* in the place of *before* and keep its *successor*, together.

        Raises:
            PreconditionFailed: it is not at `before.version` any more; of two racing rotations one gets this.
        """

    def renew_ticket(self, key: APIKey, secret: StoredSecret) -> None:
        """
        Keep the new ticket, unless the key was switched off or revoked meanwhile.

        Raises:
            Conflict: it was, and nothing was written; read the key again.
        """

    def note_use(self, key: APIKey, *, used_at: datetime, ip_address: str | None) -> None:
        """Keep time and address of a use, unless another check kept one in the same minute; then nothing is written."""

    def end_predecessor(self, key: APIKey, at: datetime, event: Event) -> None:
        """End the predecessor at *at*, with *event*, unless it is over already; and note in *key* that this is done."""

    def forget(self, key: APIKey) -> None:
        """Leave nothing of a key whose owner is gone, so that nobody can use it anyway; doing it again changes nothing."""


class Limits(Protocol):
    """Exact counters: however many charge at once, no more than the limit is granted in a window."""

    def charge(self, key_id: str, limit: RateLimit, cost: int, now: datetime) -> Charge:
        """
        Take *cost* from this window of the key, all of it or nothing; a cost of 0 only looks.

        Raises:
            Unavailable: it could not be counted, and is not granted.
        """

    def lease(self, holder: Holder, limit: RateLimit, *, least: int, block: int, now: datetime) -> Window:
        """
        Take *block* out of the holder's window, or what is left of the window if that is at least *least*, or else nothing.

        With *block* and *least* 0 it only looks. What was taken never comes back.

        Raises:
            Unavailable: it could not be counted, and nothing is granted.
        """


class LimitSettings(Protocol):
    """
    Which holders have which limits. Every write raises the version of the tenant's rules and enters its event, in one
    transaction.
    """

    def get(self, holder: Holder) -> SharedLimit | None:
        """The holder's limit, read consistently."""

    def put(self, before: SharedLimit | None, after: SharedLimit, event: Event) -> None:
        """
        Put *after* in the place of *before*.

        Raises:
            PreconditionFailed: another version stands.
        """

    def delete(self, limit: SharedLimit, event: Event) -> None:
        """
        Take the limit away.

        Raises:
            PreconditionFailed: another version stands.
        """
