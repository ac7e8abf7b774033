"""Clients in memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event, entered
from platforma.kernel.given import carried
from platforma.oauth.model import Change, Client, ClientSecret


class MemoryClients:
    """`platforma.oauth.ports.Clients`. *record* gets each event; the versions that changes move are counted by tenant."""

    def __init__(self, record: Callable[[Event], None] = lambda _: None) -> None:
        self._record = record
        self._clients: dict[str, Client] = {}
        self._lock = Lock()
        self.policy_version: Counter[str] = Counter()
        self.revocation_version: Counter[str] = Counter()

    def get(self, client_id: str) -> Client | None:
        """The client of this id."""
        return self._clients.get(client_id)

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[list[Client], str | None]:
        """A page of the tenant's clients."""
        with self._lock:
            listed = sorted(
                (
                    client
                    for client in self._clients.values()
                    if client.tenant_id == tenant_id and client.status != "deleted" and client.id > (after or "")
                ),
                key=lambda client: client.id,
            )
        return listed[:limit], listed[limit - 1].id if len(listed) > limit else None

    def add(self, client: Client, event: Event) -> None:
        """Keep a new client."""
        with self._lock:
            if client.id in self._clients:
                raise Conflict
            self._clients[client.id] = replace(client, givers=carried({}, (), client.roles, event))
            self._enter(event)

    def change(self, change: Change, event: Event) -> None:
        """Bring a client from before to after."""
        with self._lock:
            kept = self._clients.get(change.before.id)
            if kept is None or kept.version != change.before.version:
                raise PreconditionFailed
            secrets = tuple(kept.secret(secret.id) or secret for secret in change.after.secrets)
            if change.after.status != "active":
                secrets = tuple(_without_ticket(secret) for secret in secrets)
            givers = carried(kept.givers, kept.roles, change.after.roles, event)
            self._clients[kept.id] = replace(change.after, secrets=secrets, givers=givers)
            self.policy_version[kept.tenant_id] += change.moves_policy
            self.revocation_version[kept.tenant_id] += change.moves_revocation
            self._enter(event)

    def note_use(self, client_id: str, secret: ClientSecret) -> bool:
        """Keep a secret's ticket and time of use."""
        with self._lock:
            client = self._clients.get(client_id)
            kept = client.secret(secret.id) if client else None
            if client is None or kept is None or client.status != "active" or kept.stored.hash != secret.stored.hash:
                return False
            secrets = tuple(secret if each.id == secret.id else each for each in client.secrets)
            self._clients[client_id] = replace(client, secrets=secrets)
            return True

    def _enter(self, event: Event) -> None:
        self._record(event)
        entered((event,))


def _without_ticket(secret: ClientSecret) -> ClientSecret:
    return replace(secret, stored=replace(secret.stored, ticket="", ticket_expires=0))
