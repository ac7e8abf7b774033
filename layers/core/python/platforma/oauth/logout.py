"""
RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): a client sends the browser here to end the sign-in.

An ID token of the session that the browser holds says that the person's own client asks: the session ends. Anything else may
be a link on any page, and the person is asked (section 6). Nothing goes back but to a URI that the client registered for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from platforma.kernel.clock import Clock
from platforma.kernel.errors import NotFound, Unauthenticated
from platforma.kernel.events import Attempt
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.authorization.ports import Grants
from platforma.oauth.errors import InvalidRequest
from platforma.oauth.id_token import verify_id_token_hint
from platforma.oauth.ports import Clients
from platforma.oauth.redirect_uri import matches
from platforma.oauth.sessions.model import Session
from platforma.oauth.sessions.ports import Sessions
from platforma.oauth.sessions.view import close_session

_LONGEST_STATE = 2048


@dataclass(frozen=True, slots=True)
class LogoutOutcome:
    """Where the browser goes: back to the client, or, with None, to our own page, which asks whoever is signed in still."""

    location: str | None = None


def log_out(
    parameters: Mapping[str, str],
    *,
    session: Session | None,
    attempt: Attempt,
    clients: Clients,
    sessions: Sessions,
    grants: Grants,
    signing_keys: SigningKeys,
    issuer: str,
    clock: Clock,
) -> LogoutOutcome:
    """
    End *session*, the browser's, if `id_token_hint` names it; without one that is alive there is nothing to end.

    Raises:
        InvalidRequest: a hint that is not the client's, or a `post_logout_redirect_uri` that it has not registered: nothing
            was ended, and nothing is to be followed.
    """
    hint, client_id = parameters.get("id_token_hint"), parameters.get("client_id")
    claims = None
    if hint is not None:
        try:
            claims = verify_id_token_hint(hint, client_id=client_id, signing_keys=signing_keys, issuer=issuer)
        except Unauthenticated:
            raise InvalidRequest("id_token_hint is not one of this client's.") from None
    location = _location(parameters, claims["aud"] if claims else client_id, clients)
    if session is not None:
        if claims is None or (claims["sid"], claims["sub"]) != (session.id, session.user_id):
            return LogoutOutcome()
        attempt.tenant_id, attempt.principal_type = session.tenant_id, "user"
        attempt.principal_id = attempt.user_id = session.user_id
        try:
            close_session(
                session.id, tenant_id=session.tenant_id, attempt=attempt, sessions=sessions, grants=grants, clock=clock
            )
        except NotFound:  # it has ended in between, which is what was wanted
            return LogoutOutcome(location)
    return LogoutOutcome(location if claims else None)


def _location(parameters: Mapping[str, str], client_id: str | None, clients: Clients) -> str | None:
    """Section 3: exactly a registered URI of the client's, with the `state` that it sent."""
    uri, state = parameters.get("post_logout_redirect_uri"), parameters.get("state")
    if uri is None:
        return None
    client = clients.get(client_id) if client_id else None
    if client is None or not any(matches(each, uri) for each in client.post_logout_redirect_uris):
        raise InvalidRequest("post_logout_redirect_uri is not one that the client has registered.")
    if state is None or len(state) > _LONGEST_STATE:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}"
