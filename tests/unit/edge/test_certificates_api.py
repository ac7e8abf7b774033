"""Server certificates as a platform client has them, and nobody else."""

import pytest

from platforma import bootstrap
from platforma.kernel.clock import rfc3339
from tests.unit.certificates.world import FakeAuthority, FakeDNS, FakeEdge
from tests.world import Tenant, World


@pytest.fixture
def platform(world: World):
    token = world.token(world.platform_client)

    def call(method, path, body=None, *, expect, **more):
        reply = world.call(method, path, token=token, json_body=body, **more)
        assert reply.status == expect, reply.text
        return reply

    return call


@pytest.fixture
def worked(world: World, monkeypatch):
    """What the schedule does, with an authority, DNS and an edge in memory."""
    dns = FakeDNS()
    authority, edge = FakeAuthority(world.clock, dns), FakeEdge()
    monkeypatch.setattr(bootstrap.parts.certificates, "authority", lambda: authority)
    monkeypatch.setattr(bootstrap.parts.certificates, "zones", lambda: dns)
    monkeypatch.setattr(bootstrap.parts.certificates, "installers", lambda: (edge,))
    monkeypatch.setattr("time.sleep", lambda seconds: world.clock.move(seconds=seconds))
    context = type("Context", (), {"aws_request_id": "worked"})()
    return lambda: world.function("certificates_manage").handler({"source": "schedule", "job": "work"}, context)


def test_a_certificate_is_ordered_and_worked_on_by_the_schedule(world, platform, worked):
    made = platform("POST", "/v1/certificates", {"domains": ["edge.test"]}, expect=202).json
    worked()

    found = platform("GET", f"/v1/certificates/{made['id']}", expect=200).json
    assert (made["status"], made["certificate"]) == ("pending", None)
    assert (found["status"], found["installed"], found["problem"]) == ("valid", {"edge": "place 1"}, None)
    assert found["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert rfc3339(world.clock()) < found["renew_at"] < found["not_after"]
    assert platform("GET", "/v1/certificates", expect=200).json["items"] == [found]


def test_no_answer_holds_a_private_key(world, platform, worked):
    made = platform("POST", "/v1/certificates", {"domains": ["edge.test"]}, expect=202)
    worked()

    replies = [made, platform("GET", f"/v1/certificates/{made.json['id']}", expect=200)]
    assert not any("PRIVATE" in reply.text for reply in replies)


def test_renewed_and_revoked_on_demand(world, platform, worked):
    path = f"/v1/certificates/{platform('POST', '/v1/certificates', {'domains': ['edge.test']}, expect=202).json['id']}"
    worked()
    first = platform("GET", path, expect=200).json["serial_number"]

    platform("POST", f"{path}/renew", expect=202)
    worked()
    second = platform("GET", path, expect=200).json["serial_number"]
    platform("POST", f"{path}/revoke", {"reason": "superseded"}, expect=202)
    worked()

    assert first != second
    ended = platform("GET", path, expect=200).json
    assert (ended["status"], ended["serial_number"]) == ("revoked", second)
    platform("POST", f"{path}/renew", expect=409)
    platform("POST", f"{path}/revoke", {}, expect=409)


def test_the_same_order_sent_twice_is_one(platform):
    headers = {"Idempotency-Key": "once"}
    first = platform("POST", "/v1/certificates", {"domains": ["edge.test"]}, expect=202, headers=headers)
    again = platform("POST", "/v1/certificates", {"domains": ["edge.test"]}, expect=202, headers=headers)

    assert first.json["id"] == again.json["id"]


@pytest.mark.parametrize(
    "domains",
    [
        [],
        ["UPPER.test"],
        ["a..test"],
        ["-a.test"],
        ["a_b.test"],
        ["*.*.test"],
        ["a.*.test"],
        ["a.test."],
        ["a.test/../b"],
        ["a.test\n"],
        ["ä.test"],
        ["a" * 64 + ".test"],
        ["a.test\x00"],
        [""],
        ["x.test"] * 51,
        "a.test",
        [1],
    ],
)
def test_what_is_no_dns_name_is_refused(platform, domains):
    platform("POST", "/v1/certificates", {"domains": domains}, expect=422)


@pytest.mark.parametrize("identity", ["crt_01m8h6ac6afvx8242s6m8exnt8", "none", "ten_01j0000000e008000000000000"])
def test_what_is_not_there_is_not_found(platform, identity):
    platform("GET", f"/v1/certificates/{identity}", expect=404)
    platform("POST", f"/v1/certificates/{identity}/renew", expect=404)


def test_a_tenants_admin_gets_none_and_sees_none(platform, tenant: Tenant):
    made = platform("POST", "/v1/certificates", {"domains": ["edge.test"]}, expect=202).json

    tenant.call("GET", "/v1/certificates", expect=403)
    tenant.call("POST", "/v1/certificates", {"domains": ["edge.test"]}, expect=403)
    tenant.call("GET", f"/v1/certificates/{made['id']}", expect=403)
    tenant.call("POST", f"/v1/certificates/{made['id']}/revoke", {}, expect=403)
