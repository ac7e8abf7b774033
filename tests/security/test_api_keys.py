"""Attacks on API keys: forging, exhausting, racing, widening, enumerating, and looking for secrets where none may be."""

import zlib
from dataclasses import replace

import pytest

from platforma.apikeys import RateLimit, change_key, get_key, issue_key, revoke_key, rotate_key
from platforma.apikeys.format import LENGTH, encode
from platforma.kernel.errors import Forbidden, NotFound, Unauthenticated
from platforma.kernel.ids import new_id
from platforma.keys import stored_secret
from platforma.policy.actions import within
from tests.unit.apikeys.world import World


@pytest.fixture(autouse=True)
def _quick_bcrypt(monkeypatch):
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 4)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def hashes(monkeypatch):
    seen = []
    check = stored_secret.bcrypt.checkpw
    monkeypatch.setattr(stored_secret.bcrypt, "checkpw", lambda raw, hashed: seen.append(hashed) or check(raw, hashed))
    return seen


def with_crc(checked):
    return checked + encode(zlib.crc32(checked.encode()), 6)


def forgeries(text):
    """Texts by one who knows the format, and everything of *text* that is written where others read it."""
    return {
        "another secret": with_crc(text[:31] + "A" * 43 + text[74:85]),
        "another key's id": with_crc(text[:9] + encode(1 << 100, 22) + text[31:85]),
        "live made test": with_crc(text[:85].replace("live", "test")),
        "a checksum of zeros": with_crc(text[:74] + "0" * 11),
        "a pepper that is not there": with_crc(text[:8] + "z" + text[9:85]),
        "pepper nought": with_crc(text[:8] + "0" + text[9:85]),
    }


@pytest.mark.parametrize("name", forgeries("0" * LENGTH))
def test_a_forged_key_costs_no_read_and_no_hash(world, hashes, name):
    forged = forgeries(world.issue().text)[name]
    world.keys.reads = 0

    assert world.check(forged).code == "unknown"
    with pytest.raises(Unauthenticated):
        world.verify(forged)

    assert (world.keys.reads, hashes) == (0, [])


@pytest.mark.parametrize(
    "junk", ["", "\0", "pk_live_", "x" * 5_000_000, "pk_live_" + "\0" * 83, "pk_live_" + "é" * 83, "\ud800" * LENGTH]
)
def test_junk_is_refused_before_anything_is_computed(world, hashes, junk):
    assert world.check(junk).code == "malformed"
    assert (world.keys.reads, hashes) == (0, [])


@pytest.mark.parametrize("tail", ["\0", " ", "\n", "A", "\0A"])
def test_bcrypts_72_bytes_and_nul_give_no_second_spelling(world, tail):
    text = world.issue().text

    assert world.check(text + tail).code == "malformed"
    assert world.check(with_crc(text[:74] + tail + text[74:85])).code == "malformed"


def test_a_dead_or_misplaced_key_buys_no_hash(world, hashes):
    revoked, suspended, expired = world.issue(), world.issue(), world.issue(expires_in=1)
    elsewhere = world.issue(ip_range=("10.0.0.0/8",))
    revoke_key(world.tenant_id, revoked.key.id, **world.use())
    change_key(world.tenant_id, suspended.key.id, {"enabled": False}, narrows=within, **world.use())
    world.passes(hours=2)

    codes = [world.check(key.text).code for key in (revoked, suspended, expired, elsewhere)]
    strange = world.check(world.issue().text, tenant_id=new_id("ten"))

    assert codes == ["revoked", "suspended", "expired", "ip_not_allowed"]
    assert strange.code == "unknown"
    assert hashes == []


def test_a_key_that_is_refused_after_its_hash_buys_no_second_one(world, hashes):
    limited, scopeless = world.issue(rate_limit=RateLimit(1, 86400)), world.issue()
    world.check(limited.text)
    world.passes(hours=1)

    for _ in range(5):
        assert world.check(limited.text).code == "rate_limited"
        assert world.check(scopeless.text, permits=lambda _: "insufficient_scope").code == "insufficient_scope"

    assert len(hashes) == 2


def test_a_bad_key_is_one_and_the_same_error_whatever_is_wrong(world):
    issued, revoked, expired = world.issue(ip_range=("10.0.0.0/8",)), world.issue(), world.issue(expires_in=1)
    revoke_key(world.tenant_id, revoked.key.id, **world.use())
    world.passes(seconds=1)
    texts = ["", *forgeries(issued.text).values(), issued.text, revoked.text, expired.text]

    errors = []
    for text in texts:
        with pytest.raises(Unauthenticated) as caught:
            world.verify(text, "192.0.2.1")
        errors.append(caught.value)

    assert {(type(error), error.code, error.detail, str(error)) for error in errors} == {
        (Unauthenticated, "unauthenticated", Unauthenticated.public, Unauthenticated.public)
    }


@pytest.mark.parametrize("end", ["revoke", "suspend"])
def test_a_key_that_is_ended_while_its_secret_is_hashed_is_refused_and_gets_no_ticket(world, monkeypatch, end):
    issued = world.issue()
    world.passes(hours=1)
    check = stored_secret.bcrypt.checkpw

    def slowly(raw, hashed):
        if end == "revoke":
            revoke_key(world.tenant_id, issued.key.id, **world.use())
        else:
            change_key(world.tenant_id, issued.key.id, {"enabled": False}, narrows=within, **world.use())
        return check(raw, hashed)

    monkeypatch.setattr(stored_secret.bcrypt, "checkpw", slowly)

    with pytest.raises(Unauthenticated):
        world.verify(issued.text)

    assert get_key(world.tenant_id, issued.key.id, keys=world.keys).secret.ticket == ""


def test_a_ticket_is_of_no_use_with_another_key(world):
    """One who can write the table, but has not the pepper, gives a key the hash and ticket of his own."""
    mine, other = world.issue(), world.issue()
    swapped = replace(other.key, secret=mine.key.secret, version=2)
    world.keys.change(other.key, swapped, world.attempt().event("success"))

    mixed = with_crc(other.text[:31] + mine.text[31:85])

    assert world.check(mixed).code == "unknown"
    assert world.check(other.text).code == "unknown"


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        ("infrastructure.clusters.get", "infrastructure.clusters.*"),
        ("infrastructure.clusters.*", "infrastructure.*"),
        ("infrastructure.clusters.*", "infrastructure:read"),
        ("infrastructure:read", "infrastructure:manage"),
        ("infrastructure:read", "infrastructure.*"),
        ("infrastructure:manage", "billing:read"),
        ("infrastructure:manage", "*:read"),
        ("*:*", "settings:read"),
        ("*:manage", "*"),
        ("*", "platform:manage"),
    ],
)
def test_no_patch_widens_a_scope(world, held, asked):
    key = world.issue(scopes=(held,)).key

    with pytest.raises(Forbidden):
        change_key(
            world.tenant_id, key.id, {"scopes": (held, asked)}, narrows=lambda had, new: within(new, had), **world.use()
        )


def test_a_key_of_one_tenant_is_nothing_to_another(world):
    key = world.issue().key
    before = get_key(world.tenant_id, key.id, keys=world.keys)
    other = World(secrets=world.secrets, keys=world.keys)
    attacks = [
        lambda: get_key(other.tenant_id, key.id, keys=other.keys),
        lambda: revoke_key(other.tenant_id, key.id, **other.use()),
        lambda: change_key(other.tenant_id, key.id, {"enabled": False}, narrows=lambda *_: True, **other.use()),
        lambda: rotate_key(other.tenant_id, key.id, created_by="usr", secrets=other.secrets, **other.use()),
    ]

    for attack in attacks:
        with pytest.raises(NotFound):
            attack()

    assert get_key(world.tenant_id, key.id, keys=world.keys) == before


def test_nothing_that_is_kept_or_said_holds_a_secret(world):
    issued = [world.issue(), world.issue(expires_in=7200)]
    issued.append(rotate_key(world.tenant_id, issued[0].key.id, created_by="usr", secrets=world.secrets, **world.use()))
    said = []
    for _ in range(2):
        said += [repr(world.check(key.text)) for key in issued]
        world.passes(minutes=59)
    revoke_key(world.tenant_id, issued[1].key.id, **world.use())
    for key in issued:
        try:
            world.verify(key.text, None)
        except Unauthenticated as error:
            said.append(repr((error, error.facts)))
    page, _ = world.keys.page(world.tenant_id, limit=50)
    said += [repr(issued), repr(page), repr([key.as_json(world.now) for key in page]), repr(world.events)]
    said += [repr((key.secret.hash, key.secret.ticket)) for key in page]

    text = "".join(said)

    for key in issued:
        assert key.text[31:74] not in text
        assert key.text not in text


def test_what_is_hashed_is_the_secret_alone_at_cost_12(monkeypatch):
    monkeypatch.setattr(stored_secret, "BCRYPT_COST", 12)
    world = World()

    issued = world.issue()

    assert issued.key.secret.hash.startswith("$2b$12$")
    assert stored_secret.bcrypt.checkpw(issued.text[31:74].encode(), issued.key.secret.hash.encode())


def test_a_caller_may_not_name_what_the_key_is(world):
    """The owner, tenant and ancestry are arguments of the use case and no part of what a body may hold."""
    names = set(issue_key.__annotations__) & set(type(world.issue().key).__dataclass_fields__)

    assert {"tenant_id", "owner_type", "owner_id", "created_by"} <= names
    assert not {"tenant_id", "owner_id", "owner_type"} & set(issue_key.__annotations__["request"].__dataclass_fields__)
