"""A browser before one of our pages: in which flow, of which tenant, in which language, signed in or not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from platforma.edge.answer import Answer
from platforma.edge.browser import BROWSER, SESSION, cookie, kept
from platforma.edge.call import Call
from platforma.edge.pages.guard import browser_of, entered_token, form_token, read_entered_token, require_own_form
from platforma.edge.pages.render import page
from platforma.edge.pages.shown import Shown
from platforma.edge.pages.texts import Words, language_of
from platforma.identity.factors import RelyingParty
from platforma.identity.model import Tenant, User
from platforma.kernel.errors import NotFound, PlatformaError, RateLimited
from platforma.kernel.ids import is_id
from platforma.oauth.authorization.model import KeptRequest
from platforma.oauth.model import Client
from platforma.oauth.sessions.model import Session


class World(Protocol):
    """What pages ask of the rest: the areas' use cases, which `bootstrap` fills with their ports."""

    identity: Any
    factors: Any
    oauth: Any
    sso: Any

    def form_key(self) -> bytes:
        """The secret that forms are bound to browsers with."""

    def in_use(self, tenant_id: str) -> bool:
        """Whether the tenant is in use."""

    def relying_party(self) -> RelyingParty:
        """For whom passkeys are made."""


@dataclass(frozen=True, slots=True)
class Visit:
    """
    One request for a page. *kept* and *client* are of the interaction that it is in, if it is in one; *user_code* is of the
    device that its person is about to connect.
    """

    call: Call
    world: World
    parameters: Mapping[str, str]
    browser: str
    new: bool
    words: Words
    tenant: Tenant | None
    session: Session | None
    kept: KeptRequest | None
    client: Client | None
    user_code: str | None = None

    @property
    def flow(self) -> str:
        """The interaction's id; empty where there is none."""
        return self.kept.id if self.kept else ""

    @property
    def device(self) -> str:
        """What brings its person back to the device after signing in; empty where there is none."""
        return entered_token(self.world.form_key(), self.browser, self.user_code) if self.user_code else ""

    def show(
        self,
        template: str,
        *,
        status: int = 200,
        cookies: tuple[str, ...] = (),
        error: str | None = None,
        leads_to: Iterable[str] = (),
        **values: Any,
    ) -> Answer:
        """A page with what every page has."""
        held = (kept(BROWSER, self.browser),) if self.new else ()
        return page(
            template,
            self.words,
            status=status,
            leads_to=[*([self.kept.request.redirect_uri] if self.kept else ()), *leads_to],
            cookies=(*held, *cookies),
            token=form_token(self.world.form_key(), self.browser),
            flow=self.flow,
            device=self.device,
            tenant=self.tenant,
            client=self.client,
            error=error,
            **values,
        )

    def refuse(
        self, cause: PlatformaError, template: str, *, status: int = 403, said: str | None = None, **values: Any
    ) -> Shown:
        """*cause*, told in the page where it happened: by the text named *said*, or what its code has."""
        limited = isinstance(cause, RateLimited)
        told = self.words.refusal(said or cause.code)
        answer = self.show(template, status=429 if limited else status, error=told, **values)
        if isinstance(cause, RateLimited):
            answer = Answer(
                429, answer.body, {**answer.headers, "Retry-After": str(cause.retry_after)}, answer.media_type,
                cookies=answer.cookies,
            )  # fmt: skip
        return Shown(cause, answer)

    def act_as(self, user_id: str) -> None:
        """Let the event be this person's, in this tenant."""
        assert self.tenant is not None
        attempt = self.call.attempt
        attempt.tenant_id, attempt.principal_type = self.tenant.id, "user"
        attempt.principal_id = attempt.user_id = user_id

    def person(self) -> User | None:
        """The active person who is signed in here, in the tenant that this is about."""
        if self.session is None or self.tenant is None or self.session.tenant_id != self.tenant.id:
            return None
        try:
            user: User = self.world.identity.read_user(self.session.tenant_id, self.session.user_id)
        except NotFound:
            return None
        return user if user.status == "active" else None


def visit(call: Call, world: World, parameters: Mapping[str, str], *, posted: bool) -> Visit:
    """
    The visit that a request for a page is.

    The tenant is the interaction's client's, or the one that is named, or the session's; addresses are never searched.

    Raises:
        StaleForm: *posted*, and not by a form that we gave this browser.
        NotFound: the interaction is over, or another browser's; the tenant is not one in use.
    """
    if posted:
        require_own_form(world.form_key(), call.headers, parameters.get("token"))
    browser, new = browser_of(call.headers)
    kept_request, client = None, None
    if flow := parameters.get("flow"):
        kept_request, client = world.oauth.read_interaction(flow, browser=browser)
    session = world.oauth.read_session(cookie(call.headers, SESSION))
    named = kept_request.tenant_id if kept_request else parameters.get("tenant", "").strip()
    if not named and session is not None:
        named = session.tenant_id
    tenant = None
    if named:
        if not is_id(named, "ten") or not world.in_use(named):
            raise NotFound("There is no such organisation.")
        tenant = world.identity.read_tenant(named)
    locales = kept_request.request.ui_locales if kept_request else parameters.get("ui_locales", "").split()
    words = Words(language_of(call.headers.get("accept-language", ""), locales))
    user_code = read_entered_token(world.form_key(), parameters.get("device", ""), browser)
    return Visit(call, world, parameters, browser, new, words, tenant, session, kept_request, client, user_code)
