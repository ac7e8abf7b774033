"""The function that gives signing keys their successors, and withdraws one."""

import jwt
import pytest

from platforma.kernel.errors import NotFound, Unprocessable
from platforma.keys.signing import READ_EVERY
from platforma.keys.signing_key import ROTATED_AFTER
from tests.world import World


def rotate(world: World, **event: object) -> int:
    context = type("Context", (), {"aws_request_id": "rotation"})()
    return int(world.function("keys_rotation").handler(event, context)["made"])


def kids(world: World) -> list[str]:
    return [key["kid"] for key in world.call("GET", "/.well-known/jwks.json").json["keys"]]


def test_every_key_gets_a_successor_in_its_time_and_the_key_set_has_both(world: World):
    _ = world.platform_client
    before = kids(world)
    assert rotate(world, source="schedule", job="rotate") == 0

    world.clock.move(seconds=ROTATED_AFTER.total_seconds())

    assert rotate(world, source="schedule", job="rotate") == 3
    world.clock.move(seconds=READ_EVERY.total_seconds())
    assert set(before) < set(kids(world))
    assert len(kids(world)) == 6


def test_a_withdrawn_keys_tokens_end_within_a_minute_and_new_ones_are_good(world: World):
    token = world.token(world.platform_client)
    kid = jwt.get_unverified_header(token)["kid"]

    assert rotate(world, withdraw=kid) == 1
    world.clock.move(seconds=READ_EVERY.total_seconds())

    assert world.call("GET", "/v1/me", token=token).status == 401
    assert kid not in kids(world)
    assert world.call("GET", "/v1/me", token=world.token(world.platform_client)).status == 200


@pytest.mark.parametrize(("kid", "error"), [("unknown", NotFound), (1, Unprocessable)])
def test_what_is_no_key_is_not_withdrawn(world: World, kid: object, error: type[Exception]):
    _ = world.platform_client

    with pytest.raises(error):
        rotate(world, withdraw=kid)
