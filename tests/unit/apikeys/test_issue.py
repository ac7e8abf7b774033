from datetime import timedelta

import pytest

from platforma.apikeys import Bound, RateLimit, bound_by, get_key
from platforma.apikeys.format import PATTERN
from platforma.kernel.clock import rfc3339
from platforma.kernel.errors import Conflict, Unavailable, Unprocessable


def test_a_key_lives_for_good_unless_it_is_told_when_to_end(world):
    assert world.issue().key.expires_at is None
    assert world.issue(expires_in=60).key.expires_at == world.now + timedelta(seconds=60)
    assert world.issue(expires_at=rfc3339(world.now + timedelta(days=1))).key.expires_at == world.now + timedelta(days=1)


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"expires_in": 60, "expires_at": "2027-01-01T00:00:00Z"}, "/expires_in"),
        ({"expires_in": 0}, "/expires_in"),
        ({"expires_in": 10**12}, "/expires_in"),
        ({"expires_at": "2026-11-24T09:59:59Z"}, "/expires_at"),
        ({"expires_at": "2026-11-24T10:00:00Z"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "/expires_at"),
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "  "}, "/name"),
        ({"environment": "prod"}, "/environment"),
        ({"scopes": ()}, "/scopes"),
        ({"scopes": ("infrastructure:read", "infra structure")}, "/scopes/1"),
        ({"scopes": ("openid",)}, "/scopes/0"),
        ({"ip_range": ("10.0.0.1/8",)}, "/ip_range/0"),
        ({"ip_range": ("10.0.0.0/8", "example.com")}, "/ip_range/1"),
        ({"ip_range": ("fe80::%eth0/64",)}, "/ip_range/0"),
        ({"rate_limit": RateLimit(0, 1)}, "/rate_limit/limit"),
        ({"rate_limit": RateLimit(1, 0)}, "/rate_limit/period_seconds"),
    ],
)
def test_a_bad_field_is_pointed_at_and_nothing_is_made(world, wanted, pointer):
    with pytest.raises(Unprocessable) as caught:
        world.issue(**wanted)

    assert [error["pointer"] for error in caught.value.errors] == [pointer]
    assert world.events == []


def test_the_event_tells_of_the_key_and_not_its_secret(world):
    issued = world.issue()

    (event,) = world.events
    assert (event.resource, event.resource_type, event.result) == (issued.key.id, "api_key", "success")
    assert event.changes["after"]["scopes"] == ["infrastructure:read"]
    for secret in (issued.text[31:], issued.key.secret.hash, issued.key.secret.ticket):
        assert secret not in repr((event, issued, issued.key, issued.key.as_json(world.now)))


def test_a_key_made_through_a_credential_ends_with_it(world):
    ends = world.now + timedelta(hours=1)

    assert world.issue(bound=Bound(not_after=ends)).key.expires_at == ends
    assert world.issue(bound=Bound(not_after=ends), expires_in=86400).key.expires_at == ends
    assert world.issue(bound=Bound(not_after=ends), expires_in=60).key.expires_at == world.now + timedelta(seconds=60)


def test_keys_through_keys_end_after_a_few(world):
    key = world.issue().key
    for _ in range(4):
        key = world.issue(bound=bound_by(key)).key

    with pytest.raises(Conflict):
        world.issue(bound=bound_by(key))


def test_mapped_ranges_mean_their_v4_ranges(world):
    assert world.issue(ip_range=("::ffff:10.0.0.0/104", "10.0.0.0/8")).key.ip_range == ("10.0.0.0/8",)


def test_what_is_kept_is_what_was_answered(world):
    issued = world.issue(rate_limit=RateLimit(10, 60), ip_range=("2001:db8::/32",))

    assert get_key(world.tenant_id, issued.key.id, keys=world.keys) == issued.key
    assert issued.text.startswith(issued.key.prefix)
    assert __import__("re").fullmatch(PATTERN, issued.text)


def test_without_a_pepper_no_key_is_made(world):
    world.secrets.gone = True

    with pytest.raises(Unavailable):
        world.issue()

    assert world.events == []
