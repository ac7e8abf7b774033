"""What another site, another browser or another tenant may try with the pages, in vain."""

import pytest

from tests.persons import EMAIL, Fields, Person
from tests.signing_in import Browser, app_of, page_of
from tests.world import PASSWORD


@pytest.fixture
def person(tenant):
    return Person(tenant, app_of(tenant))


def test_a_form_without_our_token_is_refused(person):
    person.start()

    for token in (None, "", "0" * 64, "\u00e9"):
        assert (
            person.browser.post(
                "/login", {"email": EMAIL, "password": PASSWORD, **({} if token is None else {"token": token})}
            ).status
            == 403
        )
    assert person.browser.session is None


def test_login_csrf_a_token_of_the_attackers_browser_is_refused_in_the_victims(person):
    attacker = Person(person.tenant, person.app)
    attacker.start()
    token = Fields(attacker.last.text).hidden["token"]
    person.start()

    reply = person.send("/login", token=token, email=EMAIL, password=PASSWORD)

    assert reply.status == 403
    assert person.browser.session is None


def test_consent_csrf_a_form_of_another_site_gives_nothing(person):
    flow = person.start()
    person.sign_in()
    person.follow()
    person.follow()

    reply = person.browser.post("/consent", {"flow": flow, "answer": "allow"})

    assert reply.status == 403
    assert page_of(person.open(f"/oauth2/authorize?flow={flow}"))[0] == "/consent"


def test_a_post_that_the_browser_says_comes_from_elsewhere_is_refused(person):
    person.start()
    form = {**Fields(person.last.text).hidden, "email": EMAIL, "password": PASSWORD}
    cookies = "; ".join(f"{name}={value}" for name, value in person.browser.cookies.items())

    for origin in ("cross-site", "same-site"):
        headers = {"Cookie": cookies, "Sec-Fetch-Site": origin}
        assert person.tenant.world.call("POST", "/login", form=form, headers=headers).status == 403


def test_another_browser_cannot_go_on_with_a_flow(person):
    flow = person.start()
    stranger = Person(person.tenant, person.app)

    reply = stranger.open(f"/login?flow={flow}")

    assert reply.status == 404
    assert "Reference" in reply.text and reply.request_id in reply.text


def test_signing_in_makes_a_new_session_cookie_each_time(person):
    person.account()
    first = person.browser.cookies["__Host-platforma"]
    person.open(f"/login?tenant={person.tenant.id}")
    person.sign_in()

    assert person.browser.cookies["__Host-platforma"] != first
    assert Browser(person.tenant.world, {"__Host-platforma": first}).session is None


def test_a_cookie_that_was_planted_is_not_taken_over(person):
    planted = "ses_00000000000000000000000000." + "A" * 43
    person.browser.cookies["__Host-platforma"] = planted
    person.start()
    person.sign_in()

    assert person.browser.cookies["__Host-platforma"] != planted


def test_cookies_are_out_of_reach_of_scripts_other_hosts_and_other_sites(person):
    person.open(f"/login?tenant={person.tenant.id}")
    lines = [*person.last.cookies, *person.sign_in().cookies]

    assert len(lines) == 2
    for line in lines:
        name, *attributes = [part.strip() for part in line.split(";")]
        assert name.startswith("__Host-")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} == set(attributes)


def test_every_page_is_under_a_policy_that_allows_no_inline_no_frame_and_no_referrer(person):
    person.start()

    for path in ("/login", f"/login?tenant={person.tenant.id}", "/sign-out", "/login?flow=unknown"):
        headers = person.open(path).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'" and policy["base-uri"] == "'none'"
        assert headers["referrer-policy"] == "no-referrer" and headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_no_page_has_inline_script_or_style(person):
    person.account()
    pages = [person.last.text, person.open("/login").text, person.open("/sign-out").text]
    person.start()

    for text in (*pages, person.last.text):
        for tag, attributes in Fields(text).tags:
            assert tag != "style" and "style" not in attributes
            assert not [name for name in attributes if name.startswith("on")]
            assert tag != "script" or attributes.get("src") == "/assets/passkey.js"


EVIL = "\"><script>alert(1)</script><b x='"


def test_what_others_choose_is_text_in_a_page_whatever_it_says(tenant):
    tenant.world.call("GET", "/v1/me", token=tenant.token)
    person = Person(tenant, app_of(tenant, name=f"app {EVIL}"))
    person.start(login_hint=EVIL)
    wrong = person.sign_in("x", email=EVIL).text

    for text in (wrong, person.open(f"/login?flow={Fields(wrong).hidden['flow']}").text):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_no_parameter_leads_the_browser_elsewhere(person):
    person.open(
        f"/login?tenant={person.tenant.id}&return_to=https://evil.example&next=//evil.example&redirect_uri=https://evil.example"
    )

    reply = person.send("/login", email=EMAIL, password=PASSWORD, return_to="https://evil.example", next="//evil.example")

    assert reply.headers["location"] == "/factors"


def test_the_policy_lets_forms_lead_on_to_the_clients_redirect_uri_alone(person):
    person.start()

    policy = person.last.headers["content-security-policy"]

    assert "form-action 'self' https://client.test;" in policy


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://client.test/callback", " https://client.test"),
        ("http://127.0.0.1:4711/cb", " http://127.0.0.1:4711"),
        ("http://[::1]:4711/cb", " http://[::1]:4711"),
        ("com.example.app:/cb", " com.example.app:"),
        ("https://a.test; script-src *", ""),
        ("https://a.test'unsafe-inline'/", ""),
        ("https://a.test\r\nX: y/", ""),
    ],
)
def test_a_redirect_uri_is_a_source_of_the_policy_or_nothing(uri, source):
    from platforma.edge.pages.render import _target

    assert _target(uri) == source


def test_a_tenant_of_another_kind_or_not_in_use_is_not_found(person):
    for name in ("ten_00000000000000000000000000", "acme", "usr_00000000000000000000000000", "../etc"):
        assert person.open(f"/login?tenant={name}").status == 404


def test_a_person_of_one_tenant_is_nobody_at_anothers_pages(person):
    other = person.tenant.world.tenant("other", "boss@other.test")
    person.account()

    assert person.open(f"/factors?tenant={other.id}").headers["location"] == f"/login?tenant={other.id}"
    person.open(f"/login?tenant={other.id}")
    assert person.sign_in().status == 403


def test_a_session_of_another_tenant_consents_to_nothing(person):
    other = person.tenant.world.tenant("other", "boss@other.test")
    stranger = Person(person.tenant, person.app)
    flow = stranger.start()
    stranger.browser.sign_in(other.id, other.admin_id)

    assert stranger.open(f"/consent?flow={flow}").headers["location"] == f"/login?flow={flow}"
