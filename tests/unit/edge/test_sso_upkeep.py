"""What the schedule does for connections: metadata read again, and certificates told of before their end."""

from datetime import timedelta
from typing import Any

import pytest

from platforma import bootstrap
from platforma.oauth.errors import Unfetched
from tests.fakes.identity_provider import FakeIdentityProvider, pair
from tests.world import Tenant, World

METADATA = FakeIdentityProvider().metadata()


def create(tenant: Tenant, saml: dict[str, Any]) -> dict:
    body = {"name": "Okta", "type": "saml", "domains": ["acme.test"], "saml": saml}
    return tenant.call("POST", "/v1/sso-connections", body, expect=201).json


def upkeep(world: World) -> dict:
    context = type("Context", (), {"aws_request_id": "upkeep"})()
    return world.function("sso_upkeep").handler({"source": "schedule", "job": "upkeep"}, context)


class Site:
    """An https site with one document at it; None: it does not answer."""

    def __init__(self, document: str):
        self.document: str | None = document

    def get(self, _url: str) -> bytes:
        if self.document is None:
            raise Unfetched
        return self.document.encode()


@pytest.fixture
def site(monkeypatch) -> Site:
    made = Site(METADATA)
    monkeypatch.setitem(bootstrap.sso.ports, "fetch", lambda: made)
    bootstrap.sso.made.clear()
    return made


def by_url(tenant: Tenant) -> str:
    made = create(tenant, {"metadata_url": "https://idp.test/metadata"})
    return f"/v1/sso-connections/{made['id']}"


def test_metadata_behind_a_url_is_read_again_each_day_and_a_new_certificate_taken_over(world, tenant, site):
    path = by_url(tenant)
    site.document = FakeIdentityProvider(pairs=(pair(), pair("next"))).metadata()
    assert upkeep(world)["refreshed"] == 0
    world.clock.move(days=1, minutes=1)

    assert upkeep(world)["refreshed"] == 1
    assert upkeep(world)["refreshed"] == 0

    shown = tenant.call("GET", path, expect=200)
    assert shown.json["saml"]["certificates"] == [pair().base64, pair("next").base64]
    (event,) = tenant.events(action="settings.sso_connections.refresh", resource=shown.json["id"])
    assert event["source"] == "schedule"


def test_metadata_of_another_provider_or_none_at_all_changes_nothing(world, tenant, site):
    path = by_url(tenant)
    before = tenant.call("GET", path, expect=200)
    world.clock.move(days=1, minutes=1)
    for document in (FakeIdentityProvider(entity_id="https://evil.test/saml").metadata(), "nonsense", None):
        site.document = document
        assert upkeep(world)["unread"] == 1

    assert tenant.call("GET", path, expect=200).headers["etag"] == before.headers["etag"]
    site.document = METADATA
    assert (upkeep(world)["unread"], upkeep(world)["refreshed"]) == (0, 0)
    assert tenant.call("GET", path, expect=200).headers["etag"] == before.headers["etag"]


def test_a_providers_last_certificate_is_told_of_before_its_end_once_each_time(world, tenant):
    metadata = FakeIdentityProvider(pairs=(pair("ending", days=400),)).metadata()
    made = create(tenant, {"metadata_xml": metadata})
    end = pair("ending", days=400).certificate.not_valid_after_utc

    counts = []
    for days in (31, 29, 28, 13, 2):
        world.clock.now = end - timedelta(days=days)
        counts.append(upkeep(world)["ending"])
    told = tenant.events(action="settings.sso_connections.announce_expiry", resource=made["id"])

    assert counts == [0, 1, 1, 1, 1]
    assert [each["changes"]["after"]["days"] for each in told] == [3, 14, 30]
