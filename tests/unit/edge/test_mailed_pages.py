"""From a mailed link to being signed in; and asking for one, which tells nobody who has an account."""

import re

import pytest

from platforma import bootstrap
from tests.persons import EMAIL, Fields, Person
from tests.signing_in import app_of
from tests.world import PASSWORD, Reply, Tenant, World

NEW = "seven grey herons"


@pytest.fixture
def person(tenant: Tenant) -> Person:
    return Person(tenant, app_of(tenant))


def mailed(world: World) -> str:
    """Where the link in the one mail leads."""
    ((_, text),) = world.mails()
    return re.findall(r"https://platforma\.test(/\w+\?token=[\w-]{43})", text)[0]


def link_for(tenant: Tenant, user_id: str) -> str:
    tenant.call("POST", f"/v1/users/{user_id}/password-reset", expect=202)
    return mailed(tenant.world)


def ask(person: Person, email: str) -> Reply:
    person.open(f"/login?tenant={person.tenant.id}")
    person.open(re.findall(r'href="(/forgot-password[^"]*)"', person.last.text)[0].replace("&amp;", "&"))
    return person.send("/forgot-password", email=email)


def spent(reply: Reply) -> bool:
    return reply.status == 404 and "This link is not valid any more." in reply.text


def test_who_is_invited_sets_a_password_and_signs_in(tenant, person):
    made = tenant.call("POST", "/v1/users", {"email": "eve@acme.test", "name": "Eve"}, expect=201).json
    link = mailed(tenant.world)

    shown = person.open(link)
    assert link.startswith("/invitation?") and shown.status == 200 and "eve@acme.test" in shown.text
    done = person.send("/invitation", password=NEW)
    assert done.status == 200 and "Your password is set." in done.text
    assert person.browser.session is None, "a link signs nobody in"
    person.open(re.findall(r'href="(/login[^"]*)"', done.text)[0])
    person.sign_in(NEW, "eve@acme.test")

    assert person.browser.session.user_id == made["id"]
    (event,) = tenant.events(action="oauth.invitation.submit")
    assert (event["user_id"], event["resource"], event["result"]) == (made["id"], made["id"], "success")


def test_who_forgot_the_password_asks_by_address_and_has_another(tenant, person):
    assert ask(person, EMAIL.upper()).status == 200
    link = mailed(tenant.world)
    person.open(link)
    person.send("/reset", password=NEW)

    person.open(f"/login?tenant={tenant.id}")
    assert person.sign_in().status == 403
    assert person.sign_in(NEW).status == 303


def test_asking_goes_on_in_the_flow_that_it_began_in(person):
    flow = person.start()
    person.open(f"/forgot-password?flow={flow}")

    sent = person.send("/forgot-password", email=EMAIL)

    assert f'href="/login?flow={flow}"' in sent.text


def test_without_a_tenant_there_is_nobody_to_ask_for(tenant, person):
    assert person.open("/forgot-password").headers["location"] == "/login"

    token = Fields(person.open(f"/login?tenant={tenant.id}").text).hidden["token"]
    asked = person.browser.post("/forgot-password", {"token": token, "email": EMAIL})
    assert asked.headers["location"] == "/login"
    assert tenant.world.mails() == []


def test_opening_a_link_spends_nothing(tenant, person):
    link = link_for(tenant, tenant.admin_id)

    for _ in range(3):
        assert Person(tenant, person.app).open(link).status == 200

    person.open(link)
    assert person.send("/reset", password=NEW).status == 200


def test_with_the_password_end_all_sessions_of_its_user_and_no_others(tenant, person):
    ada = tenant.user()
    before = person.app.tokens_for(person.browser, ada)["access_token"]
    mine, elsewhere, others = (Person(tenant, person.app) for _ in range(3))
    for one in (mine, elsewhere):
        one.open(f"/login?tenant={tenant.id}")
        one.sign_in(email="ada@acme.test")
    others.account()

    mine.open(link_for(tenant, ada))
    done = mine.send("/reset", password=NEW)

    assert [one.browser.session for one in (mine, elsewhere, person)] == [None] * 3
    assert "Max-Age=0" in done.cookies[-1]
    assert others.browser.session is not None
    tenant.world.clock.move(seconds=5)
    assert tenant.world.call("GET", "/v1/me", token=before).status == 401


def test_who_is_signed_in_as_somebody_else_stays_so(tenant, person):
    person.account()
    person.open(link_for(tenant, tenant.user()))

    assert person.send("/reset", password=NEW).cookies == ()
    assert person.browser.session.user_id == tenant.admin_id


@pytest.mark.parametrize(
    ("password", "said", "gesagt"),
    [
        ("short", "too short", "zu kurz"),
        ("x" * 1100, "too long", "zu lang"),
        ("password1234", "easily guessed", "leicht zu erraten"),
        ("admin@acme.test", "easily guessed", "leicht zu erraten"),
        ("seven grey\nherons", "cannot be used", "unzulässige Zeichen"),
        ("", "too short", "zu kurz"),
    ],
)
def test_what_is_wrong_with_a_password_is_said_and_the_link_stays_good(tenant, person, password, said, gesagt):
    link = link_for(tenant, tenant.admin_id)
    person.open(link)

    refused = person.send("/reset", password=password)
    assert refused.status == 422 and said in refused.text
    assert 'role="alert"' in refused.text and 'aria-invalid="true"' in refused.text
    hidden = {name: Fields(refused.text).hidden[name] for name in ("token", "link")}
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in person.browser.cookies.items())}
    auf_deutsch = tenant.world.call(
        "POST", "/reset", form={**hidden, "password": password}, headers={**cookie, "Accept-Language": "de"}
    )
    assert gesagt in auf_deutsch.text
    assert person.send("/reset", password=NEW).status == 200


def test_a_second_factor_is_asked_for_after_a_reset_too(tenant, person):
    person.account()
    person.add_app()
    other = Person(tenant, person.app)
    other.open(link_for(tenant, tenant.admin_id))
    other.send("/reset", password=NEW)
    other.open(f"/login?tenant={tenant.id}")

    assert "One more step" in other.sign_in(NEW).text
    assert other.browser.session is None


def test_guesses_of_others_do_not_slow_down_who_has_a_new_password(tenant, person):
    person.open(f"/login?tenant={tenant.id}")
    for _ in range(6):
        person.sign_in("not the password")
    assert person.last.status == 429

    person.open(link_for(tenant, tenant.admin_id))
    person.send("/reset", password=NEW)
    person.open(f"/login?tenant={tenant.id}")

    assert person.sign_in(NEW).status == 303


# Attacks


def test_a_link_shown_again_opens_nothing_and_changes_nothing(tenant, person):
    link = link_for(tenant, tenant.admin_id)
    person.open(link)
    form = Fields(person.last.text).hidden
    person.send("/reset", password=NEW)

    replayed = person.browser.post("/reset", {**form, "password": "another grey heron"})

    assert spent(replayed) and spent(Person(tenant, person.app).open(link))
    person.open(f"/login?tenant={tenant.id}")
    assert person.sign_in("another grey heron").status == 403


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000, "%00", "%F0%9F%90%A6"])
def test_what_was_mailed_to_nobody_is_a_dead_link(person, token):
    for path in ("/reset", "/invitation"):
        assert spent(person.open(f"{path}?token={token}"))


def test_dead_links_of_every_kind_look_alike(tenant, person):
    other = tenant.world.tenant("other", "boss@other.test")
    over, of_suspended, of_nobody = (
        link_for(tenant, tenant.admin_id),
        link_for(tenant, ada := tenant.user()),
        "/reset?token=" + "A" * 43,
    )
    tenant.call("PATCH", f"/v1/users/{ada}", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)
    tenant.world.clock.move(hours=1)
    of_theirs = link_for(other, other.admin_id)
    platform = tenant.world.token(tenant.world.platform_client)
    suspended = {"json_body": {"status": "suspended"}, "headers": {"If-Match": "*"}}
    assert tenant.world.call("PATCH", f"/v1/tenants/{other.id}", token=platform, **suspended).status == 200
    tenant.world.clock.move(seconds=5)

    person.open("/login")
    pages = [person.open(link) for link in (over, of_suspended, of_nobody, of_theirs)]

    assert all(spent(page) for page in pages)
    assert len({page.text for page in pages}) == 1


def test_a_link_of_another_tenants_is_that_tenants_whatever_is_sent_with_it(tenant, person):
    other = tenant.world.tenant("other", EMAIL)
    link = link_for(other, other.admin_id)
    person.account()
    person.open(link)

    done = person.send("/reset", tenant=tenant.id, password=NEW)

    assert f"/login?tenant={other.id}" in done.text
    assert person.browser.session.user_id == tenant.admin_id, "of the same address, and another's"
    assert tenant.events(action="oauth.reset.submit") == []
    assert [event["user_id"] for event in other.events(action="oauth.reset.submit")] == [other.admin_id]
    ours, theirs = Person(tenant, person.app), Person(other, person.app)
    for one, status in ((ours, 403), (theirs, 303)):
        one.open(f"/login?tenant={one.tenant.id}")
        assert one.sign_in(NEW).status == status


def test_the_form_of_another_site_or_browser_sets_no_password(tenant, person):
    link = link_for(tenant, tenant.admin_id)
    person.open(link)
    form = {**Fields(person.last.text).hidden, "password": NEW}
    stranger = Person(tenant, person.app)
    stranger.open(link)

    assert stranger.browser.post("/reset", form).status == 403
    assert person.browser.post("/reset", {**form, "token": ""}).status == 403
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in person.browser.cookies.items())}
    headers = cookies | {"Sec-Fetch-Site": "cross-site"}
    assert tenant.world.call("POST", "/reset", form=form, headers=headers).status == 403
    assert tenant.world.call("POST", "/forgot-password", form={"email": EMAIL, "tenant": tenant.id}).status == 403
    assert tenant.world.mails() == []
    assert person.send("/reset", password=NEW).status == 200


def test_asking_is_answered_alike_for_everybody_and_looks_for_nobody(tenant, person, monkeypatch):
    tenant.call("POST", "/v1/users", {"email": "invited@acme.test", "name": "I"}, expect=201)
    tenant.world.mails()
    suspended = tenant.user("gone@acme.test")
    tenant.call("PATCH", f"/v1/users/{suspended}", {"status": "suspended"}, headers={"If-Match": "*"}, expect=200)

    def looked(*_args):
        raise AssertionError("an address was looked for where a stranger waits for the answer")

    with monkeypatch.context() as watched:
        for name in ("user", "user_by_email", "password_hash", "standing"):
            watched.setattr(type(bootstrap.parts.identity.directory()), name, looked)
        answers = [
            ask(person, email)
            for email in (EMAIL, "nobody@acme.test", "invited@acme.test", "gone@acme.test", "", '"><b>', "x" * 5000)
        ]

    assert {(one.status, one.text) for one in answers} == {(200, answers[0].text)}
    assert sorted(to for to, _ in tenant.world.mails()) == [EMAIL, "invited@acme.test"]


def test_asking_again_and_again_is_slowed_down_alike_for_everybody(tenant, person):
    answers = [ask(person, EMAIL if number % 2 else "nobody@acme.test") for number in range(52)]

    assert [one.status for one in answers] == [200] * 50 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1 and 'role="alert"' in answers[-1].text


def test_a_link_goes_nowhere_but_into_its_form(tenant, person, capsys):
    link = link_for(tenant, tenant.admin_id)
    token = link.partition("=")[2]

    shown = person.open(link)
    refused = person.send("/reset", password="short")
    done = person.send("/reset", password=NEW)

    for reply in (shown, refused):
        assert reply.headers["referrer-policy"] == "no-referrer" and reply.headers["cache-control"] == "no-store"
        assert reply.text.count(token) == 1 and f'name="link" value="{token}"' in reply.text
        leads = [known.get(name) for _, known in Fields(reply.text).tags for name in ("href", "src", "action")]
        assert all(where is None or where.startswith(("/", "data:")) for where in leads)
    assert token not in done.text + repr(done.headers)
    assert token not in repr(tenant.events())
    assert token not in capsys.readouterr().out


def test_a_user_who_ends_between_form_and_answer_gets_no_password(tenant, person):
    ada = tenant.user()
    person.open(link_for(tenant, ada))
    tenant.call("DELETE", f"/v1/users/{ada}", headers={"If-Match": "*"}, expect=204)

    assert spent(person.send("/reset", password=NEW))


def test_a_password_that_was_set_meanwhile_ends_the_form(tenant, person):
    person.open(link := link_for(tenant, tenant.admin_id))
    other = Person(tenant, person.app)
    other.open(link)
    other.send("/reset", password=NEW)

    assert spent(person.send("/reset", password=PASSWORD + " again"))
