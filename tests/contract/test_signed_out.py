"""One suite over a user's being signed out everywhere by the write that says so: in memory, and in DynamoDB (moto)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from platforma.adapters.dynamodb.identity.directory import DynamoDirectory
from platforma.adapters.dynamodb.links import DynamoLinks
from platforma.adapters.dynamodb.revocations import DynamoDBRevocations
from platforma.adapters.dynamodb.sessions import DynamoDBSessions
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.adapters.memory.identity import MemoryDirectory, MemoryIdentity, MemoryLinks
from platforma.adapters.memory.keys import MemoryDataKeys, MemorySecrets
from platforma.adapters.memory.logouts import MemoryLogoutQueue, MemoryLogouts
from platforma.adapters.memory.sessions import MemoryRevocations, MemorySessions
from platforma.identity.links import Link
from platforma.identity.model import User
from platforma.kernel.errors import PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from platforma.oauth.sessions import Session, end_sessions, start_session
from platforma.oauth.sessions.model import new_session
from tests.contract.on_moto import KeptEvents, tables_on_moto

START = datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)


@dataclass
class Place:
    """The ports of one implementation, and a clock to be moved."""

    tenant_id: str
    directory: Any
    links: Any
    sessions: Any
    revocations: Any
    now: datetime = START

    def attempt(self) -> Attempt:
        return Attempt(
            new_id("evt"), "tests.act", lambda: self.now, tenant_id=self.tenant_id, principal_type="system", principal_id="t"
        )

    def event(self):
        return self.attempt().event("success")

    def later(self) -> None:
        self.now += timedelta(milliseconds=1)

    def user(self) -> User:
        user = User(
            id=new_id("usr"),
            tenant_id=self.tenant_id,
            email=f"{new_id('usr')}@acme.test",
            name="Ada",
            status="active",
            created_at=START,
        )
        self.directory.add(user, None, self.event())
        return user

    def signed_in(self, user: User) -> Session:
        session, _ = new_session(self.tenant_id, user.id, amr=("pwd",), now=self.now, interaction=None, of=None)
        self.sessions.add(session, self.event())
        self.later()
        return session

    def lives(self, session: Session) -> bool:
        """Whether it does, as everybody who reads of it agrees."""
        (listed,) = (
            each
            for each in self.sessions.of_user(self.tenant_id, session.user_id, limit=50, after=None)[0]
            if each.id == session.id
        )
        revoked = self.revocations.any_of(self.tenant_id, (new_id("api"), session.id), user_id=session.user_id)
        told = {self.sessions.get(session.id).alive(self.now), listed.alive(self.now), not revoked}
        assert len(told) == 1, "those who read of it disagree"
        return told.pop()


def memory() -> Place:
    store, tenant_id = MemoryIdentity(), new_id("ten")
    store.moves(tenant_id)
    directory = MemoryDirectory(store)
    revocations = MemoryRevocations(signed_out=store.signed_out)
    sessions = MemorySessions(revocations, MemoryLogouts(revocations.enter), MemoryLogoutQueue())
    return Place(tenant_id, directory, MemoryLinks(store, directory), sessions, revocations)


def dynamodb(tables) -> Place:
    tenant_id = new_id("ten")
    tables.bind()
    VersionsItem(tenant_id, SK).save()
    outbox = KeptEvents(tables, "credential")
    directory = DynamoDirectory(tables, outbox, Envelope(MemoryDataKeys(tenant_id)), MemorySecrets())
    sessions = DynamoDBSessions(tables, outbox, MemoryLogoutQueue)
    return Place(tenant_id, directory, DynamoLinks(tables, outbox, directory), sessions, DynamoDBRevocations(tables, outbox))


@pytest.fixture(scope="module")
def tables():
    with tables_on_moto("credential", "policy", "identity") as tables:
        yield tables


@pytest.fixture(params=["memory", "dynamodb"])
def place(request) -> Place:
    return memory() if request.param == "memory" else dynamodb(request.getfixturevalue("tables"))


def moved(user: User, **fields: Any) -> User:
    return replace(user, version=user.version + 1, **fields)


def new_password(place: Place, user: User) -> None:
    place.directory.set_password(user, moved(user, has_password=True), "hash", place.event())


def password_by_link(place: Place, user: User) -> None:
    link = Link(new_id("evt"), place.tenant_id, user.id, "reset", place.now + timedelta(hours=1), "")
    place.links.add(link, place.event())
    place.links.spend(link, user, moved(user, has_password=True), "hash", place.event())


def suspension(place: Place, user: User) -> None:
    place.directory.replace(user, moved(user, status="suspended"), place.event(), turn=None)


def removal(place: Place, user: User) -> None:
    place.directory.remove(user, place.event(), turn=None)


@pytest.mark.parametrize("write", [new_password, password_by_link, suspension, removal])
def test_the_write_alone_ends_every_session_that_began_before(place: Place, write):
    """Whatever becomes of the function behind it."""
    user, other = place.user(), place.user()
    before, elsewhere, others = place.signed_in(user), place.signed_in(user), place.signed_in(other)
    assert place.lives(before)
    assert place.lives(elsewhere)

    write(place, user)

    assert not place.lives(before)
    assert not place.lives(elsewhere)
    assert place.lives(others)


def test_a_session_that_begins_afterwards_lives(place: Place):
    user = place.user()
    place.signed_in(user)

    new_password(place, user)
    place.later()

    assert place.lives(place.signed_in(user))


def test_who_sets_a_password_stays_in_the_session_that_is_named_until_the_next_time(place: Place):
    user = place.user()
    mine, others = place.signed_in(user), place.signed_in(user)
    after = moved(user, has_password=True)

    place.directory.set_password(user, after, "hash", place.event(), staying=mine.id)

    assert (place.lives(mine), place.lives(others)) == (True, False)
    suspension(place, after)
    assert not place.lives(mine)


def test_who_is_active_again_is_not_signed_in_again(place: Place):
    user = place.user()
    session = place.signed_in(user)
    suspension(place, user)
    suspended = moved(user, status="suspended")

    place.directory.replace(suspended, moved(suspended, status="active"), place.event(), turn=None)

    assert not place.lives(session)


@pytest.mark.parametrize("write", [new_password, suspension, removal])
def test_a_write_that_is_refused_signs_nobody_out(place: Place, write):
    user = place.user()
    session = place.signed_in(user)
    stale = replace(user, version=7)

    with pytest.raises(PreconditionFailed):
        write(place, stale)

    assert place.lives(session)


def test_a_change_that_is_none_of_these_signs_nobody_out(place: Place):
    user = place.user()
    session = place.signed_in(user)

    place.directory.replace(user, moved(user, name="Ada L."), place.event(), turn=None)

    assert place.lives(session)


def test_what_is_over_can_still_be_ended_so_that_it_is_told_of(place: Place):
    user = place.user()
    session = place.signed_in(user)
    new_password(place, user)

    ended = end_sessions(place.tenant_id, user.id, attempt=place.attempt(), sessions=place.sessions, clock=lambda: place.now)

    assert [each.id for each in ended] == [session.id]
    assert place.sessions.get(session.id).ended_at == place.now


def test_a_sign_in_where_a_session_is_over_begins_another(place: Place):
    user = place.user()
    over = place.signed_in(user)
    new_password(place, user)
    place.later()

    again, _ = start_session(
        place.tenant_id,
        user.id,
        amr=("pwd",),
        attempt=place.attempt(),
        sessions=place.sessions,
        clock=lambda: place.now,
        current=place.sessions.get(over.id),
    )

    assert again.id != over.id
    assert place.lives(again)
