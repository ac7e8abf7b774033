"""Consent: what a client asks for, in words, and the person's yes or no."""

from urllib.parse import quote

from platforma.edge.answer import Answer
from platforma.edge.pages.visit import Visit
from platforma.edge.redirects import led_on
from platforma.kernel.errors import NotFound


def show_consent(visit: Visit) -> Answer:
    """The question."""
    if visit.kept is None:
        raise NotFound("This sign-in is over. Start again from the application.")
    if (user := visit.person()) is None:
        return Answer(303, headers={"Location": f"/login?flow={quote(visit.flow, safe='')}"})
    return visit.show("consent", scopes=visit.kept.request.scope, user=user)


def consent(visit: Visit) -> Answer:
    """The answer to the question; without a plain yes it is no."""
    if visit.kept is None or visit.session is None or visit.person() is None:
        return show_consent(visit)
    visit.act_as(visit.session.user_id)
    if visit.parameters.get("answer") == "allow":
        visit.world.oauth.allow(visit.kept, session=visit.session, attempt=visit.call.attempt)
        return Answer(303, headers={"Location": f"/oauth2/authorize?flow={quote(visit.flow, safe='')}"})
    return led_on(visit.world.oauth.decline(visit.kept, attempt=visit.call.attempt), visit.words.language)
