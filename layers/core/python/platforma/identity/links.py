"""
Links by which a person sets a password: for one user, for an hour, once.

Only the SHA-256 of a link's token is kept. A request for one is a letter in a queue, whoever it names, so that asking takes
the same time for addresses that exist and for those that do not; what the letter becomes is decided when it is read.
"""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from platforma.identity.errors import LinkSpent
from platforma.identity.lockout import settled
from platforma.identity.mail import Mailer, letter
from platforma.identity.model import User
from platforma.identity.passwords import hash_password, parse_password
from platforma.identity.ports import Directory, Tenants
from platforma.identity.read_user import read_user
from platforma.identity.sign_in import forgive, place_of
from platforma.identity.throttle import FREE_ATTEMPTS_OF_AN_ADDRESS, AttemptCounts, charge_attempt
from platforma.kernel.events import Attempt, Event

LINK_FOR = timedelta(hours=1)
_LONGEST_TOKEN = 200
Purpose = Literal["invitation", "reset"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was mailed. *before* is a digest of the password that it replaces: with another one it is spent."""

    digest: str
    tenant_id: str
    user_id: str
    purpose: Purpose
    expires_at: datetime
    before: str


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A letter to the one who mails links: a user by id, or by an address that may be nobody's."""

    tenant_id: str
    user_id: str | None = None
    email: str | None = None


class LinkRequests(Protocol):
    """The queue of requests, each delivered at least once."""

    def put(self, request: LinkRequest) -> None:
        """Add a request."""


class Links(Protocol):
    """Links on record, found by their digest, which is before their tenant is known."""

    def add(self, link: Link, event: Event) -> None:
        """Keep a link, with the event that tells of it."""

    def find(self, digest: str) -> Link | None:
        """The link, read consistently; None where it is spent."""

    def spend(self, link: Link, before: User, after: User, password_hash: str, event: Event) -> None:
        """
        Spend the link and give the user the password, or neither.

        Raises:
            LinkSpent: it is spent already.
            PreconditionFailed: the user's version is not that of *before* any more, or it is gone.
        """


def request_link(
    tenant_id: str, user_id: str, *, directory: Directory, link_requests: LinkRequests, attempt: Attempt
) -> None:
    """
    Have a link mailed to a user of the tenant: an invitation to who has no password yet, else a reset.

    Raises:
        NotFound: this tenant has no user of this id.
        Unavailable: it could not be queued.
    """
    user = read_user(tenant_id, user_id, directory=directory)
    attempt.resource, attempt.resource_type = user.id, "user"
    link_requests.put(LinkRequest(tenant_id, user_id=user.id))


def request_link_by_email(
    tenant_id: str, email: str, *, counts: AttemptCounts, link_requests: LinkRequests, attempt: Attempt
) -> None:
    """
    Have a link mailed to whoever has this address; nobody is looked for here, so that nothing tells whether there is one.

    Raises:
        RateLimited: too many requests from this network address.
        Unavailable: it could not be queued.
    """
    source = f"reset:{place_of(attempt.ip_address)}"
    charge_attempt(tenant_id, source, counts=counts, now=attempt.clock(), free=FREE_ATTEMPTS_OF_AN_ADDRESS)
    link_requests.put(LinkRequest(tenant_id, email=email[:254]))


def mail_link(
    request: LinkRequest,
    *,
    tenants: Tenants,
    directory: Directory,
    links: Links,
    counts: AttemptCounts,
    mailer: Mailer,
    issuer: str,
    attempt: Attempt,
) -> bool:
    """
    Make the link that *request* asks for and mail it; whether there was somebody to mail it to.

    A suspended user gets none, nor does anybody of a tenant that is not active. The token is in the mail alone.

    Raises:
        RateLimited: this user was sent too many; another comes no sooner than that.
        Unavailable: it could not be kept or sent; asked again, it becomes another link.
    """
    tenant = tenants.get(request.tenant_id)
    user = _asked_for(request, directory) if tenant is not None and tenant.status == "active" else None
    if user is None or user.status == "suspended":
        return False
    charge_attempt(user.tenant_id, f"mailed:{user.id}", counts=counts, now=attempt.clock())
    token = secrets.token_urlsafe(32)
    purpose: Purpose = "invitation" if user.status == "invited" else "reset"
    mark = _mark(directory.password_hash(user.tenant_id, user.id))
    expires_at = attempt.clock() + LINK_FOR
    link = Link(_digest(token), user.tenant_id, user.id, purpose, expires_at, mark)
    links.add(link, attempt.event("success", resource=user.id, resource_type="user"))
    mailer.send(user.email, letter(purpose, f"{issuer}/{purpose}?token={token}"))
    return True


def find_link(token: str, *, directory: Directory, links: Links, now: datetime) -> tuple[Link, User]:
    """
    The link that *token* opens, still good, and the user it is for.

    Raises:
        LinkSpent: unknown, used, over, or of a user who is gone, suspended or has set another password since: one for all.
    """
    link = links.find(_digest(token[:_LONGEST_TOKEN]))
    if link is None or link.expires_at <= now:
        raise LinkSpent
    user = directory.user(link.tenant_id, link.user_id)
    stored = directory.password_hash(link.tenant_id, link.user_id)
    if user is None or user.status == "suspended" or _mark(stored) != link.before:
        raise LinkSpent
    return link, user


def set_password_by_link(
    token: str, new_password: object, *, directory: Directory, links: Links, counts: AttemptCounts, attempt: Attempt
) -> User:
    """
    The user whose password is now *new_password*, and who is active by that; the link is spent, and so are its siblings.

    What others guessed at the account does not slow down who has just shown that it is theirs.

    Raises:
        LinkSpent: the token opens nothing.
        WeakPassword: the password is not good enough; the link stays good.
    """
    now = attempt.clock()
    link, user = find_link(token, directory=directory, links=links, now=now)
    chosen = parse_password(new_password, about=(user.email, user.name), pointer="/new_password")
    hashed = hash_password(chosen)
    attempt.tenant_id, attempt.principal_type = user.tenant_id, "user"
    attempt.principal_id = attempt.user_id = user.id

    def write() -> User:
        _, before = find_link(token, directory=directory, links=links, now=now)
        after = replace(before, status="active", has_password=True, version=before.version + 1)
        links.spend(link, before, after, hashed, attempt.event("success", resource=user.id, resource_type="user"))
        return after

    changed = settled(write, again_if_stale=True)
    counts.forget(user.tenant_id, f"mailed:{user.id}")
    forgive(changed, counts=counts, attempt=attempt)
    return changed


def _asked_for(request: LinkRequest, directory: Directory) -> User | None:
    if request.user_id is not None:
        return directory.user(request.tenant_id, request.user_id)
    return directory.user_by_email(request.tenant_id, request.email or "")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _mark(stored: str | None) -> str:
    """Which password this is, said by a digest of its salted hash."""
    return hashlib.sha256((stored or "").encode()).hexdigest()[:32]
