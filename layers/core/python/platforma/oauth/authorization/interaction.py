"""
An authorization request kept while its person signs in and consents: an interaction.

Its id stands in the URLs of the pages (`flow=`) and is worth nothing without the browser that began it, which holds a secret
in a cookie of its own. A link to somebody else's interaction is therefore a dead one (RFC 9700 section 4.7, login CSRF).
"""

import secrets as entropy
from dataclasses import replace

from platforma.kernel.clock import Clock
from platforma.kernel.errors import NotFound
from platforma.kernel.events import Attempt
from platforma.oauth.authorization.answers import Redirect, refused
from platforma.oauth.authorization.errors import AccessDenied
from platforma.oauth.authorization.model import INTERACTION_LIFETIME, AuthorizationRequest, KeptRequest, digest
from platforma.oauth.authorization.ports import Authorizations, Consents
from platforma.oauth.consents.life import record_consent
from platforma.oauth.consents.model import Consent
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients
from platforma.oauth.sessions.model import Session


def keep_interaction(
    request: AuthorizationRequest,
    *,
    client: Client,
    browser: str | None,
    pushed: str | None,
    authorizations: Authorizations,
    clock: Clock,
) -> tuple[KeptRequest, str]:
    """Keep *request* for the browser that holds *browser*, or else for one that is to hold it from now on; both."""
    browser = browser if browser and len(browser) == 43 else entropy.token_urlsafe(32)
    now = clock()
    kept = KeptRequest(
        id=entropy.token_urlsafe(24),
        tenant_id=client.tenant_id,
        request=request,
        created_at=now,
        expires_at=now + INTERACTION_LIFETIME,
        browser=digest(browser),
        pushed=pushed,
    )
    authorizations.keep(kept)
    return kept, browser


def read_interaction(
    flow: str, *, browser: str | None, authorizations: Authorizations, clients: Clients, clock: Clock
) -> tuple[KeptRequest, Client]:
    """
    The interaction of this id and its client, for the browser that began it.

    Raises:
        NotFound: there is none, it is over or too old, it is another browser's, or its client is not active any more.
    """
    kept = authorizations.kept(flow)
    if kept is None or not kept.belongs_to(browser) or clock() >= kept.expires_at:
        raise NotFound("This sign-in is over. Start again from the application.")
    client = clients.get(kept.request.client_id)
    if client is None or client.status != "active":
        raise NotFound("The application is not in use any more.")
    return kept, client


def choose_account(kept: KeptRequest, *, authorizations: Authorizations) -> None:
    """Note that the person chose to go on as who is signed in (`prompt=select_account`)."""
    authorizations.mark(replace(kept, chosen=True))


def allow(
    kept: KeptRequest,
    *,
    session: Session,
    attempt: Attempt,
    authorizations: Authorizations,
    consents: Consents,
    clock: Clock,
) -> Consent:
    """
    Record that the person of *session* allows what the interaction asks for; it then goes on.

    Raises:
        NotFound: the session is of another tenant.
        AlreadyUsed: the interaction is over.
    """
    if session.tenant_id != kept.tenant_id:
        raise NotFound
    authorizations.mark(replace(kept, consented=True))
    return record_consent(
        session, kept.request.client_id, kept.request.scope, attempt=attempt, consents=consents, clock=clock
    )


def decline(kept: KeptRequest, *, attempt: Attempt, authorizations: Authorizations, issuer: str) -> Redirect:
    """
    End the interaction by the person's no: where to send them, with `access_denied`.

    Raises:
        AlreadyUsed: it is over.
    """
    event = attempt.event("denied", resource=kept.request.client_id, resource_type="oauth_client", reason="access_denied")
    authorizations.finish(kept, None, event)
    return refused(kept.request, AccessDenied(), issuer=issuer)
