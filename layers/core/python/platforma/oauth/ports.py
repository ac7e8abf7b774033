"""What the OAuth server needs of the outside."""

from datetime import datetime
from typing import Protocol

from platforma.kernel.events import Event
from platforma.oauth.model import Change, Client, ClientSecret


class Clients(Protocol):
    """Where clients are kept. Every read is consistent."""

    def get(self, client_id: str) -> Client | None:
        """The client of this id, whatever its tenant and status; None if there never was one, or long ago."""

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[list[Client], str | None]:
        """
        Up to *limit* clients of the tenant in the order of their ids, beginning behind the id *after*.

        The second value is the next *after*, None at the end. Deleted clients are not listed.
        """

    def add(self, client: Client, event: Event) -> None:
        """
        Keep a new client, with its event.

        Raises:
            Conflict: the id is taken.
        """

    def change(self, change: Change, event: Event) -> None:
        """
        Bring a client from `change.before` to `change.after`, with its event and with the tenant's versions that it moves.

        Tickets and times of use that were written since `before` was read are left as they are, but a client that is not
        active any more loses its tickets.

        Raises:
            PreconditionFailed: the client is no longer what `before` says.
        """

    def note_use(self, client_id: str, secret: ClientSecret) -> bool:
        """
        Keep the time of use and the ticket that *secret* now has.

        Written only while the client is active and the secret is the very one: False, and nothing written, otherwise. So no
        check that races with a suspension, deletion or rotation brings a ticket back.
        """


class SingleUse(Protocol):
    """What is good for one use: ids of assertions and proofs, until they have expired."""

    def spend(self, name: str, *, until: datetime) -> None:
        """
        Use up *name*, which no one can use again before *until*.

        Raises:
            AlreadyUsed: somebody did before.
        """


class Fetch(Protocol):
    """Gets public documents from addresses that strangers choose."""

    def get(self, url: str) -> bytes:
        """
        The body behind an https *url*, from a public address, without redirects, bounded in size and time.

        Raises:
            Unfetched: not such a URL, or no good answer.
        """
