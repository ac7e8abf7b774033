"""Objects and uploads."""

from typing import Annotated

from pydantic import Field, StringConstraints

from platforma.edge.schemas.common import Body, Paging, Timestamp, View

Key = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
MediaType = Annotated[
    str,
    StringConstraints(
        min_length=3, max_length=200, pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:; ?[\x20-\x7e]+)?$"
    ),
]


class ObjectView(View):
    """An object, without its bytes."""

    id: str
    key: str
    version: int
    size: int
    content_type: str
    checksum: str
    created_at: Timestamp
    created_by: str


class ObjectList(View):
    """A page of objects."""

    items: list[ObjectView]
    next_cursor: str | None


class ObjectsQuery(Paging):
    """Objects whose keys begin with *prefix*."""

    prefix: Annotated[str, StringConstraints(max_length=1024)] = ""


class VersionQuery(Body):
    """Which version; the newest if none is named."""

    version: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,14}$")] | None = None


class UploadCreate(Body):
    """An upload to be started."""

    key: Key
    content_type: MediaType = "application/octet-stream"


class UploadView(View):
    """An upload."""

    id: str
    key: str
    content_type: str
    status: str
    created_at: Timestamp
    expires_at: Timestamp


class PartView(View):
    """A part as it is stored."""

    n: int
    size: int
    sha256: str


class PartNamed(Body):
    """A part that shall be in the object: its number, and its hash as it was told."""

    n: Annotated[int, Field(ge=1, le=2048)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class UploadComplete(Body):
    """The parts that make the object."""

    parts: Annotated[list[PartNamed], Field(min_length=1, max_length=2048)]
