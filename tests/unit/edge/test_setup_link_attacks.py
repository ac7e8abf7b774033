"""What a setup link must not do: by whoever has one, had one, or never had any."""

import re
from types import SimpleNamespace

import pytest

from platforma import bootstrap
from platforma.edge.pages import setup
from tests.fakes.identity_provider import FakeIdentityProvider
from tests.fakes.saml_browser import connection_of
from tests.persons import Fields
from tests.setup_links import (
    ANY,
    DRAFT,
    METADATA,
    OIDC_DRAFT,
    SETUP,
    Link,
    connection,
    linked,
    links_of,
    made,
    one_key_for_all,
    over,
)
from tests.signing_in import Browser
from tests.world import Tenant

DENIED = ("sso.setups.get", "sso.setups.open", "sso.setups.configure")


@pytest.fixture(autouse=True)
def _fresh_and_quick(monkeypatch):
    monkeypatch.setattr(setup, "_DEAD", setup.DeadCredentials())
    one_key_for_all(monkeypatch)


@pytest.fixture
def link(tenant: Tenant) -> Link:
    return linked(tenant, made(tenant, DRAFT))


def stranger(link: Link) -> Link:
    return Link(link.tenant, link.connection_id, link.told, Browser(link.tenant.world))


def revoke(link: Link) -> None:
    path = f"/v1/sso-connections/{link.connection_id}/setup-links/{link.told['id']}"
    link.tenant.call("DELETE", path, expect=204)


def refusals(link: Link) -> list[dict]:
    return [each for each in link.tenant.events(result="denied") if each["action"] in DENIED]


# At other things


def test_a_link_and_its_session_at_another_connections_id_open_nothing(link, tenant):
    other = Link(tenant, made(tenant, {**DRAFT, "name": "Other"}), link.told, link.browser)
    link.enter()

    assert over(link.open(link.address.replace(link.connection_id, other.connection_id)))
    link.enter()
    other.last = link.last
    assert over(other.send("/provider", metadata_xml=METADATA))
    link.enter()
    assert over(other.open(other.path))
    assert connection(other)["draft"] is True


def test_a_link_of_another_tenants_opens_theirs_alone_and_is_not_seen_by_ours(link, world):
    other = world.tenant("other", "admin@other.test")
    theirs = linked(other, made(other, DRAFT))
    path = f"/v1/sso-connections/{link.connection_id}/setup-links"

    assert over(theirs.open(theirs.address.replace(theirs.connection_id, link.connection_id)))
    assert "other" in theirs.enter().text
    for method, where in (("POST", path), ("GET", path), ("DELETE", f"{path}/{link.told['id']}")):
        assert other.call(method, where).status == 404
    ours = f"/v1/sso-connections/{theirs.connection_id}/setup-links/{link.told['id']}"
    assert other.call("DELETE", ours).status == 404
    assert links_of(link)[0]["status"] == "open"


def test_what_is_sent_besides_changes_nothing_of_roles_domains_or_enforcement(tenant):
    link = linked(tenant, connection_of(tenant).id)
    before = connection(link)
    link.enter()

    link.saved(
        metadata_xml=FakeIdentityProvider("https://new.test/saml").metadata(),
        name="mine",
        domains="evil.test",
        group_mappings='[{"group": "a", "role": "admin"}]',
        attribute_mapping="{}",
        provisioning="{}",
        enforced="true",
        break_glass="x",
        enabled="false",
        idp_initiated="true",
        allow_cbc="true",
        tenant=tenant.id,
    )

    after = connection(link)
    assert after["saml"].pop("entity_id") == "https://new.test/saml"
    assert before["saml"].pop("entity_id") == "https://idp.test/saml"
    for each in (before, after):
        del each["saml"]["refreshed_at"]
    assert after == before


def test_a_domain_that_the_connection_does_not_name_is_neither_claimed_nor_proved(link, tenant):
    tenant.call("POST", "/v1/domains", {"domain": "other.test"}, expect=201)
    link.enter()

    for name in ("other.test", "evil.test", "ACME.TEST", ""):
        assert link.send("/domains", domain=name).status == 404

    assert [each["domain"] for each in tenant.call("GET", "/v1/domains").json["items"]] == ["other.test"]


def test_who_lacks_settings_manage_makes_no_link(link, tenant, world):
    path = f"/v1/sso-connections/{link.connection_id}/setup-links"
    scoped = world.token(tenant.client_with(roles=("admin",), scopes=("settings.sso_setup_links.*",)))
    viewer = world.token(tenant.client_with(roles=("viewer",)))

    assert world.call("POST", path, token=scoped).status == 403
    assert [world.call(method, path, token=viewer).status for method in ("POST", "GET")] == [403, 403]


# Dead or made-up links


@pytest.mark.parametrize("token", ["", "x", "A" * 69, "a" * 5000, "%00", "%F0%9F%90%A6" * 69])
def test_a_made_up_link_opens_nothing_and_enters_no_log(link, token):
    assert over(link.open(f"{link.path}?token={token}"))
    assert refusals(link) == []


def test_a_guess_at_a_known_links_secret_opens_nothing_and_enters_no_log(link):
    guessed = link.address[:-43] + "A" * 43

    assert over(link.open(guessed)) and refusals(link) == []


def test_a_revoked_link_is_over_at_once_and_its_form_replayed_opens_nothing(link):
    link.open()
    revoke(link)

    assert over(link.send())
    assert over(link.open()) and SETUP not in link.browser.cookies
    assert links_of(link)[0]["status"] == "revoked"


def test_a_dead_link_that_a_browser_is_sent_to_does_not_end_its_session(link):
    link.enter()

    assert over(link.open(f"{link.path}?token=x"))
    assert link.open(link.path).status == 200


def test_a_captured_session_and_form_are_no_good_after_the_revocation(link):
    page = link.enter()
    held = dict(link.browser.cookies)
    revoke(link)

    link.browser.cookies, link.last = held, page

    assert over(link.send("/provider", metadata_xml=METADATA))
    assert connection(link)["draft"] is True


def test_a_link_is_revoked_once(link):
    revoke(link)

    path = f"/v1/sso-connections/{link.connection_id}/setup-links/{link.told['id']}"
    assert link.tenant.call("DELETE", path).status == 404


def test_the_use_of_a_dead_link_is_told_of_in_its_tenants_log_in_its_turn(link, world):
    revoke(link)

    for _ in range(5):
        link.open()
    assert [(each["reason"], each["principal_id"]) for each in refusals(link)] == [("setup_link_over", link.told["id"])]
    world.clock.move(minutes=1)
    link.open()
    assert len(refusals(link)) == 2


def test_a_link_ends_with_its_connection_its_tenant_and_whoever_made_it(tenant, world):
    maker = tenant.client_with(roles=("admin",))
    token, pages = world.token(maker), []
    gone, orphan = linked(tenant, made(tenant, DRAFT)), linked(tenant, made(tenant, DRAFT))
    path = f"/v1/sso-connections/{orphan.connection_id}/setup-links"
    orphan.told = world.call("POST", path, token=token).json
    for each in (gone, orphan):
        each.enter()
    tenant.call("DELETE", f"/v1/sso-connections/{gone.connection_id}", headers=ANY, expect=204)
    tenant.call("DELETE", f"/v1/oauth-clients/{maker['client_id']}", headers=ANY, expect=204)
    world.clock.move(seconds=5)
    for each in (gone, orphan):
        pages += [each.open(each.path), each.open()]

    other = world.tenant("other", "admin@other.test")
    theirs = linked(other, made(other, DRAFT))
    theirs.enter()
    platform = world.token(world.platform_client)
    suspended = {"json_body": {"status": "suspended"}, "headers": ANY}
    assert world.call("PATCH", f"/v1/tenants/{other.id}", token=platform, **suspended).status == 200
    world.clock.move(seconds=5)
    pages += [theirs.open(theirs.path), theirs.open()]

    assert all(over(page) for page in pages)
    assert len({page.text for page in pages}) == 1, "one page for dead links of every kind"


@pytest.mark.parametrize(
    "spoil", [lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"), lambda _: "x", lambda _: ""]
)
def test_a_session_of_ones_own_making_opens_nothing(link, spoil):
    link.enter()
    link.browser.cookies[SETUP] = spoil(link.browser.cookies[SETUP])

    assert over(link.open(link.path))


def test_a_session_is_not_made_to_last_longer(link, world):
    link.enter()
    held = link.browser.cookies[SETUP]
    link_id, end, mac = held.split(".")
    link.browser.cookies[SETUP] = f"{link_id}.{int(end) + 86400}.{mac}"

    assert over(link.open(link.path))
    link.browser.cookies[SETUP] = held
    world.clock.move(hours=1)
    assert over(link.open(link.path))


# By other sites and browsers


def test_the_form_of_another_site_or_browser_changes_nothing(link, world):
    page = link.enter()
    form = {**Fields(page.text).hidden, "metadata_xml": METADATA}
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in link.browser.cookies.items())}
    other = stranger(link)
    other.enter()

    assert other.browser.post(f"{link.path}/provider", form).status == 403
    assert link.browser.post(f"{link.path}/provider", {**form, "token": ""}).status == 403
    for where in ("", "/provider", "/domains", "/test", "/finish"):
        told = {"form": form, "headers": cookies | {"Sec-Fetch-Site": "cross-site"}}
        assert world.call("POST", link.path + where, **told).status == 403
    assert connection(link)["draft"] is True and links_of(link)[0]["status"] == "open"


def test_a_session_in_another_browser_opens_nothing(link):
    link.enter()
    thief = stranger(link)
    thief.open()
    thief.browser.cookies[SETUP] = link.browser.cookies[SETUP]

    assert over(thief.open(thief.path))


def test_the_link_is_in_no_address_referrer_or_log_once_it_is_opened(link, capsys):
    token = link.address.partition("token=")[2]
    begin = link.open()
    exchanged = link.send()
    page = link.open(exchanged.headers["location"])

    assert begin.text.count(token) == 1 and f'name="link" value="{token}"' in begin.text
    assert exchanged.headers["location"] == link.path
    assert token not in page.text + repr(exchanged) + repr(page.headers)
    for reply in (begin, exchanged, page):
        assert reply.headers["referrer-policy"] == "no-referrer" and reply.headers["cache-control"] == "no-store"
    for reply in (begin, page):
        leads = [known.get(name) for _, known in Fields(reply.text).tags for name in ("href", "src", "action")]
        assert all(where is None or where.startswith(("/", "data:")) for where in leads)
    assert token not in repr(link.tenant.events())
    assert token not in capsys.readouterr().out


def test_the_sessions_cookie_is_of_this_host_for_an_hour_and_no_script_reads_it(link):
    link.open()
    (held,) = link.send().cookies

    assert held.startswith(f"{SETUP}=")
    assert held.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600")


def test_no_page_of_a_link_may_be_framed_or_run_anything(link):
    for reply in (link.open(), link.enter(), stranger(link).open(f"{link.path}?token=x")):
        policy = reply.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy and "unsafe" not in policy
        assert reply.headers["x-frame-options"] == "DENY"
        assert "<script" not in reply.text and not re.search(r"\son\w+=|style=|javascript:", reply.text)


# In what is sent


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.test/metadata",
        "https://127.0.0.1/metadata",
        "https://[::1]/metadata",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://localhost/",
        "https://user:pw@idp.test/",
        "file:///etc/passwd",
    ],
)
def test_metadata_is_never_fetched_from_inside(link, url):
    link.enter()

    refused = link.send("/provider", metadata_url=url)

    assert refused.status == 422 and "could not be used" in refused.text
    assert connection(link)["draft"] is True


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>',
        METADATA.replace("<md:EntityDescriptor", '<!DOCTYPE a SYSTEM "https://evil.test/a.dtd"><md:EntityDescriptor', 1),
        '<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text"/></a>',
        "<a>",
        "\x01",
    ],
)
def test_entities_and_dtds_in_pasted_metadata_are_refused(link, document):
    link.enter()

    refused = link.send("/provider", metadata_xml=document)

    assert refused.status == 422 and "root:" not in refused.text
    assert connection(link)["draft"] is True


def test_html_in_names_of_the_metadata_or_in_what_was_typed_is_text(tenant):
    name = '"><script>alert(1)</script>'
    link = linked(tenant, made(tenant, {**DRAFT, "name": name}))
    link.enter()
    entity = FakeIdentityProvider('https://idp.test/">&lt;img src=x onerror=alert(1)&gt;').metadata()
    for attempt in (FakeIdentityProvider().metadata(), entity):
        link.send("/provider", metadata_xml=attempt)
        link.open(link.path)
    typed = link.send("/provider", metadata_xml=f"</textarea>{name}", metadata_url=name)

    assert typed.status == 422
    for text in (link.open(link.path).text, typed.text):
        assert "<script>" not in text and "<img src=x" not in text
    assert "&lt;script&gt;" in typed.text


def test_more_than_a_form_may_hold_is_refused(link):
    link.enter()

    assert link.send("/provider", metadata_xml="x" * (513 * 1024)).status == 422
    link.open(link.path)
    assert link.send("/provider", metadata_xml="x" * (2 << 20)).status == 413


def test_a_moved_issuer_is_not_sent_the_secret_of_another(tenant):
    link = linked(tenant, made(tenant, OIDC_DRAFT))
    link.enter()
    link.saved(issuer="https://op.test", client_id="c", client_secret="a secret of theirs")

    refused = link.send("/provider", issuer="https://evil.test", client_id="c")

    assert refused.status == 422 and "needs a client_secret of its own" in refused.text
    assert connection(link)["oidc"]["issuer"] == "https://op.test"


# At the same time


def test_who_saves_after_somebody_else_is_told_and_neither_change_is_lost(tenant, world):
    link = linked(tenant, made(tenant, OIDC_DRAFT))
    link.enter()
    path = f"/v1/sso-connections/{link.connection_id}"
    theirs = {"oidc": {"issuer": "https://admin.test", "client_id": "admin", "client_secret": "the admin's"}}
    tenant.call("PATCH", path, theirs, headers={"If-Match": '"v1"'}, expect=200)
    kept = dict(world.vault.provider_secrets.kept)

    stale = link.send("/provider", issuer="https://mine.test", client_id="mine", client_secret="the link's")

    assert stale.status == 412 and "Somebody else changed the connection" in stale.text
    assert 'value="https://mine.test"' in stale.text and "the link&#39;s" not in stale.text
    assert "https://admin.test" in stale.text, "and what stands now is shown"
    assert connection(link)["oidc"]["issuer"] == "https://admin.test"
    assert world.vault.provider_secrets.kept == kept
    assert link.saved(issuer="https://mine.test", client_id="mine", client_secret="the link's").status == 200
    assert tenant.call("PATCH", path, {"name": "n"}, headers={"If-Match": '"v2"'}).status == 412


@pytest.mark.parametrize("version", ["", "x", "0", "-1", "99999999999999999999", "\uff12"])
def test_a_form_without_the_version_that_it_was_made_for_is_stale(link, version):
    link.enter()

    assert link.send("/provider", metadata_xml=METADATA, version=version).status == 412
    assert connection(link)["draft"] is True


def test_a_link_that_is_revoked_while_it_is_opened_opens_nothing(link, monkeypatch):
    link.open()
    opened = bootstrap.sso.open_setup_link

    def revoked_first(*args, **more):
        revoke(link)
        return opened(*args, **more)

    monkeypatch.setitem(bootstrap.sso.made, "open_setup_link", revoked_first)

    refused = link.send()

    assert over(refused) and SETUP not in link.browser.cookies


def test_without_vault_nothing_is_saved(tenant, world):
    link = linked(tenant, made(tenant, OIDC_DRAFT))
    link.enter()
    world.vault.provider_secrets.gone = True
    try:
        refused = link.send("/provider", issuer="https://op.test", client_id="c", client_secret="s")
    finally:
        world.vault.provider_secrets.gone = False

    assert refused.status == 503
    assert connection(link)["draft"] is True


def test_a_link_does_so_much_in_a_minute_and_no_more(link, world):
    page = link.enter()
    statuses = []
    for _ in range(40):
        link.last = page
        statuses.append(link.send("/domains", domain="none.test").status)

    assert set(statuses) == {404, 429} and statuses.count(404) <= setup.LIMIT.limit
    assert statuses == sorted(statuses)
    world.clock.move(minutes=1)
    link.last = page
    assert link.send("/domains", domain="none.test").status == 404


def test_metadata_by_address_is_read_and_kept_current(link, monkeypatch):
    site = SimpleNamespace(get=lambda _url: METADATA.encode())
    monkeypatch.setitem(bootstrap.sso.ports, "fetch", lambda: site)
    bootstrap.sso.made.clear()
    link.enter()

    saved = link.saved(metadata_url="https://idp.test/metadata")

    assert "https://idp.test/metadata" in saved.text
    assert connection(link)["saml"]["metadata_url"] == "https://idp.test/metadata"
