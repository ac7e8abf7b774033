"""What the endpoints accept, seen as a client sees it."""

from platforma.compliance import thresholds
from platforma.compliance.evidence.sources import Look
from platforma.compliance.model import Evidence
from platforma.compliance.ports import EndpointState
from platforma.kernel.clock import rfc3339


def outside(look: Look) -> list[Evidence]:
    """The endpoint for everybody: TLS 1.3 and nothing older, under a certificate that is believed and lasts."""
    state = look.at.endpoints.outside()
    good = state.version == "TLSv1.3" and state.older is None and state.answered and _certified(state, look)
    return [look.seen("tls_outside", good, _told(state), facts=_facts(state))]


def inside(look: Look) -> list[Evidence]:
    """The endpoint for services: TLS 1.2 or later, and nobody without a client certificate."""
    state = look.at.endpoints.inside()
    if state is None:
        return [look.seen("tls_inside", None, "There is no internal endpoint.", facts={})]
    if not state.version:
        refused = f"{state.address} refuses who has no client certificate before it agrees on a version."
        return [look.seen("tls_inside", None, refused, facts=_facts(state))]
    good = state.version in ("TLSv1.2", "TLSv1.3") and state.older is None and not state.answered and _certified(state, look)
    answered = "is answered" if state.answered else "is refused"
    told = f"{_told(state)} Who has no client certificate {answered}."
    return [look.seen("tls_inside", good, told, facts=_facts(state))]


def _certified(state: EndpointState, look: Look) -> bool:
    return state.trusted and state.certified_until is not None and state.certified_until - look.now >= thresholds.CERTIFIED


def _told(state: EndpointState) -> str:
    older = f"a client below {state.least} gets {state.older}" if state.older else f"a client below {state.least} is refused"
    until = rfc3339(state.certified_until) if state.certified_until else "unknown"
    believed = f"is believed until {until}" if state.trusted else "is not believed"
    return f"{state.address} speaks {state.version}, {older}; its certificate {believed}."


def _facts(state: EndpointState) -> dict[str, object]:
    until = rfc3339(state.certified_until) if state.certified_until else None
    return {**state._asdict(), "certified_until": until}
