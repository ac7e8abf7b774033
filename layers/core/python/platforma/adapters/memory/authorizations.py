"""Authorization requests, codes, grants and consents in memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from threading import Lock

from platforma.adapters.memory.logouts import MemoryLogouts
from platforma.adapters.memory.sessions import MemoryRevocations
from platforma.kernel.errors import AlreadyUsed, PreconditionFailed
from platforma.kernel.events import Event, entered
from platforma.oauth.authorization.model import AuthorizationCode, KeptRequest
from platforma.oauth.backchannel.model import Logout
from platforma.oauth.consents.model import Consent
from platforma.oauth.grants.model import Grant


class MemoryGrants:
    """`platforma.oauth.authorization.ports.Grants`."""

    def __init__(self, revocations: MemoryRevocations, logouts: MemoryLogouts) -> None:
        self.revocations = revocations
        self.kept: dict[str, Grant] = {}
        self._logouts = logouts
        self._lock = Lock()

    def get(self, grant_id: str) -> Grant | None:
        """The grant of this id."""
        return self.kept.get(grant_id)

    def keep(self, grant: Grant, logout: Logout | None) -> None:
        """As a part of another write."""
        self.kept[grant.id] = grant
        if logout is not None:
            self._logouts.keep(logout)

    def of_user(self, tenant_id: str, user_id: str) -> list[Grant]:
        """Every grant of the user that has not ended."""
        mine = [
            each
            for each in list(self.kept.values())
            if (each.tenant_id, each.user_id) == (tenant_id, user_id) and each.ended_at is None
        ]
        return sorted(mine, key=lambda grant: grant.created_at)

    def refresh(self, before: Grant, after: Grant, event: Event) -> None:
        """Put the generation *after* in the place of *before*."""
        with self._lock:
            kept = self.kept.get(before.id)
            if kept is None or kept.ended_at is not None or kept.generation != before.generation:
                raise PreconditionFailed
            self.kept[after.id] = after
            self.revocations.enter(event)

    def end(self, grant: Grant, at: datetime, event: Event) -> bool:
        """End it and all that was given by it."""
        with self._lock:
            kept = self.kept.get(grant.id)
            if kept is None or kept.ended_at is not None:
                return False
            self.kept[grant.id] = replace(kept, ended_at=at, spent=None)
            self.revocations.note(grant.tenant_id, grant.id)
            self.revocations.enter(event)
            return True


class MemoryAuthorizations:
    """`platforma.oauth.authorization.ports.Authorizations`."""

    def __init__(self, grants: MemoryGrants) -> None:
        self._grants = grants
        self._requests: dict[str, KeptRequest] = {}
        self._codes: dict[str, AuthorizationCode] = {}
        self._lock = Lock()

    def keep(self, kept: KeptRequest) -> None:
        """Keep a request."""
        with self._lock:
            if kept.id in self._requests:
                raise AlreadyUsed
            self._requests[kept.id] = kept

    def kept(self, request_id: str) -> KeptRequest | None:
        """The request of this id."""
        return self._requests.get(request_id)

    def mark(self, kept: KeptRequest) -> None:
        """Keep what the person did in it."""
        with self._lock:
            if kept.id not in self._requests:
                raise AlreadyUsed
            self._requests[kept.id] = kept

    def finish(self, kept: KeptRequest, code: AuthorizationCode | None, event: Event) -> None:
        """Let the request be over."""
        over = [each for each in (kept.id, kept.pushed) if each is not None]
        with self._lock:
            if any(each not in self._requests for each in over) or (code is not None and code.hash in self._codes):
                raise AlreadyUsed
            for each in over:
                del self._requests[each]
            if code is not None:
                self._codes[code.hash] = code
            self._grants.revocations.enter(event)

    def code(self, code_hash: str) -> AuthorizationCode | None:
        """The code of this hash."""
        return self._codes.get(code_hash)

    def redeem(self, code: AuthorizationCode, grant: Grant, event: Event, logout: Logout | None = None) -> None:
        """Spend the code and keep the grant that it becomes."""
        with self._lock:
            if self._codes[code.hash].spent:
                raise AlreadyUsed
            self._codes[code.hash] = replace(code, spent=True)
            self._grants.keep(grant, logout)
            self._grants.revocations.enter(event)


class MemoryConsents:
    """`platforma.oauth.authorization.ports.Consents`. *record* gets each event."""

    def __init__(self, record: Callable[[Event], None] = lambda _: None) -> None:
        self._record = record
        self._kept: dict[tuple[str, str, str], Consent] = {}
        self._lock = Lock()

    def get(self, tenant_id: str, user_id: str, client_id: str) -> Consent | None:
        """The consent."""
        return self._kept.get((tenant_id, user_id, client_id))

    def of_user(self, tenant_id: str, user_id: str, *, limit: int, after: str | None) -> tuple[list[Consent], str | None]:
        """A page of the user's consents."""
        mine = sorted(
            (each for each in list(self._kept.values()) if (each.tenant_id, each.user_id) == (tenant_id, user_id)),
            key=lambda consent: consent.client_id,
        )
        rest = [each for each in mine if each.client_id > (after or "")]
        return rest[:limit], rest[limit - 1].client_id if len(rest) > limit else None

    def put(self, consent: Consent, event: Event) -> None:
        """Keep it in place of the one that was there."""
        with self._lock:
            self._kept[(consent.tenant_id, consent.user_id, consent.client_id)] = consent
            self._enter(event)

    def remove(self, consent: Consent, event: Event) -> None:
        """Forget it."""
        with self._lock:
            if self._kept.get((consent.tenant_id, consent.user_id, consent.client_id)) != consent:
                raise PreconditionFailed
            del self._kept[(consent.tenant_id, consent.user_id, consent.client_id)]
            self._enter(event)

    def forget(self, tenant_id: str, user_id: str) -> None:
        """Leave nothing of the person's."""
        with self._lock:
            for place in [place for place in self._kept if place[:2] == (tenant_id, user_id)]:
                del self._kept[place]

    def _enter(self, event: Event) -> None:
        self._record(event)
        entered((event,))
