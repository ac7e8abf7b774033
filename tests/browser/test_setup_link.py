"""The customer's own administrator configures a connection in a real browser, without an account, by a link."""

from tests.connected import ANY
from tests.saml_peer import metadata_at, saml_peer


def link_to(running, token, connection_id):
    """A new setup link of the connection's, as it is sent."""
    made = running.call("POST", f"/v1/sso-connections/{connection_id}/setup-links", token=token)
    assert made.status_code == 201, made.text
    address = made.json()["url"]
    running.seen.add(("token", address.partition("token=")[2]))
    return address


def test_from_a_link_to_a_draft_with_a_provider_and_a_claimed_domain(page, running, token):
    body = {"name": "Acme's Okta", "type": "saml", "domains": ["setup-link.test"], "draft": True}
    made = running.call("POST", "/v1/sso-connections", token=token, json=body)
    assert made.status_code == 201, made.text
    where = f"/v1/sso-connections/{made.json()['id']}"
    address = link_to(running, token, made.json()["id"])
    try:
        page.goto(address)
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("heading", name="2. Your identity provider").wait_for()
        assert page.url.endswith(f"/sso/{made.json()['id']}/setup"), "the link is in the address no more"
        page.get_by_label("Or its metadata (XML)").fill("<nothing/>")
        page.get_by_role("button", name="Save").click()
        assert "could not be used" in page.get_by_role("alert").inner_text()
        page.get_by_label("Or its metadata (XML)").fill(metadata_at("https://idp.test", "sso"))
        page.get_by_role("button", name="Save").click()
        assert page.get_by_role("status").inner_text() == "Your provider is saved."
        page.get_by_role("button", name="Show the DNS record").click()
        page.get_by_text("_platforma-challenge.setup-link.test").wait_for()
        page.get_by_role("button", name="Finish").click()
        page.get_by_role("status").wait_for()
        page.goto(address)
        assert "not valid any more" in page.get_by_role("alert").inner_text()

        assert running.call("GET", where, token=token).json()["saml"]["entity_id"] == "https://idp.test/saml"
        domain = running.call("GET", "/v1/domains/setup-link.test", token=token).json()
        assert domain["status"] == "pending"
    finally:
        running.call("DELETE", where, token=token, headers=ANY)
        running.call("DELETE", "/v1/domains/setup-link.test", token=token, headers=ANY)


def test_a_sign_in_is_tried_from_the_page_and_shows_what_came(page, running, token, elsewhere):
    with saml_peer(running, token, "encrypted", "operator", elsewhere) as peer:
        page.goto(link_to(running, token, peer.connection_id))
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("button", name="Test the sign-in").click()
        page.get_by_role("heading", name="The sign-in works").wait_for()

        told = page.locator("main").inner_text()

        assert peer.email in told and "Engineers" in told and "operator" not in told
        page.get_by_role("link", name="Back to the set-up").click()
        page.get_by_text("A test passed:").wait_for()
        assert page.get_by_text("Vouched for.").is_visible()
