"""Reports of leaked keys, as GitHub sends them."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from platforma import bootstrap
from tests.unit.apikeys.test_leaks import URL, Published, pem

SCANNER = ec.generate_private_key(ec.SECP256R1())
KEY = {"name": "k", "environment": "live", "scopes": ["settings:read"]}


@pytest.fixture
def tenant(world, monkeypatch):
    monkeypatch.setitem(bootstrap.apikeys.ports, "scanner_keys", lambda: Published({"kid": pem(SCANNER)}))
    return world.tenant()


def send(world, found, *, signed=None, **headers):
    raw = json.dumps(found).encode()
    signature = base64.b64encode(SCANNER.sign(raw if signed is None else signed, ec.ECDSA(SHA256()))).decode()
    sent = {"Github-Public-Key-Identifier": "kid", "Github-Public-Key-Signature": signature, **headers}
    return world.call("POST", "/v1/api-keys/leaks", raw=raw, headers={"Content-Type": "application/json", **sent})


def found(text, **more):
    return {"token": text, "type": "platforma_api_key", "url": URL, "source": "commit", **more}


def test_a_report_is_answered_key_by_key_and_a_true_key_is_revoked(world, tenant):
    made = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json

    reply = send(world, [found(made["key"], extra=1), found("pk_live_x")])

    assert reply.status == 200
    assert reply.json == [
        {"token_hash": hashlib.sha256(text.encode()).hexdigest(), "token_type": "platforma_api_key", "label": label}
        for text, label in ((made["key"], "true_positive"), ("pk_live_x", "false_positive"))
    ]
    assert world.call("GET", "/v1/users", token=made["key"]).status == 401
    (event,) = tenant.events(action="settings.api_keys.report_leak")
    assert event["changes"]["after"] == {"status": "revoked", "url": URL, "source": "commit"}


def test_sent_again_it_is_answered_alike_and_told_once(world, tenant):
    made = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json

    replies = [send(world, [found(made["key"])]) for _ in range(3)]

    assert len({reply.text for reply in replies}) == 1
    assert len(tenant.events(action="settings.api_keys.report_leak")) == 1


def test_a_tenant_may_want_to_be_told_only(world, tenant):
    made = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json
    now = tenant.call("GET", "/v1/api-keys/leak-response", expect=200)
    assert now.json == {"response": "revoke"}
    tenant.call(
        "PUT", "/v1/api-keys/leak-response", {"response": "notify"}, headers={"If-Match": now.headers["etag"]}, expect=200
    )

    send(world, [found(made["key"])])

    assert world.call("GET", "/v1/users", token=made["key"]).status == 200
    assert len(tenant.events(action="settings.api_keys.report_leak")) == 1


@pytest.mark.parametrize("wrong", ["body", "identifier", "signature"])
def test_what_the_scanner_did_not_sign_does_nothing(world, tenant, wrong):
    made = tenant.call("POST", "/v1/api-keys", KEY, expect=201).json
    attack = {
        "body": {"signed": b"[]"},
        "identifier": {"Github-Public-Key-Identifier": "other"},
        "signature": {"Github-Public-Key-Signature": "AAAA"},
    }

    assert send(world, [found(made["key"])], **attack[wrong]).status == 401
    assert world.call("GET", "/v1/users", token=made["key"]).status == 200
    assert tenant.events(action="settings.api_keys.report_leak") == []


@pytest.mark.parametrize("document", [{}, [1], [{}], [{"token": 1}], "x"])
def test_a_signed_body_that_is_no_report_is_refused(world, tenant, document):
    assert send(world, document).status == 422
