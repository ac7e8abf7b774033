"""
Clients to be told of sessions' ends, in the Credential table.

    SESSION#{session_id} / CLIENT#{client_id}    the client, and what has come of telling it
    LOGOUTS / {session_id}                       that a session ended and has such clients, until all have an outcome
"""

from datetime import datetime, timedelta
from typing import cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Event
from platforma.oauth.backchannel.model import Logout, Outcome
from platforma.oauth.sessions.model import LIFETIME

_CLIENT, _WAITING = "CLIENT#", "LOGOUTS"
_SWEPT_AFTER = LIFETIME + timedelta(days=2)
_MOST = 1000


class LogoutItem(Item):
    """A client of a session. *expires* lies behind the session's own."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    attempts = NumberAttribute()
    attempted_at = UnicodeAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)


class WaitingItem(Item):
    """That a session's clients are to be told."""

    table = "credential"

    class Meta:
        table_name = "unbound"


def puts_logout(transaction: Transaction, logout: Logout | None, now: datetime) -> None:
    """Let *transaction* also keep that this client is to be told."""
    if logout is not None:
        transaction.put(_item(logout, int((now + _SWEPT_AFTER).timestamp())))


def puts_waiting(transaction: Transaction, session_id: str) -> None:
    """Let *transaction* also have the session's clients wait to be told."""
    transaction.put(WaitingItem(_WAITING, session_id))


class DynamoDBLogouts:
    """`platforma.oauth.backchannel.Logouts`."""

    def __init__(self, tables: Tables, outbox: Outbox) -> None:
        self._tables, self._outbox = tables, outbox

    def of_session(self, session_id: str) -> list[Logout]:
        """Every client that is to be told of the end of this session."""
        with answering():
            found = LogoutItem.query(_pk(session_id), LogoutItem.sk.startswith(_CLIENT), consistent_read=True)
            return [_logout(item) for item in found]

    def get(self, session_id: str, client_id: str) -> Logout | None:
        """This client's."""
        with answering():
            try:
                return _logout(LogoutItem.get(_pk(session_id), _CLIENT + client_id, consistent_read=True))
            except DoesNotExist:
                return None

    def note(self, before: Logout, after: Logout, event: Event | None) -> None:
        """Keep an attempt."""
        noted = [LogoutItem.attempts.set(after.attempts)]
        for attribute, value in (
            (LogoutItem.attempted_at, after.attempted_at.isoformat() if after.attempted_at else None),
            (LogoutItem.outcome, after.outcome),
            (LogoutItem.reason, after.reason),
        ):
            noted.append(attribute.remove() if value is None else attribute.set(value))
        transaction = Transaction(self._tables, self._outbox)
        transaction.update(
            LogoutItem(_pk(after.session_id), _CLIENT + after.client_id),
            noted,
            (LogoutItem.attempts == before.attempts) & LogoutItem.outcome.does_not_exist(),
            refused=AlreadyUsed(),
        )
        transaction.commit(*([event] if event else []))

    def waiting(self) -> list[str]:
        """Ids of ended sessions that may have clients without an outcome."""
        with answering():
            return [item.sk for item in WaitingItem.query(_WAITING, consistent_read=True, limit=_MOST)]

    def settle(self, session_id: str) -> None:
        """Let the session not be waiting any more."""
        with answering():
            WaitingItem(_WAITING, session_id).delete()


def _pk(session_id: str) -> str:
    return f"SESSION#{session_id}"


def _item(logout: Logout, expires: int) -> LogoutItem:
    return LogoutItem(
        _pk(logout.session_id),
        _CLIENT + logout.client_id,
        tenant_id=logout.tenant_id,
        attempts=logout.attempts,
        attempted_at=logout.attempted_at.isoformat() if logout.attempted_at else None,
        outcome=logout.outcome,
        reason=logout.reason,
        expires=expires,
    )


def _logout(item: LogoutItem) -> Logout:
    return Logout(
        session_id=item.pk.partition("#")[2],
        client_id=item.sk.removeprefix(_CLIENT),
        tenant_id=item.tenant_id,
        attempts=int(item.attempts),
        attempted_at=datetime.fromisoformat(item.attempted_at) if item.attempted_at else None,
        outcome=cast("Outcome | None", item.outcome),
        reason=item.reason,
    )
