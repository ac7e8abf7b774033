"""Where requests, codes, grants and consents are kept. Every read is consistent; each method may raise `Unavailable`."""

from datetime import datetime
from typing import Protocol

from platforma.kernel.events import Event
from platforma.oauth.authorization.model import AuthorizationCode, KeptRequest
from platforma.oauth.backchannel.model import Logout
from platforma.oauth.consents.model import Consent
from platforma.oauth.grants.model import Grant


class Authorizations(Protocol):
    """Requests that wait, the codes that they become, and what becomes of those."""

    def keep(self, kept: KeptRequest) -> None:
        """Keep a request."""

    def kept(self, request_id: str) -> KeptRequest | None:
        """The request of this id, expired or not."""

    def mark(self, kept: KeptRequest) -> None:
        """
        Keep what the person did in it.

        Raises:
            AlreadyUsed: it is over.
        """

    def finish(self, kept: KeptRequest, code: AuthorizationCode | None, event: Event) -> None:
        """
        Let the request be over, with the one that was pushed for it, and keep its *code*: all of it once.

        Raises:
            AlreadyUsed: one of them is over already.
        """

    def code(self, code_hash: str) -> AuthorizationCode | None:
        """The code of this hash, spent and expired ones too for a day."""

    def redeem(self, code: AuthorizationCode, grant: Grant, event: Event, logout: Logout | None = None) -> None:
        """
        Spend the code and keep the grant that it becomes, and *logout*, where its client is to be told of the session's end.

        Raises:
            AlreadyUsed: it is spent.
        """


class Grants(Protocol):
    """Grants, by id."""

    def get(self, grant_id: str) -> Grant | None:
        """The grant of this id, ended or not."""

    def of_user(self, tenant_id: str, user_id: str) -> list[Grant]:
        """Every grant of the user that has not ended."""

    def refresh(self, before: Grant, after: Grant, event: Event) -> None:
        """
        Put the generation *after* in the place of *before*.

        Raises:
            PreconditionFailed: another generation came first, or the grant has ended.
        """

    def end(self, grant: Grant, at: datetime, event: Event) -> bool:
        """End it and all that was given by it, in one write; False, and nothing written, where it has ended already."""


class Consents(Protocol):
    """What people allowed clients, one a client and person."""

    def get(self, tenant_id: str, user_id: str, client_id: str) -> Consent | None:
        """The consent."""

    def of_user(self, tenant_id: str, user_id: str, *, limit: int, after: str | None) -> tuple[list[Consent], str | None]:
        """Up to *limit* consents of the user by client id, behind the client id *after*; the second value is the next."""

    def put(self, consent: Consent, event: Event) -> None:
        """Keep it in place of the one that was there."""

    def remove(self, consent: Consent, event: Event) -> None:
        """
        Forget it.

        Raises:
            PreconditionFailed: it is not the one that is there.
        """

    def forget(self, tenant_id: str, user_id: str) -> None:
        """Leave nothing of what a person who is gone allowed; doing it again changes nothing."""
