"""People allow clients what they ask, see it, and take it back."""

from collections.abc import Iterable

from platforma.kernel.clock import Clock
from platforma.kernel.errors import NotFound, PreconditionFailed
from platforma.kernel.events import Attempt
from platforma.oauth.authorization.ports import Consents, Grants
from platforma.oauth.consents.model import Consent
from platforma.oauth.sessions.model import Session

_RACES = 3


def list_consents(
    tenant_id: str, user_id: str, *, limit: int, after: str | None, consents: Consents
) -> tuple[list[Consent], str | None]:
    """A page of what the user allowed, and the position that the next one begins behind."""
    return consents.of_user(tenant_id, user_id, limit=limit, after=after)


def get_consent(tenant_id: str, user_id: str, client_id: str, *, consents: Consents) -> Consent:
    """
    What the user allowed the client.

    Raises:
        NotFound: nothing.
    """
    consent = consents.get(tenant_id, user_id, client_id)
    if consent is None:
        raise NotFound
    return consent


def record_consent(
    session: Session,
    client_id: str,
    scope: Iterable[str],
    *,
    attempt: Attempt,
    consents: Consents,
    clock: Clock,
    part: int = 1,
) -> Consent:
    """Keep that the person of *session* allows the client *scope*, besides what they allowed before."""
    now, before = clock(), consents.get(session.tenant_id, session.user_id, client_id)
    known = before or Consent(session.tenant_id, session.user_id, client_id, (), now, now)
    consent = known.widened(scope, now)
    changes = {"before": {"scopes": list(before.scopes)} if before else None, "after": {"scopes": list(consent.scopes)}}
    event = attempt.event("success", resource=client_id, resource_type="oauth_client", changes=changes, part=part)
    consents.put(consent, event)
    return consent


def revoke_consent(
    tenant_id: str, user_id: str, client_id: str, *, attempt: Attempt, consents: Consents, grants: Grants, clock: Clock
) -> list[str]:
    """
    Take back what the user allowed the client, with every grant that it got; the ids of the grants that ended.

    The consent goes first, so that no new grant is given in between; what is left by a call that was cut off, another ends.

    Raises:
        NotFound: the user allowed the client nothing, and it holds nothing.
    """
    gone = _remove(tenant_id, user_id, client_id, attempt, consents)
    held = [grant for grant in grants.of_user(tenant_id, user_id) if grant.client_id == client_id]
    if not gone and not held:
        raise NotFound
    ended = []
    for part, grant in enumerate(held, start=2 if gone else 1):
        event = attempt.event("success", resource=grant.id, resource_type="grant", part=part)
        if grants.end(grant, clock(), event):
            ended.append(grant.id)
    return ended


def _remove(tenant_id: str, user_id: str, client_id: str, attempt: Attempt, consents: Consents) -> bool:
    for _ in range(_RACES):
        consent = consents.get(tenant_id, user_id, client_id)
        if consent is None:
            return False
        changes = {"before": {"scopes": list(consent.scopes)}}
        try:
            consents.remove(
                consent, attempt.event("success", resource=client_id, resource_type="oauth_client", changes=changes)
            )
        except PreconditionFailed:
            continue
        return True
    raise PreconditionFailed
