"""One suite over where sessions, requests, codes, devices, grants and consents are kept: memory and DynamoDB (moto)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from platforma.adapters.dynamodb.authorizations import DynamoDBAuthorizations
from platforma.adapters.dynamodb.consents import DynamoDBConsents
from platforma.adapters.dynamodb.devices import DynamoDBDevices
from platforma.adapters.dynamodb.grants import DynamoDBGrants
from platforma.adapters.dynamodb.logouts import DynamoDBLogouts
from platforma.adapters.dynamodb.revocations import DynamoDBRevocations
from platforma.adapters.dynamodb.sessions import DynamoDBSessions
from platforma.adapters.dynamodb.versions import SK, VersionsItem
from platforma.adapters.memory.authorizations import MemoryAuthorizations, MemoryConsents, MemoryGrants
from platforma.adapters.memory.devices import MemoryDevices
from platforma.adapters.memory.keys import MemoryDataKeys
from platforma.adapters.memory.logouts import MemoryLogoutQueue, MemoryLogouts
from platforma.adapters.memory.sessions import MemoryRevocations, MemorySessions
from platforma.kernel.errors import AlreadyUsed, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.kernel.ids import new_id
from platforma.keys.envelope import Envelope
from platforma.oauth.authorization.model import AuthorizationRequest, KeptRequest, new_code
from platforma.oauth.backchannel import Logout
from platforma.oauth.consents.model import Consent
from platforma.oauth.device.model import DeviceAuthorization, device_code_hash, new_codes
from platforma.oauth.grants.model import Grant, Spent
from platforma.oauth.sessions.model import Session, new_session
from tests.contract.on_moto import KeptEvents, tables_on_moto

NOW = datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)
RACERS = 20


@dataclass
class Place:
    """The ports of one implementation; *events* counts what was entered, *revoked* how often revocations moved."""

    tenant_id: str
    sessions: Any
    authorizations: Any
    grants: Any
    consents: Any
    devices: Any
    revocations: Any
    logouts: Any
    queue: Any
    events: Any
    revoked: Any


def memory(tenant_id):
    entered = []
    revocations = MemoryRevocations(entered.append)
    logouts, queue = MemoryLogouts(revocations.enter), MemoryLogoutQueue()
    grants = MemoryGrants(revocations, logouts)
    return Place(
        tenant_id,
        MemorySessions(revocations, logouts, queue),
        MemoryAuthorizations(grants),
        grants,
        MemoryConsents(entered.append),
        MemoryDevices(grants),
        revocations,
        logouts,
        queue,
        lambda: len(entered),
        lambda: revocations.revocation_version[tenant_id],
    )


def dynamodb(tenant_id, tables):
    tables.bind()
    VersionsItem(tenant_id, SK).save()
    outbox = KeptEvents(tables, "credential")
    others = len(outbox.ids())
    envelope, queue = Envelope(MemoryDataKeys(tenant_id), lambda: NOW), MemoryLogoutQueue()
    return Place(
        tenant_id,
        DynamoDBSessions(tables, outbox, lambda: queue),
        DynamoDBAuthorizations(tables, outbox, envelope),
        DynamoDBGrants(tables, outbox),
        DynamoDBConsents(tables, outbox),
        DynamoDBDevices(tables, outbox),
        DynamoDBRevocations(tables, outbox),
        DynamoDBLogouts(tables, outbox),
        queue,
        lambda: len(outbox.ids()) - others,
        lambda: VersionsItem.get(tenant_id, SK, consistent_read=True).revocation_version - 1,
    )


@pytest.fixture(scope="module")
def tables():
    """Tables that all tests here share: each has a tenant of its own."""
    with tables_on_moto("credential", "policy") as tables:
        yield tables


@pytest.fixture(params=["memory", "dynamodb"])
def place(request):
    tenant_id = new_id("ten")
    return memory(tenant_id) if request.param == "memory" else dynamodb(tenant_id, request.getfixturevalue("tables"))


def event():
    return Attempt("req", "oauth.tokens.issue", lambda: NOW).event("success")


def a_session(place, user_id=None) -> Session:
    session, _ = new_session(place.tenant_id, user_id or new_id("usr"), amr=("pwd",), now=NOW, interaction=None, of=None)
    place.sessions.add(session, event())
    return session


def a_request(place, **fields) -> KeptRequest:
    request = AuthorizationRequest(
        client_id=new_id("cli"),
        redirect_uri="https://client.test/callback",
        scope=("openid", "orders:read"),
        audience="https://id.test",
        code_challenge="x" * 43,
        state="ü is no state, but a hint may be",
        max_age=0,
        claims={"id_token": {"name": None}},
    )
    kept = KeptRequest(new_id("evt"), place.tenant_id, request, NOW, NOW + timedelta(minutes=5), **fields)
    place.authorizations.keep(kept)
    return kept


def a_code(place):
    kept, session = a_request(place), a_session(place)
    code, _ = new_code(kept, session, NOW)
    place.authorizations.finish(kept, code, event())
    return code


def a_grant(place, code=None, **fields) -> Grant:
    code = code or a_code(place)
    grant = Grant(
        id=code.grant_id,
        tenant_id=place.tenant_id,
        client_id=code.request.client_id,
        user_id=code.user_id,
        session_id=code.session_id,
        scope=code.request.scope,
        audience=code.request.audience,
        amr=code.amr,
        auth_time=code.auth_time,
        created_at=NOW,
        claims=code.request.claims,
        **{"token_hash": b"first", "generation": 1, "used_at": NOW, **fields},
    )
    place.authorizations.redeem(code, grant, event())
    return grant


def race(act, refusal) -> int:
    """How many of twenty at once were not refused."""
    start = Barrier(RACERS)

    def run(number):
        start.wait()
        try:
            return act(number) is not False
        except refusal:
            return False

    with ThreadPoolExecutor(RACERS) as pool:
        return sum(pool.map(run, range(RACERS)))


def test_what_is_kept_comes_back_as_it_was(place):
    session, code = a_session(place), a_code(place)
    kept = a_request(place, browser=b"b" * 32, pushed="p")
    grant = a_grant(place, code, binding={"jkt": "k"}, spent=Spent(b"before", NOW, b"asked", b"sealed"))

    assert place.sessions.get(session.id) == session
    assert place.authorizations.kept(kept.id) == kept
    assert place.authorizations.code(code.hash) == replace(code, spent=True)
    assert place.grants.get(grant.id) == grant


def test_there_is_nothing_that_was_not_kept(place):
    assert place.sessions.get(new_id("ses")) is None
    assert place.authorizations.kept("x") is None
    assert place.authorizations.code("x") is None
    assert place.grants.get("x") is None
    assert place.consents.get(place.tenant_id, new_id("usr"), new_id("cli")) is None


def test_of_twenty_who_redeem_a_code_one_does(place):
    code = a_code(place)
    before = place.events()

    assert race(lambda _: a_grant(place, code), AlreadyUsed) == 1
    assert place.events() == before + 1


def test_of_twenty_who_finish_a_request_one_does(place):
    pushed, session = a_request(place), a_session(place)
    interactions = [a_request(place, pushed=pushed.id) for _ in range(RACERS)]

    won = race(
        lambda n: place.authorizations.finish(interactions[n], new_code(interactions[n], session, NOW)[0], event()),
        AlreadyUsed,
    )

    assert won == 1
    assert place.authorizations.kept(pushed.id) is None


def test_a_request_that_is_over_is_not_marked(place):
    kept = a_request(place)
    place.authorizations.finish(kept, None, event())

    with pytest.raises(AlreadyUsed):
        place.authorizations.mark(replace(kept, consented=True))
    assert place.authorizations.kept(kept.id) is None


def test_of_twenty_refreshes_of_a_generation_one_wins(place):
    grant = a_grant(place)

    def refreshed(number):
        spent = Spent(b"first", NOW, b"asked", b"sealed %d" % number)
        place.grants.refresh(grant, grant.refreshed(b"second %d" % number, spent, NOW), event())

    assert race(refreshed, PreconditionFailed) == 1
    kept = place.grants.get(grant.id)
    assert (kept.generation, kept.token_hash.removeprefix(b"second "), kept.spent.answer.removeprefix(b"sealed ")) == (
        2,
        kept.spent.answer.removeprefix(b"sealed "),
        kept.token_hash.removeprefix(b"second "),
    )


def test_of_twenty_who_end_a_grant_one_does_and_it_is_revoked_once(place):
    grant = a_grant(place)
    before = place.events()

    assert race(lambda _: place.grants.end(grant, NOW, event()), ()) == 1

    assert place.events() == before + 1
    assert place.revoked() == 1
    assert place.revocations.any_of(place.tenant_id, ["other", grant.id])
    assert place.grants.of_user(place.tenant_id, grant.user_id) == []


def test_an_ended_grant_is_refreshed_no_more_and_keeps_no_answer(place):
    grant = a_grant(place, spent=Spent(b"before", NOW, b"asked", b"sealed"))
    place.grants.end(grant, NOW, event())

    with pytest.raises(PreconditionFailed):
        place.grants.refresh(grant, grant.refreshed(b"second", None, NOW), event())
    kept = place.grants.get(grant.id)
    assert (kept.ended_at, kept.spent) == (NOW, None)


def test_a_users_grants_are_theirs_by_age(place):
    first = a_grant(place)
    code = replace(a_code(place), user_id=first.user_id)
    second = a_grant(place, code)
    a_grant(place)

    assert {grant.id for grant in place.grants.of_user(place.tenant_id, first.user_id)} == {first.id, second.id}
    assert place.grants.of_user(new_id("ten"), first.user_id) == []


def test_of_twenty_who_end_a_session_one_does(place):
    session = a_session(place)

    assert race(lambda _: place.sessions.end(session, NOW, event()), PreconditionFailed) == 1

    assert place.sessions.get(session.id).ended_at == NOW
    assert place.revocations.any_of(place.tenant_id, [session.id])
    assert not place.revocations.any_of(new_id("ten"), [session.id])
    assert place.revoked() == 1


def test_of_twenty_renewals_of_a_session_one_wins_and_the_old_cookie_is_dead(place):
    session = a_session(place)

    def renew(_):
        after, _ = new_session(place.tenant_id, session.user_id, amr=("pwd",), now=NOW, interaction=None, of=session)
        place.sessions.renew(session, after, event())

    assert race(renew, PreconditionFailed) == 1
    kept = place.sessions.get(session.id)
    assert (kept.id, kept.secret_hash != session.secret_hash) == (session.id, True)
    place.sessions.note_seen(session.seen(NOW + timedelta(minutes=1)))
    assert place.sessions.get(session.id).last_seen_at == NOW


def test_an_ended_session_is_neither_renewed_nor_seen(place):
    session = a_session(place)
    place.sessions.end(session, NOW, event())

    place.sessions.note_seen(session.seen(NOW + timedelta(minutes=1)))
    with pytest.raises(PreconditionFailed):
        place.sessions.renew(session, session, event())
    assert place.sessions.get(session.id) == replace(session, ended_at=NOW)


def test_pages_hold_each_living_session_of_the_user_once(place):
    user_id = new_id("usr")
    kept = [a_session(place, user_id).id for _ in range(5)]
    place.sessions.end(place.sessions.get(kept[2]), NOW, event())
    a_session(place)

    pages, after = [], None
    for _ in range(9):
        page, after = place.sessions.of_user(place.tenant_id, user_id, limit=2, after=after)
        pages.append([session.id for session in page])
        if after is None:
            break

    assert sorted(each for page in pages for each in page) == sorted(kept[:2] + kept[3:])
    everybody, _ = place.sessions.of_tenant(place.tenant_id, limit=100, after=None)
    assert len(everybody) == 5


def test_a_consent_is_replaced_listed_and_taken_back_as_it_stands(place):
    user_id, client_ids = new_id("usr"), sorted(new_id("cli") for _ in range(3))
    consents = [Consent(place.tenant_id, user_id, each, ("openid",), NOW, NOW) for each in client_ids]
    for each in consents:
        place.consents.put(each, event())
    wider = consents[0].widened(["orders:read"], NOW + timedelta(seconds=1))
    place.consents.put(wider, event())

    first, after = place.consents.of_user(place.tenant_id, user_id, limit=2, after=None)
    rest, end = place.consents.of_user(place.tenant_id, user_id, limit=2, after=after)

    assert (first + rest, end) == ([wider, *consents[1:]], None)
    with pytest.raises(PreconditionFailed):
        place.consents.remove(consents[0], event())
    assert race(lambda _: place.consents.remove(wider, event()), PreconditionFailed) == 1
    assert place.consents.get(place.tenant_id, user_id, client_ids[0]) is None


def test_what_is_revoked_is_revoked_in_its_tenant(place):
    place.revocations.revoke(place.tenant_id, "a-token", NOW + timedelta(hours=1), event())

    assert place.revocations.any_of(place.tenant_id, ["x", "a-token"])
    assert not place.revocations.any_of(new_id("ten"), ["a-token"])
    assert not place.revocations.any_of(place.tenant_id, [])
    assert place.revoked() == 1


def a_device(place) -> DeviceAuthorization:
    device_code, user_code = new_codes()
    asked = DeviceAuthorization(
        hash=device_code_hash(device_code),
        user_code=user_code,
        tenant_id=place.tenant_id,
        client_id=new_id("cli"),
        scope=("openid", "orders:read"),
        audience="https://id.test",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
    )
    place.devices.keep(asked)
    return asked


def test_a_devices_request_is_found_by_either_code_and_a_taken_user_code_is_refused(place):
    asked = a_device(place)

    assert place.devices.get(asked.hash) == place.devices.by_user_code(asked.user_code) == asked
    assert place.devices.get("x") is place.devices.by_user_code("x") is None
    with pytest.raises(AlreadyUsed):
        place.devices.keep(replace(asked, hash="another"))


def test_polls_are_noted_while_it_is_pending_and_the_decision_keeps_them(place):
    asked, session = a_device(place), a_session(place)
    polled = asked.polled(NOW)
    place.devices.note_poll(polled)
    place.devices.decide(asked.allowed_by(session), event())
    place.devices.note_poll(polled.polled(NOW))

    assert place.devices.get(asked.hash) == replace(asked.allowed_by(session), polled_at=NOW)


def test_of_twenty_decisions_on_a_device_one_holds(place):
    asked, session = a_device(place), a_session(place)
    decisions = [asked.allowed_by(session), replace(asked, standing="denied")]

    assert race(lambda n: place.devices.decide(decisions[n % 2], event()), AlreadyUsed) == 1


def test_of_twenty_who_redeem_a_device_code_one_does(place):
    asked, session = a_device(place), a_session(place)
    grants = [replace(a_grant(place), id=f"{n}") for n in range(RACERS)]
    with pytest.raises(AlreadyUsed):
        place.devices.redeem(asked, grants[0], event())
    place.devices.decide(asked.allowed_by(session), event())

    assert race(lambda n: place.devices.redeem(asked, grants[n], event()), AlreadyUsed) == 1
    assert sum(place.grants.get(grant.id) is not None for grant in grants) == 1
    assert place.devices.get(asked.hash).standing == "spent"


def a_logout(place, session, client_id=None) -> Logout:
    """A client that is to be told of this session's end."""
    code = replace(a_code(place), session_id=session.id)
    logout = Logout(session.id, client_id or code.request.client_id, place.tenant_id)
    grant = Grant(
        code.grant_id, place.tenant_id, logout.client_id, code.user_id, session.id, ("openid",), "a", ("pwd",), NOW, NOW
    )
    place.authorizations.redeem(code, grant, event(), logout)
    return logout


def test_the_clients_of_a_session_wait_by_its_end_and_are_handed_out(place):
    session, other = a_session(place), a_session(place)
    told = sorted((a_logout(place, session) for _ in range(3)), key=lambda each: each.client_id)
    assert place.logouts.of_session(session.id) == told
    assert session.id not in place.logouts.waiting()

    place.sessions.end(session, NOW, event())
    place.sessions.end(other, NOW, event())

    assert place.queue.put_there == [(session.id, each.client_id, 0) for each in told]
    assert session.id in place.logouts.waiting()
    assert other.id not in place.logouts.waiting()
    place.logouts.settle(session.id)
    place.logouts.settle(session.id)
    assert session.id not in place.logouts.waiting()


def test_of_twenty_who_note_the_same_attempt_one_does(place):
    logout = a_logout(place, a_session(place))
    delivered, before = logout.attempted(NOW, None), place.events()

    assert race(lambda _: place.logouts.note(logout, delivered, event()), AlreadyUsed) == 1

    assert place.logouts.get(logout.session_id, logout.client_id) == delivered
    assert place.events() == before + 1


def test_an_attempt_that_failed_is_kept_with_its_reason_and_followed_by_the_next(place):
    logout = a_logout(place, a_session(place))
    first = logout.attempted(NOW, "status_500")
    place.logouts.note(logout, first, None)
    second = first.attempted(NOW + timedelta(seconds=10), None)
    place.logouts.note(first, second, event())

    with pytest.raises(AlreadyUsed):
        place.logouts.note(first, second, event())
    assert place.logouts.get(logout.session_id, logout.client_id) == second
    assert place.logouts.get(logout.session_id, new_id("cli")) is None


def test_who_was_told_already_is_not_told_by_the_end_again(place):
    session = a_session(place)
    logout = a_logout(place, session)
    place.logouts.note(logout, logout.attempted(NOW, None), event())

    place.sessions.end(session, NOW, event())

    assert place.queue.put_there == []
