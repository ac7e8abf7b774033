"""Signing in by an identity provider in a real browser: address, provider, back, token, and what the mapped role may do."""

from tests.browser.acting import allow, claims
from tests.saml_peer import SITE, saml_peer


def test_an_address_leads_to_the_provider_and_back_to_a_token_with_the_mapped_role(page, client, running, token):
    with saml_peer(running, token, "both") as peer:
        asked = []

        def provider(route):
            asked.append(route.request.url)
            answer = peer.forwarded(route.request.url)
            route.fulfill(status=answer.status_code, content_type="text/html", body=answer.text)

        page.route(f"{SITE}/**", provider)
        page.goto(client.link())
        page.get_by_label("E-mail address").fill(peer.email)
        page.get_by_role("button", name="Continue with single sign-on").click()
        page.get_by_role("heading", name="Allow access?").wait_for()
        allow(page)

        tokens = client.tokens(page)

        told = claims(tokens["access_token"])
        assert len(asked) == 1
        assert (told["roles"], told["amr"][0]) == (["operator"], "fed")
        question = {
            "principal": {"type": "user", "id": told["sub"]},
            "action": "infrastructure.clusters.update",
            "resource": {"type": "cluster", "id": "cls_eu01"},
        }
        assert running.call("POST", "/v1/authorize", token=token, json=question).json()["decision"] == "allow"
