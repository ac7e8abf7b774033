"""
The authorization endpoint (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2).

1. Client and redirect URI are looked at first, in a signed request object where there is one: until they are good, an error
   leads nowhere.
2. The rest is checked (`checks`), or was when it was pushed; from here on errors go back to the client.
3. The request is kept for this browser.
4. What the person has to do first is asked, row by row; `prompt=none` turns each into its error.
5. With nothing left, the request is over and a code goes back, once.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from platforma.identity.ports import Directory, Groups
from platforma.identity.principals import read_principal
from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed
from platforma.kernel.events import Attempt
from platforma.oauth.access_token import SigningKeys
from platforma.oauth.authorization.answers import Page, Redirect, Where, granted, refused
from platforma.oauth.authorization.checks import checked_request, known_client, recipient_of
from platforma.oauth.authorization.errors import (
    AuthorizationError,
    ConsentRequired,
    InvalidRequestURI,
    LoginRequired,
    UnmetAuthenticationRequirements,
    UntrustedRequest,
)
from platforma.oauth.authorization.interaction import keep_interaction, read_interaction
from platforma.oauth.authorization.model import AuthorizationRequest, KeptRequest, new_code
from platforma.oauth.authorization.ports import Authorizations, Consents
from platforma.oauth.authorization.pushed import PREFIX, read_pushed
from platforma.oauth.authorization.request_object import open_request_object
from platforma.oauth.client_keys import ClientKeys
from platforma.oauth.errors import OAuthError
from platforma.oauth.model import Client
from platforma.oauth.ports import Clients
from platforma.oauth.sessions.model import Session, satisfies

AudiencesOf = Callable[[str], Collection[str]]
"""The audiences of a tenant's protected APIs."""
InUse = Callable[[str], bool]
"""Whether a tenant is in use."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known when it is asked what is left to do: the interaction, its client, and who sits there."""

    kept: KeptRequest
    client: Client
    session: Session | None
    consented: bool
    age: float

    @property
    def request(self) -> AuthorizationRequest:
        """What the client asks for."""
        return self.kept.request

    @property
    def here(self) -> bool:
        """Whether the person signed in within this very interaction."""
        return self.session is not None and self.session.interaction == self.kept.id


def begin_authorization(
    parameters: Mapping[str, str],
    *,
    session: Session | None,
    browser: str | None,
    attempt: Attempt,
    audiences_of: AudiencesOf,
    in_use: InUse,
    clients: Clients,
    authorizations: Authorizations,
    consents: Consents,
    directory: Directory,
    groups: Groups,
    signing_keys: SigningKeys,
    client_keys: ClientKeys,
    issuer: str,
    clock: Clock,
) -> Redirect | Page:
    """
    The answer to an authorization request of the browser that holds *browser*, with the sign-in *session*, if any.

    Raises:
        UntrustedRequest, InvalidRequestURI, InvalidRequestObject: what must not travel.
        Unavailable: what it takes to tell is out of reach.
    """
    pushed = None
    if "request_uri" in parameters:
        if "request" in parameters or not parameters["request_uri"].startswith(PREFIX):
            raise InvalidRequestURI
        client, pushed = read_pushed(parameters, clients=clients, authorizations=authorizations, clock=clock)
        request = pushed.request
    else:
        signed = "request" in parameters
        if signed:
            named = known_client(parameters, clients=clients)
            parameters = open_request_object(
                parameters["request"], client=named, client_keys=client_keys, issuer=issuer, clock=clock
            )
        recipient = recipient_of(parameters, clients=clients)
        client = recipient.client
        try:
            request = checked_request(
                parameters,
                client=client,
                pushed=False,
                signed=signed,
                audiences=audiences_of(client.tenant_id),
                issuer=issuer,
                signing_keys=signing_keys,
            )
        except OAuthError as error:
            return refused(recipient, error, issuer=issuer)
    kept, held = keep_interaction(
        request,
        client=client,
        browser=browser,
        pushed=pushed.id if pushed else None,
        authorizations=authorizations,
        clock=clock,
    )
    return resume_authorization(
        kept.id,
        session=session,
        browser=held,
        attempt=attempt,
        in_use=in_use,
        clients=clients,
        authorizations=authorizations,
        consents=consents,
        directory=directory,
        groups=groups,
        issuer=issuer,
        clock=clock,
    )


def resume_authorization(
    flow: str,
    *,
    session: Session | None,
    browser: str | None,
    attempt: Attempt,
    in_use: InUse,
    clients: Clients,
    authorizations: Authorizations,
    consents: Consents,
    directory: Directory,
    groups: Groups,
    issuer: str,
    clock: Clock,
) -> Redirect | Page:
    """
    Go on with an interaction: the next page that its person has to see, or the way back to the client.

    *attempt* is the person's from the moment that a code is made.

    Raises:
        NotFound: the interaction is not this browser's, or over.
        UntrustedRequest: the client's tenant is not in use, or the interaction ended in between.
    """
    kept, client = read_interaction(flow, browser=browser, authorizations=authorizations, clients=clients, clock=clock)
    if not in_use(client.tenant_id):
        raise UntrustedRequest
    if session is not None and session.tenant_id != client.tenant_id:
        session = None
    if session is not None:
        person = read_principal(session.tenant_id, session.user_id, directory=directory, groups=groups)
        session = session if person is not None and person.active else None
    consent = consents.get(session.tenant_id, session.user_id, client.id) if session else None
    signed = Signed(
        kept=kept,
        client=client,
        session=session,
        consented=consent is not None and consent.covers(kept.request.scope),
        age=(clock() - session.auth_time).total_seconds() if session else 0,
    )
    silent = "none" in kept.request.prompt
    for is_left, page, error in _LEFT:
        if is_left(signed):
            if silent or page is None:
                return refused(kept.request, error(), issuer=issuer)
            return Page(page, kept.id, browser or "")
    assert session is not None
    attempt.tenant_id, attempt.principal_type = session.tenant_id, "user"
    attempt.principal_id = attempt.user_id = session.user_id
    code, shown = new_code(kept, session, clock())
    event = attempt.event("success", resource=client.id, resource_type="oauth_client")
    try:
        authorizations.finish(kept, code, event)
    except AlreadyUsed:
        raise UntrustedRequest("This sign-in is over. Start again from the application.") from None
    return granted(kept.request, shown, issuer=issuer)


def _nobody(signed: Signed) -> bool:
    return signed.session is None


def _another(signed: Signed) -> bool:
    """Core section 3.1.2.1, `id_token_hint`: somebody else sits there."""
    hinted = signed.request.hinted
    return hinted is not None and signed.session is not None and signed.session.user_id != hinted


def _asked_to_sign_in(signed: Signed) -> bool:
    return "login" in signed.request.prompt and not signed.here


def _asked_to_choose(signed: Signed) -> bool:
    return "select_account" in signed.request.prompt and not (signed.here or signed.kept.chosen)


def _too_long_ago(signed: Signed) -> bool:
    return signed.request.max_age is not None and signed.age > signed.request.max_age and not signed.here


def _too_weakly(signed: Signed) -> bool:
    """Core section 3.1.2.1, `acr_values`, and essential ones: a chance is given to do better, once."""
    known = tuple(each for each in signed.request.acr_values if satisfies(each, (each,)))
    wanted = known or signed.request.essential_acr
    return bool(wanted) and not signed.here and signed.session is not None and not satisfies(signed.session.acr, wanted)


def _still_too_weakly(signed: Signed) -> bool:
    """Core section 5.5.1.1: an essential class that was not reached is a failed authentication."""
    wanted = signed.request.essential_acr
    return bool(wanted) and signed.session is not None and not satisfies(signed.session.acr, wanted)


def _asked_for_consent(signed: Signed) -> bool:
    return "consent" in signed.request.prompt and not signed.kept.consented


def _consents_first(signed: Signed) -> bool:
    return not (signed.client.first_party or signed.consented)


_LEFT: tuple[tuple[Callable[[Signed], bool], Where | None, type[AuthorizationError]], ...] = (
    #  is left            page       error with prompt=none
    (_nobody,             "login",   LoginRequired),
    (_another,            "login",   LoginRequired),
    (_asked_to_sign_in,   "login",   LoginRequired),
    (_asked_to_choose,    "login",   LoginRequired),
    (_too_long_ago,       "login",   LoginRequired),
    (_too_weakly,         "login",   LoginRequired),
    (_still_too_weakly,   None,      UnmetAuthenticationRequirements),
    (_asked_for_consent,  "consent", ConsentRequired),
    (_consents_first,     "consent", ConsentRequired),
)  # fmt: skip
