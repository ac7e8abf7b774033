"""Encryption as a service, the versions of a tenant's key, and the moving of records from old ones."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from platforma.edge.schemas.common import Body, Timestamp, View

Context = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=128)],
        Annotated[str, StringConstraints(max_length=1024)],
    ],
    Field(max_length=16),
]
Base64 = Annotated[
    str,
    StringConstraints(max_length=1_500_000, pattern=r"^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$"),
    Field(json_schema_extra={"contentEncoding": "base64"}),
]


class Encrypt(Body):
    """What is to be encrypted (base64, 1 MiB), and what it will only decrypt with."""

    plaintext: Base64
    context: Context = {}


class Encrypted(View):
    """The ciphertext, base64."""

    ciphertext: str


class Decrypt(Body):
    """A ciphertext of ours (base64), and the context that it was made with."""

    ciphertext: Base64
    context: Context = {}


class Decrypted(View):
    """The plaintext, base64."""

    plaintext: str


class KeyVersion(View):
    """One version: whether it still opens, and how old it is in seconds."""

    version: int
    created_at: Timestamp
    age: int
    decrypts: bool


class TenantKeyView(View):
    """A tenant's key. *auto_rotate_period* is in seconds."""

    id: str
    type: Literal["aes256-gcm96"]
    latest_version: int
    min_decryption_version: int
    auto_rotate_period: int | None
    next_rotation: Timestamp | None
    versions: list[KeyVersion]


class TenantKeyList(View):
    """The tenant's keys: one."""

    items: list[TenantKeyView]
    next_cursor: str | None


class RotationPeriod(Body):
    """How old a version grows, in seconds: a day to a year."""

    auto_rotate_period: Annotated[int, Field(ge=86_400, le=31_536_000)]


class RewrapQuery(Body):
    """When the versions that nothing is under any more are destroyed: when no backup needs them, or as soon as can be."""

    trim: Literal["after_backups", "at_once"] = "after_backups"


class RecordCount(View):
    """How many records are under a version."""

    version: int
    count: int


class RewrapView(View):
    """A job; *remaining* is null until every record was met once."""

    status: Literal["running", "retired", "done"]
    target_version: int
    scanned: int
    rewrapped: int
    remaining: int | None
    oldest_version: int | None
    records: list[RecordCount]
    passes: int
    started_at: Timestamp
    retired_at: Timestamp | None
    trim_after: Timestamp | None
    done_at: Timestamp | None
