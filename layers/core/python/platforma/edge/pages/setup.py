"""
One connection, configured by the customer's own administrator, who has a setup link and no account.

Opening the link spends nothing and changes nothing, since scanners of mail open links too: its form exchanges it for a
session of an hour, in a cookie of this browser's, and the link is in no address any more. The session is looked at with its
link at each request, so that it ends with it. What it reaches is the provider of this connection, the proof of the domains
that the connection names, and a test; nothing else of the tenant is shown or changed, and no secret is ever shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Protocol

from platforma.apikeys.model import Holder, RateLimit, SharedLimit
from platforma.apikeys.rate_limit import Leases
from platforma.edge.answer import Answer
from platforma.edge.bodies import held_to, read_form, read_parameters
from platforma.edge.browser import BROWSER, SETUP, cookie, forgotten, kept, kept_for
from platforma.edge.call import Call
from platforma.edge.dead_credentials import DeadCredentials
from platforma.edge.pages.guard import (
    SETUP_LIFETIME,
    browser_of,
    form_token,
    read_setup_token,
    require_own_form,
    setup_token,
)
from platforma.edge.pages.render import page
from platforma.edge.pages.shown import Shown
from platforma.edge.pages.texts import Words, language_of
from platforma.edge.schemas.sso import ConnectionPatch
from platforma.edge.status import status_of
from platforma.identity.model import Tenant
from platforma.kernel.errors import Malformed, NotFound, PlatformaError, PreconditionFailed, RateLimited, Unavailable
from platforma.sso.errors import DomainNotProved, DomainTaken, NothingToTry, SetupLinkOver
from platforma.sso.model import Connection, Domain
from platforma.sso.setup_links import SetupLink

LIMIT = RateLimit(30, 60)
"""How much one link does in a minute: each change may have us call an address or a resolver."""
DONE = frozenset({"saved", "proved", "claimed"})
"""What may have been done when the page is shown again."""
_DEAD = DeadCredentials()


class World(Protocol):
    """What it asks of the rest: use cases that `bootstrap` fills with their ports."""

    identity: Any
    sso: Any

    def form_key(self) -> bytes:
        """The secret that forms and sessions are bound to browsers with."""

    def in_use(self, tenant_id: str) -> bool:
        """Whether the tenant is in use."""

    def issuer(self) -> str:
        """The stable URL."""

    def setup_leases(self) -> Leases:
        """What links may still do in this minute."""

    def still_there(self, tenant_id: str, kind: str, principal_id: str) -> bool:
        """Whether who made a link is one of the tenant's still, and active."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A browser before the page of a link that is good, in its tenant."""

    call: Call
    world: World
    browser: str
    new: bool
    words: Words
    tenant: Tenant
    connection: Connection
    link: SetupLink

    @property
    def where(self) -> str:
        """The page's path."""
        return f"/sso/{self.connection.id}/setup"

    def show(self, template: str, *, status: int = 200, cookies: tuple[str, ...] = (), **values: Any) -> Answer:
        """A page with what both have."""
        held = (kept(BROWSER, self.browser),) if self.new else ()
        common = {
            "token": form_token(self.world.form_key(), self.browser),
            "tenant": self.tenant,
            "connection": self.connection,
            "where": self.where,
            "error": None,
        }
        return page(
            template,
            self.words,
            status=status,
            cookies=(*held, *cookies),
            leads_to=[self.connection.start_url] if self.connection.start_url else [],
            **{**common, **values},
        )

    def refuse(self, cause: PlatformaError, said: str, **values: Any) -> Shown:
        """*cause*, told in the page by the text named *said*; what the person typed is there still, but no secret."""
        faults = [f"{each['pointer']}: {each['detail']}" for each in getattr(cause, "errors", ())]
        told = {"error": getattr(self.words, said), "faults": faults or [cause.detail] if said == "setup_refused" else []}
        return Shown(cause, self._again(status_of(cause)[0], **told, **values))

    def _again(self, status: int, **values: Any) -> Answer:
        now = replace(self, connection=self.world.sso.read_connection(self.connection.id, tenant_id=self.tenant.id))
        return now.page(status=status, **values)

    def page(self, *, status: int = 200, **values: Any) -> Answer:
        """The page as the connection stands."""
        connection, sso = self.connection, self.world.sso
        base = f"{self.world.issuer()}/sso/{connection.id}"
        usual: dict[str, Any] = {"faults": [], "done": None, "typed": {}}
        return self.show(
            "setup",
            status=status,
            base=base,
            ours=sso.current_pairs(connection) if connection.type == "saml" else (),
            theirs=sso.read_health(connection)["certificates"],
            domains=[(name, _claim(sso, self.tenant.id, name)) for name in connection.domains],
            expires_at=self.link.expires_at,
            **{**usual, **values},
        )


def show_setup(call: Call, world: World) -> Answer:
    """
    What a link opens: first the question whether to begin, then the connection.

    Raises:
        Shown: the link, or the session, opens nothing any more.
    """
    sent = read_parameters(call)
    if "token" in sent:
        return _opened(call, world, sent["token"]).show("setup_begin", link=sent["token"])
    done = sent.get("done")
    return _entered(call, world).page(done=done if done in DONE else None)


def open_setup(call: Call, world: World) -> Answer:
    """
    Exchange the link for a session in this browser.

    Raises:
        StaleForm: not by a form that we gave this browser.
        Shown: the link opens nothing any more.
    """
    form = read_form(call)
    browser = require_own_form(world.form_key(), call.headers, form.get("token"))
    there = _opened(call, world, form.get("link", ""))
    _act_as(call, there.link)
    _charge(there)
    try:
        world.sso.open_setup_link(there.link, attempt=call.attempt)
    except SetupLinkOver as cause:
        raise _over(call, cause) from None
    until = min(call.now + SETUP_LIFETIME, there.link.expires_at)
    value = setup_token(world.form_key(), browser, there.connection.id, there.link.id, until)
    held = kept_for(SETUP, value, int((until - call.now).total_seconds()))
    return Answer(303, headers={"Location": there.where}, cookies=(held,))


def configure(call: Call, world: World) -> Answer:
    """
    Tell who the connection's provider is, unless somebody changed the connection since the page was shown.

    Raises:
        StaleForm: not by a form that we gave this browser.
        Shown: the link is over, the connection has changed, or what was sent cannot be used.
    """
    there, form = _posted(call, world)
    typed = {name: form[name] for name in ("metadata_url", "metadata_xml", "issuer", "client_id") if name in form}
    try:
        fields = _provider_fields(there.connection, form)
        world.sso.change_connection(
            there.connection.id,
            fields,
            tenant_id=there.tenant.id,
            if_match=_version(form),
            known_roles=frozenset(),
            attempt=call.attempt,
        )
    except PreconditionFailed as cause:
        raise there.refuse(cause, "setup_stale", typed=typed) from None
    except (Unavailable, RateLimited, NotFound):
        raise
    except PlatformaError as cause:
        raise there.refuse(cause, "setup_refused", typed=typed) from None
    return _done(there, "saved")


def prove_domain(call: Call, world: World) -> Answer:
    """
    Claim a domain that the connection names, or prove the claim by its DNS record.

    Raises:
        StaleForm: not by a form that we gave this browser.
        Shown: the link is over, or the domain is not proved.
    """
    there, form = _posted(call, world)
    name = form.get("domain", "")
    if name not in there.connection.domains:
        raise there.refuse(NotFound(), "setup_stale")
    call.note_resource("domain", name)
    try:
        if _claim(world.sso, there.tenant.id, name) is None:
            world.sso.claim_domain(there.tenant.id, name, attempt=call.attempt)
            return _done(there, "claimed")
        world.sso.verify_domain(there.tenant.id, name, attempt=call.attempt)
    except DomainNotProved as cause:
        raise there.refuse(cause, "setup_not_proved") from None
    except DomainTaken as cause:
        raise there.refuse(cause, "setup_domain_taken") from None
    except PreconditionFailed as cause:
        raise there.refuse(cause, "setup_stale") from None
    return _done(there, "proved")


def test(call: Call, world: World) -> Answer:
    """
    On to a sign-in that is only tried, and shows what came.

    Raises:
        StaleForm: not by a form that we gave this browser.
        Shown: the link is over, or there is no provider yet.
    """
    there, _ = _posted(call, world)
    try:
        url, _until = world.sso.trial_link(there.connection, setup=True)
    except NothingToTry as cause:
        raise there.refuse(cause, "setup_untestable") from None
    return Answer(303, headers={"Location": url.removeprefix(world.issuer())})


def finish(call: Call, world: World) -> Answer:
    """
    End the link, because its holder is done.

    Raises:
        StaleForm: not by a form that we gave this browser.
        Shown: the link is over already.
    """
    there, _ = _posted(call, world)
    try:
        world.sso.finish_setup(there.link, attempt=call.attempt)
    except SetupLinkOver as cause:
        raise _over(call, cause) from None
    return there.show("setup_finished", cookies=(forgotten(SETUP),))


def _opened(call: Call, world: World, token: str) -> Setup:
    """The page of the link that *token* is."""
    try:
        connection, link = world.sso.find_setup_link(call.path["id"], token)
        return _there(call, world, connection, link)
    except SetupLinkOver as cause:
        raise _over(call, cause) from None


def _entered(call: Call, world: World) -> Setup:
    """The page of the link that this browser's session was made from; the attempt is the link's from now on."""
    browser, _ = browser_of(call.headers)
    held = cookie(call.headers, SETUP) or ""
    link_id = read_setup_token(world.form_key(), held, browser, call.path["id"], call.now)
    try:
        if link_id is None:
            raise SetupLinkOver
        connection, link = world.sso.held_setup_link(call.path["id"], link_id)
        there = _there(call, world, connection, link)
    except SetupLinkOver as cause:
        raise _over(call, cause) from None
    _act_as(call, link)
    return there


def _posted(call: Call, world: World) -> tuple[Setup, Mapping[str, str]]:
    """The page that a form of ours was sent from, and the form; what the link may do in a minute is charged for it."""
    form = read_form(call)
    require_own_form(world.form_key(), call.headers, form.get("token"))
    there = _entered(call, world)
    _charge(there)
    return there, form


def _there(call: Call, world: World, connection: Connection, link: SetupLink) -> Setup:
    if not world.in_use(link.tenant_id):
        raise SetupLinkOver
    if not world.still_there(link.tenant_id, *link.made_by):
        raise SetupLinkOver(link_id=link.id, tenant_id=link.tenant_id)
    browser, new = browser_of(call.headers)
    words = Words(language_of(call.headers.get("accept-language", "")))
    tenant = world.identity.read_tenant(link.tenant_id)
    return Setup(call, world, browser, new, words, tenant, connection, link)


def _over(call: Call, cause: SetupLinkOver) -> Shown:
    """One page for every link that is good no more; a genuine one's use is told of in its tenant's log, in its turn."""
    if "link_id" in cause.facts:
        attempt = call.attempt
        attempt.tenant_id, attempt.principal_type = str(cause.facts["tenant_id"]), "setup_link"
        attempt.principal_id = str(cause.facts["link_id"])
        _DEAD.settle(attempt, cause)
    words = Words(language_of(call.headers.get("accept-language", "")))
    return Shown(cause, page("setup_over", words, status=404, tenant=None))


def _charge(there: Setup) -> None:
    now = there.call.now
    limit = SharedLimit(Holder(there.tenant.id, "setup_link", there.link.id), LIMIT)
    charge = there.world.setup_leases().take(limit, 1, now)
    if not charge.allowed:
        raise RateLimited(retry_after=max(1, ceil((charge.resets_at - now).total_seconds())))


def _provider_fields(connection: Connection, form: Mapping[str, str]) -> dict[str, Any]:
    """What the form says of the provider, held to the schema that the API holds it to."""
    if connection.type == "saml":
        names = ("metadata_url", "metadata_xml")
        given: dict[str, Any] = {"saml": {name: form[name].strip() for name in names if form.get(name, "").strip()}}
        if not given["saml"]:
            raise Malformed("Give the metadata, or its address.")
    else:
        given = {"oidc": {name: form[name].strip() for name in ("issuer", "client_id") if form.get(name, "").strip()}}
        if form.get("client_secret"):
            given["oidc"]["client_secret"] = form["client_secret"]
    fields: dict[str, Any] = held_to(ConnectionPatch, given).model_dump(exclude_unset=True)
    return fields


def _version(form: Mapping[str, str]) -> int:
    """The version of the connection that the page showed."""
    text = form.get("version", "")[:16]
    return int(text) if text.isascii() and text.isdigit() else -1


def _claim(sso: Any, tenant_id: str, name: str) -> Domain | None:
    try:
        claim: Domain = sso.read_domain(tenant_id, name)
    except NotFound:
        return None
    return claim


def _done(there: Setup, what: str) -> Answer:
    return Answer(303, headers={"Location": f"{there.where}?done={what}"})


def _act_as(call: Call, link: SetupLink) -> None:
    """Let the event be the link's, in its tenant."""
    attempt = call.attempt
    attempt.tenant_id, attempt.principal_type, attempt.principal_id = link.tenant_id, "setup_link", link.id
