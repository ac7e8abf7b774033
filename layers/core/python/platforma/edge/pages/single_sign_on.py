"""
Signing in by an identity provider, as the browser goes: to the provider with our request, and back with its answer.

What fails is told to the person with a reference and no reason. The reason is kept under that reference for those who look
after the connection, and the tenant's log told, only where this browser holds a flow of ours or the provider's own word
stands behind it: strangers fill nobody's log.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from platforma.edge.answer import Answer
from platforma.edge.bodies import read_form, read_parameters
from platforma.edge.browser import BROWSER, SESSION, cookie, flow_cookie, flow_forgotten, flow_kept, kept
from platforma.edge.call import Call
from platforma.edge.endpoints import ENDPOINTS
from platforma.edge.pages.render import page
from platforma.edge.pages.shown import Shown
from platforma.edge.pages.texts import Words, language_of
from platforma.edge.redirects import posted_on
from platforma.edge.status import status_of
from platforma.kernel.errors import NotFound, PlatformaError, RateLimited, Unavailable
from platforma.sso.errors import AnswerRejected
from platforma.sso.flow import HANDLE, Flow, begin_flow, is_handle, open_flow, seal_flow
from platforma.sso.model import Connection
from platforma.sso.provision import People
from platforma.sso.return_to import AUTHORIZE, HOME, interaction_of
from platforma.sso.sign_in import reason_of

PAGES = frozenset(
    {row.path for row in ENDPOINTS if row.wire == "page" and row.method == "GET" and "{" not in row.path} | {AUTHORIZE}
)
"""The pages of ours that a sign-in may lead to."""


class World(Protocol):
    """What it asks of the rest: use cases that `bootstrap` fills with their ports."""

    oauth: Any
    oidc: Any
    oidc_logout: Any
    saml: Any
    saml_logout: Any
    sso: Any

    def form_key(self) -> bytes:
        """The secret that flows are sealed with."""

    def in_use(self, tenant_id: str) -> bool:
        """Whether the tenant is in use."""

    def people_of(self, tenant_id: str) -> People:
        """Where the tenant's users are found and made, and its roles."""


def metadata(call: Call, world: World) -> Answer:
    """
    Our metadata for the connection's provider.

    Raises:
        NotFound: there is no such SAML connection in use.
    """
    document: bytes = world.saml.read_metadata_of(_connection(call, world, "saml", draft=True))
    return Answer(200, document.decode(), {"Cache-Control": "public, max-age=300"}, "application/samlmetadata+xml")


def start(call: Call, world: World) -> Answer:
    """
    On to the provider, with a flow that this browser holds.

    Raises:
        NotFound: there is no such connection in use, or the authorization request is not this browser's.
        NoWayBack: `return_to` is nothing that is known here.
    """
    connection = _connection(call, world)
    sent = read_parameters(call)
    key = world.form_key()
    if "test" in sent:
        setup = world.sso.spend_trial_link(connection, sent["test"])
        flow = begin_flow(connection.id, HOME, call.now, trial=True, setup=setup)
        return _on(connection, flow, world, key, _languages(call))
    back = world.sso.parse_return_to(sent.get("return_to"), connection.tenant_id, pages=PAGES)
    interaction, force = interaction_of(back), False
    if interaction is not None:
        asked, _ = world.oauth.read_interaction(interaction, browser=cookie(call.headers, BROWSER))
        if asked.tenant_id != connection.tenant_id:
            raise NotFound
        force = "login" in asked.request.prompt or asked.request.max_age is not None
    session = world.oauth.read_session(cookie(call.headers, SESSION))
    session_id = session.id if session is not None and session.tenant_id == connection.tenant_id else None
    flow = begin_flow(connection.id, back, call.now, force=force, session_id=session_id, interaction=interaction)
    return _on(connection, flow, world, key, _languages(call))


def _languages(call: Call) -> str:
    return call.headers.get("accept-language", "")


def _on(connection: Connection, flow: Flow, world: World, key: bytes, languages: str) -> Answer:
    cookies = (flow_kept(flow.handle, seal_flow(flow, key)),)
    if connection.type == "oidc":
        location = world.oidc.ask_openid_provider(connection, flow, key=key)
        return Answer(302, headers={"Location": location}, cookies=cookies)
    to = world.saml.ask_provider(connection, flow, key=key)
    if to.form is not None:
        return posted_on(to.location, to.form, languages, cookies=cookies)
    return Answer(302, headers={"Location": to.location}, cookies=cookies)


def consume_response(call: Call, world: World) -> Answer:
    """
    The provider's response by the browser's POST: signed in and on, or an error.

    Raises:
        NotFound: there is no such SAML connection in use.
        AssertionRejected, SignInRefused, Unprocessable: nobody is signed in.
    """
    connection = _connection(call, world, "saml")
    form = read_form(call)
    key, flow = world.form_key(), held_flow(call, world, connection, form.get("RelayState", ""))
    if flow is not None:
        _act_as(call, connection)
    try:
        said = world.saml.believe_response(connection, form.get("SAMLResponse", ""), flow=flow, key=key)
        _act_as(call, connection)
        return finished(call, world, connection, said, flow)
    except Unavailable:
        raise
    except PlatformaError as error:
        raise _told(call, noted(call, world, connection, error), flow) from None


def consume_answer(call: Call, world: World) -> Answer:
    """
    An OpenID provider's answer by the browser's redirect: signed in and on, or an error.

    Raises:
        NotFound: there is no such OpenID connection in use.
        AnswerRejected, SignInRefused, Unprocessable: nobody is signed in.
    """
    connection = _connection(call, world, "oidc")
    answer = read_parameters(call)
    key, flow = world.form_key(), held_flow(call, world, connection, answer.get("state", "")[:HANDLE])
    if flow is None:
        raise AnswerRejected("This browser began no sign-in, or it is over.")
    _act_as(call, connection)
    try:
        said = world.oidc.believe_answer(connection, answer, flow=flow, key=key)
        return finished(call, world, connection, said, flow)
    except Unavailable:
        raise
    except PlatformaError as error:
        raise _told(call, noted(call, world, connection, error), flow) from None


def sign_out(call: Call, world: World, *, posted: bool) -> Answer:
    """
    Single logout: the provider asks us to end a session, answers that it ended its own, or we send the browser to ask it.

    Raises:
        NotFound: there is no such connection in use, or nothing that ends.
        AssertionRejected: the request is not the provider's.
    """
    connection = _connection(call, world)
    sent = read_form(call) if posted else read_parameters(call)
    if connection.type == "oidc":
        if posted:
            raise NotFound
        return _sign_out_at_openid_provider(connection, sent, world)
    if "SAMLRequest" in sent:
        asked = world.saml_logout.believe_logout_request(connection, sent, posted=posted)
        _act_as(call, connection)
        world.sso.end_provider_sessions(connection, asked.subject, asked.indexes, attempt=call.attempt)
        told = world.saml_logout.answer_logout(connection, asked, sent.get("RelayState", ""))
    elif "out" in sent and not posted:
        told = world.saml_logout.ask_logout(connection, world.sso.open_sign_out_link(connection, sent["out"]))
    elif "SAMLResponse" in sent:
        told = None  # the session here has ended before: nothing hangs by it
    else:
        raise NotFound
    if told is None:
        return Answer(303, headers={"Location": "/sign-out"})
    if told.form is not None:
        return posted_on(told.location, told.form, _languages(call))
    return Answer(302, headers={"Location": told.location})


def _sign_out_at_openid_provider(connection: Connection, sent: Mapping[str, str], world: World) -> Answer:
    """On to the provider by our link; without one the browser is back from there."""
    where = None
    if "out" in sent:
        where = world.oidc_logout.ask_openid_logout(world.sso.open_sign_out_link(connection, sent["out"]), connection)
    return Answer(303, headers={"Location": "/sign-out"}) if where is None else Answer(302, headers={"Location": where})


def consume_logout_token(call: Call, world: World) -> Answer:
    """
    An OpenID provider tells us that a session of its own has ended: ours that began in it end.

    Raises:
        NotFound: there is no such OpenID connection in use.
        AnswerRejected: the token proves nothing.
    """
    connection = _connection(call, world, "oidc")
    told = world.oidc_logout.believe_logout_token(connection, read_form(call).get("logout_token", ""))
    _act_as(call, connection)
    indexes = () if told.index is None else (told.index,)
    world.sso.end_provider_sessions(connection, told.subject, indexes, attempt=call.attempt)
    return Answer(200, {})


def keys(call: Call, world: World) -> Answer:
    """
    The keys that an OpenID provider knows us by.

    Raises:
        NotFound: there is no such OpenID connection in use.
    """
    document = world.oidc.published_keys(_connection(call, world, "oidc", draft=True))
    return Answer(200, document, {"Cache-Control": "public, max-age=300"})


def held_flow(call: Call, world: World, connection: Connection, handle: str) -> Flow | None:
    """The flow of this handle that the browser holds, for this connection."""
    if not is_handle(handle):
        return None
    return open_flow(cookie(call.headers, flow_cookie(handle)), handle, connection.id, key=world.form_key(), now=call.now)


def finished(call: Call, world: World, connection: Connection, said: object, flow: Flow | None) -> Answer:
    """Signed in, and on; or, of a trial, what it would have done."""
    if flow is not None and flow.trial:
        trial = world.sso.try_sign_in(connection, said, people=world.people_of(connection.tenant_id))
        world.sso.note_trial(connection, attempt=call.attempt)
        words, gone = Words(language_of(_languages(call))), (flow_forgotten(flow.handle),)
        return page("trial", words, cookies=gone, tenant=None, trial=trial, back=_back(flow))
    signed = world.sso.finish_sign_in(
        connection, said, flow=flow, people=world.people_of(connection.tenant_id), attempt=call.attempt
    )
    over = (flow_forgotten(flow.handle),) if flow is not None else ()
    where = flow.return_to if flow is not None else world.sso.parse_return_to(None, connection.tenant_id, pages=PAGES)
    return Answer(303, headers={"Location": where}, cookies=(kept(SESSION, signed.cookie), *over))


def noted(call: Call, world: World, connection: Connection, error: PlatformaError) -> PlatformaError:
    """*error*, once it is kept for the connection's health; or that there were too many from this address to keep them."""
    if call.attempt.principal_type == "anonymous":
        return error
    try:
        world.sso.note_failure(connection, error, attempt=call.attempt)
    except RateLimited as limited:
        call.attempt.principal_type = "anonymous"
        return limited
    return error


def _told(call: Call, error: PlatformaError, flow: Flow | None) -> PlatformaError:
    """*error*; of a trial on a page with its reason, since whoever tries a connection looks after it."""
    if flow is None or not flow.trial or isinstance(error, RateLimited):
        return error
    words, (status, _) = Words(language_of(_languages(call))), status_of(error)
    answer = page(
        "trial_failed",
        words,
        status=status,
        cookies=(flow_forgotten(flow.handle),),
        why=reason_of(error),
        reference=call.attempt.request_id,
        back=_back(flow),
        tenant=None,
    )
    return Shown(error, answer)


def _back(flow: Flow) -> str | None:
    """The page that the trial was begun from, if a setup link opened it."""
    return f"/sso/{flow.connection_id}/setup" if flow.setup else None


def _connection(call: Call, world: World, kind: str | None = None, *, draft: bool = False) -> Connection:
    """The connection in use, of the type *kind*; one that is no more than a *draft* only to tell a provider of us."""
    connection: Connection = world.sso.connection_in_use(call.path["id"])
    if kind not in (None, connection.type) or (connection.draft and not draft) or not world.in_use(connection.tenant_id):
        raise NotFound
    return connection


def _act_as(call: Call, connection: Connection) -> None:
    """Let the event be the connection's, in its tenant: who the person is is not known yet."""
    attempt = call.attempt
    attempt.tenant_id, attempt.principal_type, attempt.principal_id = connection.tenant_id, "system", connection.id
