"""
Setting a password by a mailed link, and having one mailed.

Opening a link spends nothing, since scanners of mail open links too; its form does. Whose it is and of which tenant says the
link alone, whatever else is sent with it. Nobody is signed in by a link: a second factor stays asked for.
"""

from dataclasses import replace

from platforma.edge.answer import Answer
from platforma.edge.browser import SESSION, forgotten
from platforma.edge.pages.visit import Visit
from platforma.identity.errors import LinkSpent, WeakPassword
from platforma.identity.links import Link
from platforma.identity.model import User
from platforma.kernel.errors import RateLimited

_TENANT_FIRST = Answer(303, headers={"Location": "/login"})


def show_forgot_password(visit: Visit) -> Answer:
    """The question for an address, or first that of which tenant."""
    return _TENANT_FIRST if visit.tenant is None else visit.show("forgot_password", email="")


def forgot_password(visit: Visit) -> Answer:
    """
    Have a link mailed to whoever has this address; what is answered, and when, is the same whoever that is.

    Raises:
        Shown: too many were asked for from this network address.
    """
    if visit.tenant is None:
        return _TENANT_FIRST
    email = visit.parameters.get("email", "")
    try:
        visit.world.identity.request_link_by_email(visit.tenant.id, email, attempt=visit.call.attempt)
    except RateLimited as cause:
        raise visit.refuse(cause, "forgot_password", email=email) from None
    return visit.show("link_sent")


def show_set_password(visit: Visit) -> Answer:
    """
    The form that a link opens.

    Raises:
        Shown: the link opens nothing.
    """
    token = visit.parameters.get("token", "")
    there, link, user = _opened(visit, token)
    return there.show("set_password", link=token, purpose=link.purpose, user=user)


def set_password(visit: Visit) -> Answer:
    """
    Give the link's user the password, and end their sessions everywhere; the link is spent.

    Raises:
        Shown: the link opens nothing, or the password is not good enough.
    """
    token = visit.parameters.get("link", "")
    there, link, user = _opened(visit, token)
    attempt, world = visit.call.attempt, visit.world
    try:
        world.identity.set_password_by_link(token, visit.parameters.get("password", ""), attempt=attempt)
    except WeakPassword as cause:
        values = {"link": token, "purpose": link.purpose, "user": user}
        raise there.refuse(cause, "set_password", status=422, said=f"password_{cause.weakness}", **values) from None
    except LinkSpent as cause:
        raise visit.refuse(cause, "link_spent", status=404) from None
    world.oauth.end_sessions(user.tenant_id, user.id, attempt=attempt)
    mine = visit.session is not None and visit.session.user_id == user.id
    return there.show("password_set", cookies=(forgotten(SESSION),) if mine else ())


def _opened(visit: Visit, token: str) -> tuple[Visit, Link, User]:
    """The visit as one of the link's tenant, the link and its user; a tenant that is not in use has no links."""
    try:
        link, user = visit.world.identity.find_link(token, now=visit.call.now)
        if not visit.world.in_use(user.tenant_id):
            raise LinkSpent
    except LinkSpent as cause:
        raise visit.refuse(cause, "link_spent", status=404) from None
    there = replace(visit, tenant=visit.world.identity.read_tenant(user.tenant_id), kept=None, client=None)
    return there, link, user
