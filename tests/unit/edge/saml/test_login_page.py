"""Our page leads on to the connection of a tenant or of a domain."""

from tests.persons import Fields
from tests.signing_in import TWO_FACTORS, app_of, page_of


def test_login_finds_the_connection_by_the_domain_of_an_address(ada, tenant, world):
    page = ada.browser.get("/login")
    token = Fields(page.text).hidden["token"]
    found = ada.browser.post("/login", {"token": token, "email": "Ada@ACME.test", "sso": "1"})

    assert found.status == 303
    assert found.headers["location"] == f"{ada.connection.path}/start?return_to=%2Ffactors"
    assert "form-action 'self' https:" in page.headers["content-security-policy"]
    assert ada.browser.post("/login", {"token": token, "email": "a@nobody.test", "sso": "1"}).status == 403


def test_login_of_a_tenant_with_a_connection_offers_it_and_goes_on_with_the_authorization(ada, tenant):
    app = app_of(tenant)
    _, flow = page_of(ada.browser.get(app.link()))
    page = ada.browser.get(f"/login?flow={flow}")
    hidden = Fields(page.text).hidden

    assert 'name="sso"' in page.text
    assert "https://idp.test" in page.headers["content-security-policy"]
    form = {"token": hidden["token"], "flow": flow, "email": "ada@acme.test", "password": "", "sso": "1"}
    reply = ada.browser.post("/login", form)
    ada.start(at=reply.headers["location"])
    assert ada.post(ada.response()).headers["location"] == f"/oauth2/authorize?flow={flow}"


def test_a_domain_of_another_tenant_leads_nowhere_from_a_tenants_own_page(ada, world):
    other = world.tenant("other", "admin@other.test")
    page = ada.browser.get(f"/login?tenant={other.id}")
    form = {**Fields(page.text).hidden, "email": "ada@acme.test", "sso": "1"}

    assert ada.browser.post("/login", {name: form[name] for name in ("token", "tenant", "email", "sso")}).status == 403


def test_two_factors_here_and_one_there_are_not_mixed(ada, tenant):
    eve = tenant.user("eve@acme.test")
    ada.browser.sign_in(tenant.id, eve, TWO_FACTORS)

    ada.sign_in()

    assert ada.browser.session.acr == "urn:platforma:acr:aal1"
