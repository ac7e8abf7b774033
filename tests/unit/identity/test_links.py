"""Links to set a password by: for one user, for an hour, once, and telling nobody who exists."""

import re
from datetime import timedelta

import pytest

from platforma.adapters.memory.identity import MemoryLinkRequests, MemoryLinks, MemoryMailer
from platforma.identity import change_password, change_user, create_tenant, create_user, delete_user, read_user
from platforma.identity.errors import EmailTaken, LinkSpent
from platforma.identity.links import LinkRequest, find_link, mail_link, request_link_by_email, set_password_by_link
from platforma.identity.passwords import verify_password
from platforma.identity.throttle import FREE_ATTEMPTS, FREE_ATTEMPTS_OF_AN_ADDRESS
from platforma.kernel.errors import RateLimited, Unavailable, Unprocessable
from platforma.kernel.events import Attempt
from tests.unit.identity.conftest import KNOWN, PASSWORD

NEW = "seven grey herons"


class Post:
    """What asks for links, makes and mails them, and follows them."""

    def __init__(self, house):
        self.house = house
        self.links, self.requests, self.mailer = (
            MemoryLinks(house.store, house.directory),
            MemoryLinkRequests(),
            MemoryMailer(),
        )

    def mail(self, request: LinkRequest) -> str:
        """The token in the mail that comes of *request*; empty where none does."""
        house, before = self.house, len(self.mailer.sent)
        sent = mail_link(
            request,
            tenants=house.tenants,
            directory=house.directory,
            links=self.links,
            counts=house.counts,
            mailer=self.mailer,
            issuer="https://platforma.test",
            attempt=house.attempt(),
        )
        assert sent == (len(self.mailer.sent) > before)
        return re.findall(r"token=([\w-]+)", self.mailer.sent[-1][1].text)[0] if sent else ""

    def follow(self, token: str, password: object = NEW, attempt: Attempt | None = None):
        house = self.house
        return set_password_by_link(
            token,
            password,
            directory=house.directory,
            links=self.links,
            counts=house.counts,
            attempt=attempt or house.attempt(),
        )

    def find(self, token: str):
        return find_link(token, directory=self.house.directory, links=self.links, now=self.house.now)


@pytest.fixture
def post(house) -> Post:
    return Post(house)


def asked(house, user) -> LinkRequest:
    return LinkRequest(house.tenant.id, user_id=user.id)


def test_an_invited_user_is_active_by_the_link_and_its_password_is_the_new_one(house, post):
    user = house.user()
    token = post.mail(asked(house, user))

    after = post.follow(token)

    assert (after.status, after.has_password) == ("active", True)
    verify_password(NEW, house.directory.password_hash(house.tenant.id, user.id))
    assert "/invitation?token=" in post.mailer.sent[0][1].text


def test_a_link_is_good_once_and_so_are_its_siblings_together(house, post):
    first, second = post.mail(asked(house, house.admin)), post.mail(asked(house, house.admin))
    post.follow(first)

    for token in (first, second):
        with pytest.raises(LinkSpent):
            post.follow(token, "eight grey herons")
    assert first != second


def test_a_link_ends_with_its_hour(house, post):
    token = post.mail(asked(house, house.admin))

    house.now += timedelta(minutes=59, seconds=59)
    assert post.find(token)[1] == house.admin
    house.now += timedelta(seconds=1)
    with pytest.raises(LinkSpent):
        post.follow(token)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "é" * 500, "A" * 43])
def test_what_was_mailed_to_nobody_opens_nothing(post, token):
    with pytest.raises(LinkSpent):
        post.follow(token)


def test_a_password_changed_meanwhile_ends_the_link(house, post):
    token = post.mail(asked(house, house.admin))
    change_password(
        house.tenant.id,
        house.admin.id,
        current_password=PASSWORD,
        new_password="a password of my own",
        directory=house.directory,
        counts=house.counts,
        attempt=house.attempt(),
    )

    with pytest.raises(LinkSpent):
        post.follow(token)


@pytest.mark.parametrize("ended", ["suspended", "deleted"])
def test_a_link_of_who_is_suspended_or_gone_opens_nothing(house, post, ended):
    user = house.user(password=PASSWORD)
    token = post.mail(asked(house, user))
    if ended == "deleted":
        delete_user(house.tenant.id, user.id, if_match=None, **house.people())
    else:
        change_user(house.tenant.id, user.id, {"status": ended}, if_match=None, known_roles=KNOWN, **house.people())

    with pytest.raises(LinkSpent):
        post.follow(token)
    assert post.mail(asked(house, user)) == ""


def test_a_tenant_that_is_not_in_use_sends_no_mail(house, post):
    house.tenants.replace(
        house.tenant, type(house.tenant)(**{**_fields(house.tenant), "status": "suspended"}), _event(house)
    )

    assert post.mail(asked(house, house.admin)) == ""


def test_a_password_that_is_not_good_enough_leaves_the_link_good(house, post):
    token = post.mail(asked(house, house.admin))

    with pytest.raises(Unprocessable) as refused:
        post.follow(token, "ada@acme.test")
    post.follow(token)

    assert "/new_password" in repr(refused.value.errors)


def test_what_a_link_does_is_told_as_its_users_and_without_the_token(house, post):
    attempt = Attempt("req", "settings.password_links.follow", lambda: house.now)
    token = post.mail(asked(house, house.admin))

    post.follow(token, attempt=attempt)

    sent, followed = house.events[-2:]
    assert (followed.tenant_id, followed.principal_id, followed.user_id) == (house.tenant.id, *[house.admin.id] * 2)
    assert (sent.resource, followed.resource) == (house.admin.id, house.admin.id)
    assert token not in repr(house.events)
    assert token not in repr(vars(post.links))


def test_one_user_is_mailed_so_often_and_no_more_until_the_link_is_used(house, post):
    tokens = [post.mail(asked(house, house.admin)) for _ in range(FREE_ATTEMPTS)]

    with pytest.raises(RateLimited):
        post.mail(asked(house, house.admin))
    post.follow(tokens[-1])
    assert post.mail(asked(house, house.admin))


def test_asking_by_address_is_the_same_for_everybody_and_bounded_for_one_network(house, post):
    def ask(email: str, ip: str = "203.0.113.7"):
        attempt = Attempt("req", "oauth.pages.reset", lambda: house.now, ip_address=ip)
        request_link_by_email(house.tenant.id, email, counts=house.counts, link_requests=post.requests, attempt=attempt)

    for number in range(FREE_ATTEMPTS_OF_AN_ADDRESS):
        ask(["ada@acme.test", "nobody@acme.test"][number % 2])
    with pytest.raises(RateLimited):
        ask("ada@acme.test")
    ask("ada@acme.test", ip="198.51.100.9")

    known, unknown = post.requests.put_there[:2]
    assert (known.email, unknown.email) == ("ada@acme.test", "nobody@acme.test")
    assert post.mail(known)
    assert post.mail(unknown) == ""


@pytest.mark.parametrize("typed", ["ADA@ACME.test", "\uff41da@acme.test", "ada@\u212bcme.test", "\u0430da@acme.test"])
def test_a_link_goes_to_the_address_on_record_and_never_to_one_that_looks_like_it(house, post, typed):
    post.mail(LinkRequest(house.tenant.id, email=typed))

    assert [to for to, _ in post.mailer.sent] in ([], ["ada@acme.test"])
    assert len(post.mailer.sent) == typed.startswith(("ADA", "\uff41"))


def test_a_mail_that_was_not_taken_is_asked_for_again_as_another_link(house, post, monkeypatch):
    def refuses(*_):
        raise Unavailable

    with monkeypatch.context() as gone:
        gone.setattr(post.mailer, "send", refuses)
        with pytest.raises(Unavailable):
            post.mail(asked(house, house.admin))

    assert post.follow(post.mail(asked(house, house.admin))).id == house.admin.id


def test_who_is_made_without_a_password_is_invited_and_nobody_else(house, post):
    def make(email, **more):
        fields = {"name": "Bob", "known_roles": KNOWN, "directory": house.directory, "invitations": post.requests}
        return create_user(house.tenant.id, email=email, attempt=house.attempt(), **fields, **more)

    invited = make("bob@acme.test")
    make("eve@acme.test", password="grey mornings at sea")
    assert post.requests.put_there == [LinkRequest(house.tenant.id, user_id=invited.id)]

    with pytest.raises(EmailTaken):
        make("bob@acme.test")
    assert post.mail(post.requests.put_there[-1]) == "", "of a user who was not made nothing comes"


def test_without_the_queue_nobody_is_made(house, post, monkeypatch):
    def refuses(*_):
        raise Unavailable

    monkeypatch.setattr(post.requests, "put", refuses)
    before = len(house.events)

    with pytest.raises(Unavailable):
        create_tenant(
            "Ajax",
            admin_email="ajax@ajax.test",
            admin_name="Ajax",
            tenants=house.tenants,
            keys=house.keys,
            attempt=house.attempt(),
            invitations=post.requests,
        )

    assert len(house.events) == before


def test_a_tenants_first_administrator_is_invited_and_can_then_administer(house, post):
    made = create_tenant(
        "Ajax",
        admin_email="ajax@ajax.test",
        admin_name="Ajax",
        tenants=house.tenants,
        keys=house.keys,
        attempt=house.attempt(),
        invitations=post.requests,
    )

    post.follow(post.mail(post.requests.put_there[-1]))

    admin = read_user(made.tenant.id, made.admin.id, directory=house.directory)
    assert (admin.status, admin.roles, admin.has_password) == ("active", ("admin",), True)


def _fields(tenant):
    return {name: getattr(tenant, name) for name in tenant.__slots__}


def _event(house):
    return house.attempt().event("success")
