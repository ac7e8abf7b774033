"""What this package needs of the outside: a table for what is known of objects, and a bucket for their sealed bytes."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from platforma.kernel.events import Event


class Head(NamedTuple):
    """An object's version as it is stored: *sealed* is what is known of it, *manifest* the id of that one's item."""

    id: str
    version: int
    deleted: bool
    sealed: bytes
    manifest: str


class UploadRow(NamedTuple):
    """An upload as it is stored."""

    id: str
    status: str
    sealed: bytes
    expires: int
    completed_version: int | None


class Rubbish(NamedTuple):
    """Sealed bytes that nothing needs from *due* on: those at *place*, but for the attempts that *manifest* names."""

    due: datetime
    tenant_id: str
    kind: str
    id: str
    place: str


class ObjectStore(Protocol):
    """What is known of a tenant's objects and uploads. Every method may raise `Unavailable`."""

    def head(self, tenant_id: str, object_id: str, version: int | None = None) -> Head | None:
        """The object's newest version, a deleted one too; or an older one while it is kept."""

    def heads(self, tenant_id: str, prefix: str, *, limit: int, after: str | None) -> tuple[list[Head], str | None]:
        """Newest versions whose id begins with *prefix* and sorts after *after*, and where to go on."""

    def manifest(self, tenant_id: str, manifest_id: str) -> bytes | None:
        """The sealed manifest of this id."""

    def write(
        self,
        tenant_id: str,
        head: Head,
        manifest: bytes | None,
        *,
        before: Head | None,
        rubbish: Rubbish | None,
        upload: str | None = None,
        event: Event,
    ) -> None:
        """
        Make *head* the newest version in *before*'s place, which is kept beside it; with *upload*, complete that one.

        Raises:
            PreconditionFailed: another version than *before* stands.
            UploadEnded: the upload is open no more.
        """

    def start(self, tenant_id: str, row: UploadRow, rubbish: Rubbish, event: Event) -> None:
        """Store a new upload."""

    def upload(self, tenant_id: str, upload_id: str) -> UploadRow | None:
        """The upload of this id."""

    def put_part(self, tenant_id: str, upload_id: str, number: int, sealed: bytes, event: Event) -> None:
        """
        Store what is known of a part, in an earlier sending's place.

        Raises:
            UploadEnded: the upload is open no more.
        """

    def parts(self, tenant_id: str, upload_id: str) -> dict[int, bytes]:
        """What is known of the parts, by number, sealed."""

    def abort(self, tenant_id: str, upload_id: str, event: Event) -> None:
        """
        End an open upload.

        Raises:
            UploadEnded: it is open no more.
        """

    def due(self, now: datetime) -> Sequence[Rubbish]:
        """Rubbish that is due, not necessarily all of it."""

    def forget(self, rubbish: Rubbish) -> None:
        """Remove what is known of *rubbish*, after its bytes are gone."""


class Bucket(Protocol):
    """Sealed bytes. Every method may raise `Unavailable`."""

    def put(self, tenant_id: str, name: str, body: bytes | bytearray) -> None:
        """Store bytes of this tenant under a name that was never used, as one who may store no other's."""

    def get(self, tenant_id: str, name: str, start: int, end: int) -> bytes:
        """
        The bytes from *start* up to *end*, in order, as one who may read this tenant's and no other's.

        Raises:
            DoesNotOpen: there are none, or not so many.
        """

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with *prefix*."""

    def delete(self, names: Sequence[str]) -> None:
        """Remove these, every version of them."""
