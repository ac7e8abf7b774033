import pytest

from platforma.apikeys import RateLimit, change_key, get_key, list_keys, revoke_key
from platforma.kernel.errors import Conflict, Forbidden, NotFound, PreconditionFailed, Unprocessable
from platforma.policy.actions import within


def narrows(held, asked):
    return within(asked, held)


@pytest.fixture
def change(world):
    return lambda key, wanted, **more: change_key(world.tenant_id, key.id, wanted, narrows=narrows, **world.use(), **more)


def test_scopes_narrow(world, change):
    key = world.issue(scopes=("infrastructure:manage",)).key

    changed = change(key, {"scopes": ("infrastructure.clusters.get",)})

    assert changed.scopes == ("infrastructure.clusters.get",)
    assert changed.version == 2
    assert world.events[-1].changes == {
        "before": {"scopes": ["infrastructure:manage"]},
        "after": {"scopes": ["infrastructure.clusters.get"]},
    }


def test_scopes_do_not_widen(world, change):
    key = world.issue(scopes=("infrastructure.clusters.get",)).key

    with pytest.raises(Forbidden):
        change(key, {"scopes": ("infrastructure:read",)})

    assert get_key(world.tenant_id, key.id, keys=world.keys) == key


def test_a_life_is_shortened_only(world, change):
    key = world.issue(expires_in=3600).key

    for longer in ("2026-11-24T11:00:01Z", None):
        with pytest.raises(Unprocessable):
            change(key, {"expires_at": longer})
    assert change(key, {"expires_at": "2026-11-24T10:30:00Z"}).expires_at.minute == 30


def test_name_ranges_and_limit_change_together(world, change):
    key = world.issue(ip_range=("10.0.0.0/8",)).key

    changed = change(key, {"name": "cd", "ip_range": (), "rate_limit": RateLimit(5, 1)})

    assert (changed.name, changed.ip_range, changed.rate_limit) == ("cd", (), RateLimit(5, 1))


def test_an_unknown_field_is_refused_and_so_is_a_null(world, change):
    for wanted in ({"owner_id": "usr_x"}, {"name": None}, {"scopes": None}, {"enabled": None}, {"ip_range": None}):
        with pytest.raises(Unprocessable) as caught:
            change(world.issue().key, wanted)

        assert [error["pointer"] for error in caught.value.errors] == [f"/{name}" for name in wanted]


def test_nothing_new_writes_nothing(world, change):
    key = world.issue().key

    assert change(key, {"name": key.name}).version == 1
    assert len(world.events) == 1


def test_a_stale_version_is_refused(world, change):
    key = world.issue().key
    change(key, {"name": "new"}, if_match=1)

    with pytest.raises(PreconditionFailed):
        change(key, {"name": "newer"}, if_match=1)
    with pytest.raises(PreconditionFailed):
        revoke_key(world.tenant_id, key.id, **world.use(), if_match=1)


def test_another_tenants_key_is_not_there(world, change):
    key = world.issue().key
    world.tenant_id = "ten_01j0000000e008000000000002"

    with pytest.raises(NotFound):
        change(key, {"name": "mine"})
    with pytest.raises(NotFound):
        revoke_key(world.tenant_id, key.id, **world.use())
    with pytest.raises(NotFound):
        get_key(world.tenant_id, key.id, keys=world.keys)
    assert list_keys(world.tenant_id, keys=world.keys) == ((), None)


def test_a_revoked_key_stays_readable_and_has_no_way_back(world, change):
    key = world.issue().key

    revoke_key(world.tenant_id, key.id, **world.use())

    revoked = get_key(world.tenant_id, key.id, keys=world.keys)
    assert revoked.status(world.now) == "revoked"
    assert revoked.secret.ticket == ""
    with pytest.raises(Conflict):
        change(key, {"enabled": True})


def test_revoking_again_changes_nothing(world):
    key = world.issue().key
    first = revoke_key(world.tenant_id, key.id, **world.use())
    use = world.use()

    assert revoke_key(world.tenant_id, key.id, **use) == first
    assert not use["attempt"].entered
