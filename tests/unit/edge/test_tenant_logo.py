"""A tenant's logo: a small picture, on its own pages alone."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from platforma.identity.logo import MAX_BYTES
from tests.world import Reply, Tenant, World, running

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as made:
        yield made


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return world.tenant()


def uri(picture: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def put(tenant: Tenant, logo: Any) -> Reply:
    platform = tenant.world.token(tenant.world.platform_client)
    path = f"/v1/tenants/{tenant.id}"
    return tenant.world.call("PATCH", path, token=platform, json_body={"logo": logo}, headers={"If-Match": "*"})


def test_it_is_on_the_tenants_pages_until_it_is_taken_away(world: World, tenant: Tenant):
    kept = put(tenant, uri(PNG))
    shown = world.call("GET", f"/login?tenant={tenant.id}")
    other = world.call("GET", f"/login?tenant={world.tenant('other', 'admin@other.test').id}")

    assert (kept.status, kept.json["logo"]) == (200, uri(PNG))
    assert f'<img src="{uri(PNG)}" alt="">acme' in shown.text
    assert "img-src data:" in shown.headers["content-security-policy"]
    assert "<img" not in other.text
    assert put(tenant, None).json["logo"] is None
    assert "<img" not in world.call("GET", f"/login?tenant={tenant.id}").text


def test_the_event_tells_which_picture_and_not_all_of_it(world: World, tenant: Tenant):
    kept = put(tenant, uri(PNG + b"x"))

    platform = world.token(world.platform_client)
    found = world.call("GET", f"/v1/audit/events?request_id={kept.request_id}", token=platform).json["items"]
    assert found[0]["changes"]["after"]["logo"].startswith("sha256:")


@pytest.mark.parametrize(
    "logo",
    [
        "",
        "https://evil.test/logo.png",
        uri(b"<svg onload='alert(1)'/>", "image/svg+xml"),
        uri(b"<html>", "image/png"),
        uri(PNG, "text/html"),
        uri(PNG + b"\0" * MAX_BYTES),
        uri(PNG)[:-1] + "\n",
        uri(PNG) + '"><script>alert(1)</script>',
        "data:image/png;base64;x," + base64.b64encode(PNG).decode(),
        "data:image/png,%89PNG",
        7,
        {},
    ],
)
def test_what_is_no_small_picture_is_refused(logo: Any, tenant: Tenant):
    reply = put(tenant, logo)

    assert reply.status == 422
    assert reply.json["errors"][0]["pointer"] == "/logo"
