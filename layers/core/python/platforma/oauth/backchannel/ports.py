"""What back-channel logout needs of the outside. Every read is consistent; every method may raise `Unavailable`."""

from collections.abc import Mapping
from typing import Protocol

from platforma.kernel.events import Event
from platforma.oauth.backchannel.model import Logout


class Logouts(Protocol):
    """Clients to be told of sessions' ends. They are kept with the grants that make them so, and ended with the sessions."""

    def of_session(self, session_id: str) -> list[Logout]:
        """Every client that is to be told of the end of this session, by id."""

    def get(self, session_id: str, client_id: str) -> Logout | None:
        """This client's."""

    def note(self, before: Logout, after: Logout, event: Event | None) -> None:
        """
        Keep an attempt, with the event of an outcome.

        Raises:
            AlreadyUsed: somebody noted another one since *before* was read.
        """

    def waiting(self) -> list[str]:
        """Ids of ended sessions that may have clients without an outcome: a thousand at most."""

    def settle(self, session_id: str) -> None:
        """Let the session not be waiting any more."""


class LogoutQueue(Protocol):
    """What hands out the work of telling clients, at least once."""

    def put(self, session_id: str, client_id: str, *, wait: int = 0) -> None:
        """Have the client be told, in *wait* seconds."""


class Post(Protocol):
    """Sends forms to addresses that strangers choose."""

    def post(self, url: str, form: Mapping[str, str]) -> int:
        """
        The status of the answer; a redirect is not followed.

        Raises:
            Unfetched: not a public https address, or no answer in time.
        """
