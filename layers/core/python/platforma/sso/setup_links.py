"""
Links by which somebody without an account here, the customer's own administrator, configures one connection.

A link is good for three days and for its connection alone, as often as it is opened, until it is revoked, finished with,
replaced by a newer one of its connection, or whoever made it is no more. Its text is told once; of it only a SHA-256 is
kept. What is over is kept for a week, so that its use is known for what it is.
"""

import hmac
import secrets as entropy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, Protocol

from platforma.kernel.clock import Clock, rfc3339
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt, Event
from platforma.kernel.ids import is_id, new_id
from platforma.sso.errors import SetupLinkOver
from platforma.sso.model import Connection
from platforma.sso.ports import Connections
from platforma.sso.read_connection import read_connection

SETUP_FOR = timedelta(days=3)
KEPT_FOR = timedelta(days=7)
"""How long after its end a link is kept."""
MAX_SHOWN = 50
_ID = 26
_TOKEN = _ID + 43

End = Literal["revoked", "finished"]
Status = Literal["open", "expired", "revoked", "finished", "replaced"]


@dataclass(frozen=True, slots=True)
class SetupLink:
    """
    A link. *made_by* is the type and id of the principal who made it; with them it ends.

    *opened_at* is when it was last exchanged for a session; *ended* says why it ended before its time, if it did.
    """

    id: str
    tenant_id: str
    connection_id: str
    digest: str = field(repr=False)
    made_by: tuple[str, str]
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None = None
    ended: End | None = None
    ended_at: datetime | None = None

    def as_json(self, status: Status) -> dict[str, Any]:
        """As the API shows it: never the link itself."""
        return {
            "id": self.id,
            "status": status,
            "created_by": {"type": self.made_by[0], "id": self.made_by[1]},
            "created_at": rfc3339(self.created_at),
            "expires_at": rfc3339(self.expires_at),
            "opened_at": None if self.opened_at is None else rfc3339(self.opened_at),
            "ended_at": None if self.ended_at is None else rfc3339(self.ended_at),
        }


class SetupLinks(Protocol):
    """Links by connection, read consistently; each write commits with its event."""

    def of_connection(self, connection_id: str) -> Sequence[SetupLink]:
        """The newest first, at most `MAX_SHOWN`; those that are over too, for a week."""

    def add(self, link: SetupLink, event: Event) -> None:
        """
        Keep a new link.

        Raises:
            NotFound: its connection is gone.
        """

    def replace(self, after: SetupLink, event: Event) -> None:
        """
        Note that a link was opened, or has ended.

        Raises:
            SetupLinkOver: it has ended already.
        """


def create_setup_link(
    connection_id: str, *, tenant_id: str, connections: Connections, setup_links: SetupLinks, url: str, attempt: Attempt
) -> tuple[SetupLink, str]:
    """
    A fresh link of the connection's, and its address, told this once. Older ones of the connection are good no more.

    Whoever lets this through must have checked that the caller may change the connection's provider.

    Raises:
        NotFound: the tenant has no such connection.
    """
    connection = read_connection(connection_id, tenant_id=tenant_id, connections=connections)
    now, known = attempt.clock(), setup_links.of_connection(connection.id)
    link_id = new_id("sso").removeprefix("sso_")
    token = link_id + entropy.token_urlsafe(32)
    link = SetupLink(
        id=link_id,
        tenant_id=tenant_id,
        connection_id=connection.id,
        digest=_digest(token),
        made_by=(attempt.principal_type, attempt.principal_id or ""),
        created_at=now,
        expires_at=now.replace(microsecond=0) + SETUP_FOR,
    )
    replaced = [{"setup_link": each.id} for each in known[:1] if status_of(each, known, now) == "open"]
    told = {"setup_link": link.id, "expires_at": rfc3339(link.expires_at)}
    setup_links.add(link, _event(attempt, link, before=replaced[0] if replaced else None, after=told))
    return link, f"{url}/sso/{connection.id}/setup?token={token}"


def list_setup_links(
    connection_id: str, *, tenant_id: str, connections: Connections, setup_links: SetupLinks, clock: Clock
) -> list[dict[str, Any]]:
    """
    The connection's links as the API shows them, the newest first.

    Raises:
        NotFound: the tenant has no such connection.
    """
    known = setup_links.of_connection(read_connection(connection_id, tenant_id=tenant_id, connections=connections).id)
    return [each.as_json(status_of(each, known, clock())) for each in known]


def revoke_setup_link(
    connection_id: str,
    link_id: str,
    *,
    tenant_id: str,
    connections: Connections,
    setup_links: SetupLinks,
    attempt: Attempt,
) -> None:
    """
    Have a link, and every session that it was exchanged for, be good no more, from the next request.

    Raises:
        NotFound: the tenant has no such connection, or that no such link that is open.
    """
    known = setup_links.of_connection(read_connection(connection_id, tenant_id=tenant_id, connections=connections).id)
    link = next((each for each in known if each.id == link_id), None)
    if link is None or status_of(link, known, attempt.clock()) != "open":
        raise NotFound
    try:
        _end(link, "revoked", setup_links, attempt)
    except SetupLinkOver:
        raise NotFound from None


def finish_setup(link: SetupLink, *, setup_links: SetupLinks, attempt: Attempt) -> None:
    """
    End a link because its holder is done.

    Raises:
        SetupLinkOver: it has ended already.
    """
    _end(link, "finished", setup_links, attempt)


def find_setup_link(
    connection_id: str, token: str, *, connections: Connections, setup_links: SetupLinks, clock: Clock
) -> tuple[Connection, SetupLink]:
    """
    The connection and the link that *token* opens. Nothing about *token* is verified yet.

    Raises:
        SetupLinkOver: it is none of ours, another connection's, or over. Its facts name a genuine one and its tenant.
    """
    if len(token) != _TOKEN or not token.isascii():
        raise SetupLinkOver
    return _found(connection_id, token[:_ID], _digest(token), connections, setup_links, clock())


def held_setup_link(
    connection_id: str, link_id: str, *, connections: Connections, setup_links: SetupLinks, clock: Clock
) -> tuple[Connection, SetupLink]:
    """
    The connection and the link that a session of this connection's was made from.

    Raises:
        SetupLinkOver: it is over.
    """
    return _found(connection_id, link_id, None, connections, setup_links, clock())


def open_setup_link(link: SetupLink, *, setup_links: SetupLinks, attempt: Attempt) -> None:
    """
    Note that a link was exchanged for a session.

    Raises:
        SetupLinkOver: it has ended meanwhile.
    """
    setup_links.replace(replace(link, opened_at=attempt.clock()), _event(attempt, link))


def status_of(link: SetupLink, known: Sequence[SetupLink], now: datetime) -> Status:
    """How a link stands among those of its connection, of which only the newest may be open."""
    if link.ended is not None:
        return link.ended
    if known[0].id != link.id:
        return "replaced"
    return "expired" if link.expires_at <= now else "open"


def _found(
    connection_id: str,
    link_id: str,
    digest: str | None,
    connections: Connections,
    setup_links: SetupLinks,
    now: datetime,
) -> tuple[Connection, SetupLink]:
    known = setup_links.of_connection(connection_id) if is_id(connection_id, "sso") else ()
    link = next((each for each in known if each.id == link_id), None)
    if link is None or (digest is not None and not hmac.compare_digest(link.digest, digest)):
        raise SetupLinkOver
    connection = connections.get(connection_id)
    if connection is None or status_of(link, known, now) != "open":
        raise SetupLinkOver(link_id=link.id, tenant_id=link.tenant_id)
    return connection, link


def _end(link: SetupLink, how: End, setup_links: SetupLinks, attempt: Attempt) -> None:
    event = _event(attempt, link, before={"setup_link": link.id}, after=None)
    setup_links.replace(replace(link, ended=how, ended_at=attempt.clock()), event)


def _event(attempt: Attempt, link: SetupLink, **changes: Any) -> Event:
    told = changes or None
    return attempt.event("success", resource=link.connection_id, resource_type="sso_connection", changes=told)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
