"""
What SSO asks of storage, Vault, DNS and other sites.

Every write takes the event that tells of it and commits both in one transaction, or raises and commits nothing. Every read
is consistent.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from platforma.identity.model import Page
from platforma.kernel.events import Event
from platforma.sso.key_pair import KeyPair
from platforma.sso.model import Connection, Domain, ProviderSession
from platforma.sso.traces import Trace


class Connections(Protocol):
    """Every connection, found by its id before its tenant is known."""

    def get(self, connection_id: str) -> Connection | None:
        """The connection."""

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Connection]:
        """A tenant's connections by id, which is by age."""

    def add(self, connection: Connection, event: Event) -> None:
        """Keep a new connection."""

    def replace(self, before: Connection, after: Connection, event: Event | None) -> None:
        """
        Change a connection. Without an *event* nothing but `saml.refreshed_at` may differ.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
        """

    def remove(self, connection: Connection, event: Event) -> None:
        """
        Delete a connection, and move the tenant's revocation version: its directory's tokens end with it.

        Raises:
            PreconditionFailed: its version is not that of *connection* any more, or it is gone.
        """

    def every(self) -> Iterator[Connection]:
        """Those of all tenants, lazily."""


class ProviderKeys(Protocol):
    """The keys that we are a connection's service provider with, sealed under its tenant's key; gone with the connection."""

    def read(self, connection: Connection) -> tuple[tuple[KeyPair, ...], int]:
        """The pairs, the current one first, and their version; none and 0 where there are none yet."""

    def put(self, connection: Connection, pairs: Sequence[KeyPair], *, replacing: int) -> None:
        """
        Put *pairs* in the place of those of the version *replacing*.

        Raises:
            PreconditionFailed: they have another version, or the connection is gone.
        """


class ProviderSessions(Protocol):
    """By which provider, and as whom, the sessions began that did so; for as long as they may live."""

    def keep(self, known: ProviderSession) -> None:
        """Keep one, in place of what was known of the session."""

    def of(self, tenant_id: str, session_id: str) -> ProviderSession | None:
        """The one of this session."""


class Traces(Protocol):
    """What became of sign-ins, by connection, for a week."""

    def keep(self, trace: Trace) -> None:
        """Keep one."""

    def latest(self, tenant_id: str, connection_id: str, *, limit: int) -> Sequence[Trace]:
        """The newest ones first."""


class Domains(Protocol):
    """Claims of domains, and whose a domain is."""

    def get(self, tenant_id: str, name: str) -> Domain | None:
        """The tenant's claim."""

    def page(self, tenant_id: str, *, limit: int, after: str | None) -> Page[Domain]:
        """A tenant's claims, by name."""

    def owner(self, name: str) -> str | None:
        """The id of the one tenant that proved the domain or was vouched for."""

    def add(self, domain: Domain, event: Event) -> None:
        """
        Keep a new claim.

        Raises:
            Conflict: the tenant has claimed the domain already.
            DomainTaken: it is owned at once (vouched for), and is another tenant's.
        """

    def replace(self, before: Domain, after: Domain, event: Event | None) -> None:
        """
        Change a claim; one that becomes owned takes the domain, and one that ceases to be sets it free.

        Without an *event* nothing but `checked_at` may differ.

        Raises:
            PreconditionFailed: its version is not that of *before* any more, or it is gone.
            DomainTaken: it becomes owned, and is another tenant's.
        """

    def remove(self, domain: Domain, event: Event) -> None:
        """
        Give up a claim, and the domain if it was owned.

        Raises:
            PreconditionFailed: its version is not that of *domain* any more, or it is gone.
        """

    def proved(self) -> Iterator[Domain]:
        """The claims of all tenants that are proved (vouched ones are not checked again), lazily."""


class DNS(Protocol):
    """The domain name system, as a resolver that we trust tells of it."""

    def texts(self, name: str) -> Sequence[str]:
        """
        The TXT records at *name*, each its strings joined (RFC 1035 section 3.3.14); none where there are none.

        Raises:
            Unavailable: no answer, which says nothing of the records.
        """


class ProviderSecrets(Protocol):
    """Secrets that identity providers gave us, kept in Vault."""

    def keep_provider_secret(self, tenant_id: str, reference: str, secret: str) -> None:
        """
        Keep a secret under a fresh *reference*.

        Raises:
            Unavailable: Vault is sealed or gone.
        """

    def read_provider_secret(self, tenant_id: str, reference: str) -> str:
        """
        The secret.

        Raises:
            Unavailable: Vault is sealed or gone, or has no such secret.
        """

    def forget_provider_secret(self, tenant_id: str, reference: str) -> None:
        """
        Destroy the secret; one that is gone is success too.

        Raises:
            Unavailable: Vault is sealed or gone.
        """


class Answered(Protocol):
    """A status and a body, bounded in size."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> bytes:
        """The body."""


class Calls(Protocol):
    """As `Fetch`, with a method, a body and headers."""

    def send(
        self, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answered:
        """
        The answer, whatever its status.

        Raises:
            Unfetched: no public https address, or no answer in time and size.
        """


class Fetch(Protocol):
    """Addresses that strangers choose, called as `platforma.adapters.fetch` does."""

    def get(self, url: str) -> bytes:
        """
        The body behind *url*.

        Raises:
            Unfetched: no public https address, or no good answer from it.
        """
