from datetime import UTC, datetime, timedelta

from platforma.keys.expiring import Expiring

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_the_least_recently_used_makes_room():
    cache = Expiring(lambda: NOW, lifetime=timedelta(minutes=1), size=2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")

    cache.put("c", 3)

    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)


def test_use_does_not_prolong_life():
    times = iter([NOW, NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)])
    cache = Expiring(lambda: next(times), lifetime=timedelta(minutes=1), size=2)
    cache.put("a", 1)

    assert (cache.get("a"), cache.get("a"), len(cache)) == (1, None, 0)


def test_a_clock_that_went_back_makes_everything_old():
    times = iter([NOW, NOW - timedelta(seconds=1)])
    cache = Expiring(lambda: next(times), lifetime=timedelta(minutes=1), size=2)
    cache.put("a", 1)

    assert cache.get("a") is None
