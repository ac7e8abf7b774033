"""Second factors and passkeys in a real browser: enrolled, shown, told of in tokens, and asked for by policies."""

import re
import time

import pyotp
import pytest

from tests.browser.acting import allow, claims, fill

MULTI = "urn:platforma:acr:aal2"


@pytest.fixture
def key(page):
    """A passkey in the machine, which its owner unlocks whenever asked."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def own_page(page, client):
    """Be signed in, before one's own ways to sign in."""
    page.goto(f"/login?tenant={client.running.stack['tenant']['id']}")
    fill(page, client.email)
    page.get_by_role("heading", name="Your ways to sign in").wait_for()


def add_app(page):
    """Add an authenticator app: what makes its codes, and the recovery codes."""
    page.get_by_role("button", name="Add an authenticator app").click()
    app = pyotp.TOTP(page.locator("#key").inner_text())
    page.get_by_label("Code").fill(app.at(time.time() - 30))  # so that the present one is not used up
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("link", name="Done").click()
    return app, codes


def signed_out(page):
    page.goto("/sign-out")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("status").wait_for()


def test_an_authenticator_app_is_added_and_asked_for_and_the_tokens_say_so(page, client):
    own_page(page, client)
    app, codes = add_app(page)
    assert len(codes) == 10 and all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)
    signed_out(page)

    page.goto(client.link())
    fill(page, client.email)
    page.get_by_role("heading", name="One more step").wait_for()
    page.wait_for_function("document.activeElement.id === 'code'")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    assert "The code is not valid" in page.get_by_role("alert").inner_text()
    page.get_by_label("Code").fill(app.now())
    page.get_by_role("button", name="Continue").click()
    allow(page)

    token = claims(client.tokens(page)["access_token"])
    assert (token["amr"], token["acr"]) == (["pwd", "otp", "mfa"], MULTI)


def test_a_recovery_code_stands_in_for_the_app_once(page, client):
    own_page(page, client)
    _, codes = add_app(page)

    for expected in ("Your ways to sign in", "One more step"):
        signed_out(page)
        page.goto(f"/login?tenant={client.running.stack['tenant']['id']}")
        fill(page, client.email)
        page.get_by_label("Code").fill(codes[0].upper())
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("heading", name=expected).wait_for()
    assert page.get_by_role("alert").is_visible()


def test_a_passkey_is_added_and_signs_in_alone_and_the_tokens_say_so(page, client, key):
    own_page(page, client)
    page.get_by_label("Name of the passkey").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("My laptop").wait_for()
    signed_out(page)

    page.goto(client.link(acr_values=MULTI))
    page.get_by_role("button", name="Sign in with a passkey").click()
    allow(page)

    token = claims(client.tokens(page)["access_token"])
    assert (token["sub"], token["amr"], token["acr"]) == (client.user_id, ["hwk", "user", "mfa"], MULTI)


def test_a_passkey_that_was_removed_signs_nobody_in(page, client, key):
    own_page(page, client)
    page.get_by_label("Name of the passkey").fill("Lost phone")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="Remove: Lost phone").click()
    page.get_by_text("A password only.").wait_for()
    signed_out(page)

    page.goto(client.link())
    page.get_by_role("button", name="Sign in with a passkey").click()

    page.get_by_text("This passkey could not be used here.").first.wait_for()
    assert page.get_by_role("heading", name="Sign in").is_visible()


def test_a_policy_that_asks_for_a_second_factor_lets_in_who_showed_one(page, client, key, running, token):
    document = {"effect": "allow", "actions": ["infrastructure:manage"], "resources": ["*"], "conditions": {"mfa": True}}
    attached = [{"type": "user", "id": client.user_id}]
    policy = {"name": f"mfa for {client.email}", "document": document, "attachments": attached}
    assert running.call("POST", "/v1/policies", token=token, json=policy).status_code == 201
    question = {"action": "infrastructure.clusters.delete", "resource": {"type": "cluster", "id": "c"}, "context": {}}
    asked = lambda: running.call("POST", "/v1/authorize", token=client.tokens(page)["access_token"], json=question).json()[
        "decision"
    ]

    page.goto(client.link(scope="openid infrastructure:manage"))
    fill(page, client.email)
    allow(page)
    assert asked() == "deny"

    own_page(page, client)
    page.get_by_label("Name of the passkey").fill("k")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="Remove: k").wait_for()
    page.goto(client.link(scope="openid infrastructure:manage", acr_values=MULTI, prompt="login"))
    page.get_by_role("button", name="Sign in with a passkey").click()
    assert asked() == "allow"
