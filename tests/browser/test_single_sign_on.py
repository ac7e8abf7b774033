"""Through identity providers of somebody else's code, on other sites, in a real browser: to a token and a decision by it."""

from tests.browser.acting import allow, claims
from tests.openid_peer import openid_peer
from tests.saml_peer import saml_peer

SCOPE = "openid profile infrastructure:read infrastructure:manage"


def by_the_organisation(page, client, email):
    """Ask for the client, and choose to sign in by the provider of the address's domain."""
    page.goto(client.link(scope=SCOPE))
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Continue with single sign-on").click()


def decided(running, access_token, action):
    """What is decided of whom the token is about."""
    question = {"action": action, "resource": {"type": "cluster", "id": "cls_eu01"}}
    return running.call("POST", "/v1/authorize", token=access_token, json=question).json()["decision"]


def test_by_saml_from_an_address_to_a_token_and_a_decision_by_the_mapped_role(page, running, token, client, elsewhere):
    with saml_peer(running, token, "encrypted", "operator", elsewhere) as peer:
        by_the_organisation(page, client, peer.email)
        allow(page)

        tokens = client.tokens(page)

        assert claims(tokens["id_token"])["amr"] == ["fed"]
        assert claims(tokens["access_token"])["roles"] == ["operator"]
        assert decided(running, tokens["access_token"], "infrastructure.clusters.update") == "allow"
        assert decided(running, tokens["access_token"], "settings.users.create") == "deny"


def test_by_openid_connect_there_and_back_and_out_again(page, running, token, client, elsewhere):
    page.route("https://fonts.googleapis.com/**", lambda route: route.fulfill(content_type="text/css", body=""))
    with openid_peer(running, token, elsewhere) as peer:
        by_the_organisation(page, client, peer.users["ada"]["email"])
        page.get_by_placeholder("Enter any login").fill("ada")
        page.get_by_placeholder("and password").fill("x")
        page.get_by_role("button", name="Sign-in").click()
        allow(page)

        tokens = client.tokens(page)

        assert claims(tokens["id_token"])["amr"] == ["fed"]
        assert decided(running, tokens["access_token"], "infrastructure.clusters.update") == "allow"
        page.goto("/sign-out")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Yes, sign me out").click()
        page.wait_for_url("**/sign-out")
        assert page.get_by_role("heading", name="Sign out").is_visible()
        by_the_organisation(page, client, peer.users["ada"]["email"])
        assert page.get_by_placeholder("Enter any login").is_visible()  # signed out there as well
