"""
Sign-in sessions in the Credential table.

    SESSION#{session_id} / SESSION                   the session; found before its tenant is known
    {tenant_id} / SESSION#{user_id}#{session_id}     that the user has it, for lists

Where a session has clients to be told of its end (`logouts`), that they wait is written with the end. The queue is rung only
behind that: what a bell that went unheard leaves is found by a schedule.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, ListAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.logouts import DynamoDBLogouts, puts_waiting
from platforma.adapters.dynamodb.revocations import revokes, signed_out
from platforma.adapters.dynamodb.single import answering
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.adapters.dynamodb.versions import moves_revocation
from platforma.kernel.errors import Conflict, PreconditionFailed, Unavailable
from platforma.kernel.events import Event
from platforma.oauth.backchannel.ports import LogoutQueue
from platforma.oauth.grants.model import LIVES_AT_MOST
from platforma.oauth.sessions.model import LIFETIME, Session

SK = "SESSION"
_SWEPT_AFTER = timedelta(days=1)
_BATCH = 100


class SessionItem(Item):
    """A session. *expires* lies a day behind its longest life."""

    table = "credential"

    class Meta:
        table_name = "unbound"

    tenant_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    amr: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    auth_time = UnicodeAttribute()
    created_at = UnicodeAttribute()
    last_seen_at = UnicodeAttribute()
    secret_hash = BinaryAttribute(legacy_encoding=False)
    interaction = UnicodeAttribute(null=True)
    ended_at = UnicodeAttribute(null=True)
    started_at = UnicodeAttribute(null=True)


class UserSessionItem(Item):
    """That a user has a session."""

    table = "credential"

    class Meta:
        table_name = "unbound"


class DynamoDBSessions:
    """`platforma.oauth.sessions.Sessions`. *queue* gives what hands out the telling of clients, where there are any."""

    def __init__(self, tables: Tables, outbox: Outbox, queue: Callable[[], LogoutQueue]) -> None:
        self._tables, self._outbox, self._queue = tables, outbox, queue
        self._logouts = DynamoDBLogouts(tables, outbox)

    def get(self, session_id: str) -> Session | None:
        """The session of this id."""
        with answering():
            try:
                session = _session(SessionItem.get(_pk(session_id), SK, consistent_read=True))
            except DoesNotExist:
                return None
            return _as_signed_out(session.tenant_id, {session_id: session})[session_id]

    def of_user(self, tenant_id: str, user_id: str, *, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        """A page of the user's sessions."""
        found, last = self._page(tenant_id, f"{user_id}#", limit, None if after is None else f"{user_id}#{after}")
        return found, None if last is None else last.partition("#")[2]

    def of_tenant(self, tenant_id: str, *, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        """A page of everybody's sessions."""
        return self._page(tenant_id, "", limit, after)

    def _page(self, tenant_id: str, prefix: str, limit: int, after: str | None) -> tuple[list[Session], str | None]:
        start = None if after is None else {"pk": {"S": tenant_id}, "sk": {"S": _pk(after)}}
        with answering():
            listed = UserSessionItem.query(
                tenant_id,
                UserSessionItem.sk.startswith(_pk(prefix)),
                consistent_read=True,
                limit=limit,
                last_evaluated_key=start,
            )
            places = [item.sk.removeprefix(_pk("")) for item in listed]
            found: dict[str, Session] = {}
            for first in range(0, len(places), _BATCH):
                keys = [(_pk(place.partition("#")[2]), SK) for place in places[first : first + _BATCH]]
                found |= {item.id: item for item in map(_session, SessionItem.batch_get(keys, consistent_read=True))}
            found = _as_signed_out(tenant_id, found)
        sessions = [found[each] for place in places if (each := place.partition("#")[2]) in found]
        return sessions, places[-1] if listed.last_evaluated_key else None

    def add(self, session: Session, event: Event) -> None:
        """Keep a new session."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(session), SessionItem.pk.does_not_exist(), refused=Conflict())
        transaction.put(_listing(session))
        transaction.commit(event)

    def renew(self, before: Session, after: Session, event: Event) -> None:
        """Put *after* in the place of *before*."""
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(_item(after), _still(before), refused=PreconditionFailed())
        transaction.put(_listing(after))
        transaction.commit(event)

    def note_seen(self, session: Session) -> None:
        """Keep `last_seen_at`."""
        transaction = Transaction(self._tables)
        seen = [SessionItem.last_seen_at.set(session.last_seen_at.isoformat())]
        transaction.update(SessionItem(_pk(session.id), SK), seen, _still(session), refused=PreconditionFailed())
        try:
            transaction.commit()
        except PreconditionFailed:
            return

    def end(self, session: Session, at: datetime, event: Event) -> None:
        """End it, and have its clients be told."""
        told = [each for each in self._logouts.of_session(session.id) if each.outcome is None]
        transaction = Transaction(self._tables, self._outbox)
        if told:
            puts_waiting(transaction, session.id)
        transaction.update(
            SessionItem(_pk(session.id), SK),
            [SessionItem.ended_at.set(at.isoformat())],
            SessionItem.pk.exists() & SessionItem.ended_at.does_not_exist(),
            refused=PreconditionFailed(),
        )
        transaction.delete(UserSessionItem(session.tenant_id, _place(session)))
        revokes(transaction, session.tenant_id, session.id, at + LIVES_AT_MOST)
        moves_revocation(transaction, session.tenant_id)
        transaction.commit(event)
        with suppress(Unavailable):  # what is not told now is found by the schedule
            for each in told:
                self._queue().put(session.id, each.client_id)


def _as_signed_out(tenant_id: str, sessions: dict[str, Session]) -> dict[str, Session]:
    """*sessions* of the tenant's, each with whether its person was signed out after it began."""
    outs = signed_out(tenant_id, {each.user_id for each in sessions.values()})
    over = [each for each in sessions.values() if each.user_id in outs and outs[each.user_id].ends(each.id)]
    return sessions | {each.id: replace(each, signed_out=True) for each in over}


def _still(session: Session) -> Condition:
    still: Condition = (SessionItem.secret_hash == session.secret_hash) & SessionItem.ended_at.does_not_exist()
    return still


def _pk(session_id: str) -> str:
    return f"SESSION#{session_id}"


def _place(session: Session) -> str:
    return _pk(f"{session.user_id}#{session.id}")


def _swept(session: Session) -> int:
    return int(((session.started_at or session.auth_time) + LIFETIME + _SWEPT_AFTER).timestamp())


def _listing(session: Session) -> UserSessionItem:
    return UserSessionItem(session.tenant_id, _place(session), expires=_swept(session))


def _item(session: Session) -> SessionItem:
    return SessionItem(
        _pk(session.id),
        SK,
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        amr=list(session.amr),
        auth_time=session.auth_time.isoformat(),
        created_at=session.created_at.isoformat(),
        last_seen_at=session.last_seen_at.isoformat(),
        secret_hash=session.secret_hash,
        interaction=session.interaction,
        ended_at=session.ended_at.isoformat() if session.ended_at else None,
        started_at=session.started_at.isoformat() if session.started_at else None,
        expires=_swept(session),
    )


def _session(item: SessionItem) -> Session:
    return Session(
        id=item.pk.removeprefix(_pk("")),
        tenant_id=item.tenant_id,
        user_id=item.user_id,
        amr=tuple(item.amr),
        auth_time=datetime.fromisoformat(item.auth_time),
        created_at=datetime.fromisoformat(item.created_at),
        last_seen_at=datetime.fromisoformat(item.last_seen_at),
        secret_hash=bytes(item.secret_hash),
        interaction=item.interaction,
        ended_at=datetime.fromisoformat(item.ended_at) if item.ended_at else None,
        started_at=datetime.fromisoformat(item.started_at) if item.started_at else None,
    )
