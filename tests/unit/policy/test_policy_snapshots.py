"""What a warm instance sees of a change, and when; it never answers by rules that changed over five seconds ago."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforma.kernel.errors import Unavailable
from platforma.policy.decide import decide
from platforma.policy.model import Versions
from platforma.policy.snapshots import BOUND, FRESH, MAX_TENANTS, Snapshots
from tests.unit.policy.office import Counted
from tests.unit.policy.worlds import NOON, TENANT, request, user


def test_nothing_is_read_within_two_seconds_and_no_rules_until_they_move(warm):
    for seconds in range(10):
        warm.now = NOON + timedelta(seconds=seconds)
        warm.snapshots.of(TENANT)
        warm.snapshots.of(TENANT)

    assert (warm.store.looks, warm.store.loads) == (5, 1)


def test_a_change_bites_after_two_seconds(warm):
    asked = request("infrastructure.clusters.get", "cluster:cls_eu01")

    def allowed():
        return decide(warm.snapshots.of(TENANT).policy_set, user(), asked).allowed

    before = allowed()
    warm.create()
    warm.now += FRESH

    assert (before, allowed()) == (False, True)


def test_who_gives_rights_sees_what_another_instance_wrote_a_moment_ago(warm):
    asked = request("infrastructure.clusters.get", "cluster:cls_eu01")
    warm.snapshots.of(TENANT)
    warm.create()

    now = decide(warm.snapshots.current(TENANT).policy_set, user(), asked).allowed
    after = decide(warm.snapshots.of(TENANT).policy_set, user(), asked).allowed

    assert (now, after) == (True, True)


def test_who_gives_rights_is_not_answered_by_what_was_read_before_the_store_went(warm):
    warm.snapshots.of(TENANT)
    warm.store.fails = True

    with pytest.raises(Unavailable):
        warm.snapshots.current(TENANT)


def test_a_suspended_tenant_stands_suspended(warm):
    warm.snapshots.of(TENANT)
    warm.store.set_versions(TENANT, Versions(policy=1, revocation=2, status="suspended"))
    warm.now += FRESH

    assert warm.snapshots.of(TENANT).standing == "suspended"


def test_a_tenant_that_does_not_exist_is_unknown_and_not_kept(warm):
    assert [warm.snapshots.of("ten_none").standing for _ in range(2)] == ["unknown", "unknown"]
    assert warm.store.looks == 2


def test_what_was_read_stands_for_five_seconds_without_its_store_and_no_longer(warm):
    kept = warm.snapshots.of(TENANT)
    warm.store.fails = True

    warm.now = NOON + BOUND - timedelta(milliseconds=1)
    assert warm.snapshots.of(TENANT) is kept
    warm.now = NOON + BOUND
    with pytest.raises(Unavailable):
        warm.snapshots.of(TENANT)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["change", "fail", "mend", "ask", "ask"]), st.integers(0, 1), st.integers(0, 3000)),
        max_size=40,
    )
)
def test_no_instance_answers_by_rules_that_were_changed_more_than_five_seconds_ago(steps):
    """Whatever is asked when, of whichever instance, while the store comes and goes: it is by newer rules, or not at all."""
    now, store = [NOON], Counted()
    store.set_versions(TENANT, Versions(policy=1, revocation=1, status="active"))
    instances = [Snapshots(store, lambda: now[0]) for _ in range(2)]
    stood = [(NOON, 1)]

    for step, which, milliseconds in steps:
        now[0] += timedelta(milliseconds=milliseconds)
        if step == "change":
            stood.append((now[0], stood[-1][1] + 1))
            store.set_versions(TENANT, Versions(policy=stood[-1][1], revocation=1, status="active"))
        elif step != "ask":
            store.fails = step == "fail"
        else:
            oldest = max(version for at, version in stood if at <= max(now[0] - BOUND, NOON))
            try:
                answered = instances[which].of(TENANT)
            except Unavailable:
                assert store.fails
            else:
                assert answered.versions.policy >= oldest
                assert store.fails or answered.versions.policy >= max(
                    v for at, v in stood if at <= max(now[0] - FRESH, NOON)
                )


def test_a_clock_set_back_does_not_make_old_rules_new(warm):
    warm.snapshots.of(TENANT)
    warm.now -= timedelta(hours=1)
    warm.snapshots.of(TENANT)

    assert warm.store.looks == 2


def test_an_instance_keeps_a_bounded_number_of_tenants(warm):
    tenants = [f"ten_{number}" for number in range(MAX_TENANTS + 1)]
    for tenant in tenants:
        warm.store.set_versions(tenant, Versions(policy=1, revocation=1, status="active"))
        warm.snapshots.of(tenant)

    warm.snapshots.of(tenants[-1])
    warm.snapshots.of(tenants[0])

    assert warm.store.looks == MAX_TENANTS + 2
