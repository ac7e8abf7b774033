"""One-time links and letters in memory."""

from threading import Lock

from platforma.adapters.memory.identity.directory import MemoryDirectory
from platforma.adapters.memory.identity.store import MemoryIdentity
from platforma.identity.errors import LinkSpent
from platforma.identity.links import Link, LinkRequest
from platforma.identity.mail import Letter
from platforma.identity.model import User
from platforma.kernel.events import Event


class MemoryLinks:
    """`Links`."""

    def __init__(self, store: MemoryIdentity, directory: MemoryDirectory) -> None:
        self._store, self._directory = store, directory
        self._links: dict[str, Link] = {}
        self._lock = Lock()

    def add(self, link: Link, event: Event) -> None:
        """See `Links.add`."""
        self._store.commit(event)
        self._links[link.digest] = link

    def find(self, digest: str) -> Link | None:
        """See `Links.find`."""
        return self._links.get(digest)

    def spend(self, link: Link, before: User, after: User, password_hash: str, event: Event) -> None:
        """See `Links.spend`."""
        with self._lock:
            if link.digest not in self._links:
                raise LinkSpent
            self._directory.set_password(before, after, password_hash, event)
            del self._links[link.digest]


class MemoryLinkRequests:
    """`LinkRequests`: what was *put* and not yet taken."""

    def __init__(self) -> None:
        self.put_there: list[LinkRequest] = []

    def put(self, request: LinkRequest) -> None:
        """See `LinkRequests.put`."""
        self.put_there.append(request)


class MemoryMailer:
    """`Mailer`: what was *sent*, newest last."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Letter]] = []

    def send(self, to: str, letter: Letter) -> None:
        """See `Mailer.send`."""
        self.sent.append((to, letter))
