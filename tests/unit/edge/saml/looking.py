"""What became of a visit by way of a SAML provider."""

from platforma import bootstrap
from tests.fakes.saml_browser import SAMLConnection, Visitor
from tests.world import Reply

SESSION = "__Host-platforma"


def session_of(visitor: Visitor):
    return visitor.browser.session


def user_of(visitor: Visitor) -> dict:
    session = visitor.browser.session
    assert session is not None
    return visitor.connection.tenant.call("GET", f"/v1/users/{session.user_id}", expect=200).json


def refused(reply: Reply, visitor: Visitor) -> str:
    """The reference that the person is shown; nobody is signed in."""
    assert 400 <= reply.status < 500, reply.text
    assert not any(cookie.startswith(f"{SESSION}=") for cookie in reply.cookies)
    assert reply.request_id in reply.text
    assert SESSION not in visitor.browser.cookies
    return reply.request_id


def why(connection: SAMLConnection, reference: str) -> str:
    traces = bootstrap.parts.sso.traces().latest(connection.tenant.id, connection.id, limit=50)
    return next(each.why for each in traces if each.reference == reference) or ""
