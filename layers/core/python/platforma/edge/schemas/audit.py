"""Audit events."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel, StringConstraints

from platforma.edge.schemas.common import Body, Cursor, Paging, ResourceID, Timestamp, View
from platforma.edge.schemas.identity import RoleSourceView, UserView


class EventQuery(Paging):
    """
    Which events; all filters must match. `action` may be a beginning that ends in `.*`; from `principal_type` on, what is
    asked for may be any beginning that ends in `*`.
    """

    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None
    user_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    action: Annotated[str, StringConstraints(max_length=200)] | None = None
    resource: ResourceID | None = None
    result: Literal["success", "denied", "failure", "error"] | None = None
    ip_address: Annotated[str, StringConstraints(max_length=64)] | None = None
    request_id: Annotated[str, StringConstraints(max_length=128)] | None = None
    q: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    principal_type: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    principal_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    source: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None
    resource_type: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    client_request_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    user_agent: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    order: Literal["asc", "desc"] = "desc"


class EventView(View):
    """One event."""

    id: str
    timestamp: Timestamp
    tenant_id: str
    user_id: str | None
    action: str
    resource: str | None
    result: str
    ip_address: str | None
    user_agent: str | None
    request_id: str
    source: str
    principal_type: str
    principal_id: str | None
    received_at: Timestamp
    part: int | None = None
    client_request_id: str | None = None
    resource_type: str | None = None
    reason: str | None = None
    changes: dict[str, Any] | None = None
    decision: dict[str, Any] | None = None
    sequence: int | None = None


class EventList(View):
    """A page of events."""

    items: list[EventView]
    next_cursor: str | None


class ExternalEvents(RootModel[list[dict[str, Any]] | dict[str, Any]]):
    """One event of another service, or up to 100; their fields are checked one by one."""

    model_config = ConfigDict(strict=True)


class ExternalWritten(View):
    """The ids under which the events stand in the log, in the order in which they were sent."""

    ids: list[str]


class ProofView(View):
    """An inclusion proof (RFC 6962 section 2.1.1) against a signed checkpoint; hashes in base64."""

    log_id: str
    leaf_index: int
    tree_size: int
    leaf_hash: str
    hashes: list[str]
    entry: str
    checkpoint: str


class DisclosureQuery(Body):
    """
    Which personal fields are told, by their paths in the event (`ip_address`, `changes/after/email`), separated by commas:
    all that are left if nothing is said, and none with `none`.
    """

    fields: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None


class DisclosureView(View):
    """
    One event for a third party. *salts* open the entry's commitments to the personal values that are told; *keys* are the
    log's, to be compared with those that its owner publishes. `python -m platforma.audit verify <file>` verifies it.
    """

    format: Literal["platforma audit disclosure 1"]
    log_id: str
    event: dict[str, Any]
    entry: str
    salts: dict[str, str]
    leaf_index: int
    tree_size: int
    hashes: list[str]
    checkpoint: str
    keys: list[str]


class LogView(View):
    """A log, and how many of its entries a checkpoint covers."""

    id: str
    origin: str
    size: int


class LogList(View):
    """The tenant's logs."""

    items: list[LogView]
    next_cursor: str | None


class LogKeys(View):
    """C2SP signed-note verifier keys, the current one first."""

    keys: list[str]


class ConsistencyQuery(Body):
    """Which two sizes; query values are text."""

    log: Annotated[str, StringConstraints(max_length=64)] | None = None
    from_: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$"), Field(alias="from")]
    to: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")] | None = None


class ConsistencyView(View):
    """A consistency proof (RFC 6962 section 2.1.2) between two signed checkpoints; hashes in base64."""

    log_id: str
    from_: Annotated[int, Field(alias="from")]
    to: int
    hashes: list[str]
    from_checkpoint: str
    to_checkpoint: str


class CompletenessQuery(Body):
    """Between which two moments, 31 days apart at most."""

    from_: Annotated[Timestamp, Field(alias="from")]
    to: Timestamp


class CompletenessView(View):
    """How many requests were seen, how many have an event, and the ids of those that have none, as far as reconciled."""

    from_: Annotated[Timestamp, Field(alias="from")]
    to: Timestamp
    reconciled_until: Timestamp
    requests_seen: int
    events_found: int
    missing: list[str]
    missing_count: int


class Retention(Body):
    """Calendar years after its newest event that an object of the log is locked for; and not let go while it is held."""

    years: Annotated[int, Field(ge=1, le=100)]
    legal_hold: bool = False


class RetentionView(View):
    """How long the log is kept. *applied* says whether what lay there before the last change is locked by it too."""

    years: int
    legal_hold: bool
    version: int
    changed_at: Timestamp | None
    applied: bool


class ExportFilter(Body):
    """Which events, as in a search."""

    user_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    action: Annotated[str, StringConstraints(max_length=200)] | None = None
    resource: ResourceID | None = None
    result: Literal["success", "denied", "failure", "error"] | None = None
    ip_address: Annotated[str, StringConstraints(max_length=64)] | None = None
    request_id: Annotated[str, StringConstraints(max_length=128)] | None = None
    q: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    principal_type: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    principal_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    source: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None
    resource_type: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    client_request_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    user_agent: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class NewExport(Body):
    """What to export, and how."""

    format: Literal["jsonl", "csv", "parquet", "ocsf"]
    from_: Annotated[Timestamp, Field(alias="from")]
    to: Timestamp
    filter: ExportFilter | None = None


class ExportFile(View):
    """A file of an export; the URL is good for 15 minutes, and new whenever it is asked for."""

    name: str
    url: str
    sha256: str
    size: int
    events: int


class ExportQuery(Body):
    """From where on to list an export's files, of which an answer names a thousand at most."""

    cursor: Cursor | None = None


class ExportView(View):
    """
    An export. Files and manifest are there once it is done; where there is a `next_cursor`, the export read with it has more
    files.
    """

    id: str
    format: str
    from_: Annotated[Timestamp, Field(alias="from")]
    to: Timestamp
    filter: dict[str, str]
    status: Literal["queued", "running", "done", "failed"]
    requested_by: str
    created_at: Timestamp
    expires_at: Timestamp
    events: int
    reason: str | None
    files: list[ExportFile]
    next_cursor: str | None
    manifest_url: str | None


class ExportList(View):
    """A page of exports, newest first."""

    items: list[ExportView]
    next_cursor: str | None


_Role = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$", max_length=600)
]


class HTTPSDestination(Body):
    """An endpoint that anybody may reach."""

    type: Literal["https"]
    url: Annotated[str, StringConstraints(min_length=9, max_length=2048)]


class S3Destination(Body):
    """A bucket of the customer's, written to as a role of the customer's that trusts us with the *external_id*."""

    type: Literal["s3"]
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]+[a-z0-9]$", max_length=63)]
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(?:-[a-z]+)+-[0-9]$")]
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!_.*'()/=-]*$", max_length=200)] = ""
    role_arn: _Role


class EventBridgeDestination(Body):
    """An event bus of the customer's, sent to as such a role."""

    type: Literal["eventbridge"]
    event_bus_arn: Annotated[
        str,
        StringConstraints(
            pattern=r"^arn:aws[a-z-]*:events:[a-z]{2}(?:-[a-z]+)+-[0-9]:[0-9]{12}:event-bus/[A-Za-z0-9_./-]+$",
            max_length=400,
        ),
    ]
    role_arn: _Role


Destination = Annotated[HTTPSDestination | S3Destination | EventBridgeDestination, Field(discriminator="type")]


_Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class NewStream(Body):
    """A stream of the tenant's events."""

    name: _Name
    destination: Destination
    format: Literal["jsonl", "ocsf"] = "jsonl"
    enabled: bool = True


class StreamChange(Body):
    """What is to be otherwise; `enabled: true` also resumes a stream that was suspended."""

    name: _Name | None = None
    destination: Destination | None = None
    format: Literal["jsonl", "ocsf"] | None = None
    enabled: bool | None = None


class Replay(Body):
    """From which event of which log on (the tenant's first one if not said)."""

    log: Annotated[str, StringConstraints(max_length=64)] | None = None
    from_sequence: Annotated[int, Field(ge=0, lt=2**53)]


class StreamPlace(View):
    """The sequence of the event that is delivered next, and how many are behind."""

    log: str
    next_sequence: int
    behind: int


class StreamHealth(View):
    """How it goes. One whose receiver is down for seven days is *suspended*, and goes on where it stopped once resumed."""

    status: Literal["new", "healthy", "failing", "suspended", "disabled"]
    delivered_at: Timestamp | None
    failing_since: Timestamp | None
    tries: int
    next_try_at: Timestamp | None
    error: str | None
    logs: list[StreamPlace]


class StreamView(View):
    """A stream. Messages are signed as Standard Webhooks 1.0 has it; the secret is never shown again."""

    id: str
    name: str
    destination: Destination
    external_id: str
    format: Literal["jsonl", "ocsf"]
    enabled: bool
    created_at: Timestamp
    created_by: str
    former_secret_until: Timestamp | None
    health: StreamHealth


class StreamMade(StreamView):
    """A stream, with the secret that its messages are signed by."""

    secret: str


class StreamList(View):
    """A page of streams, oldest first."""

    items: list[StreamView]
    next_cursor: str | None


class NewWitness(Body):
    """Its verifier key, `<name>+<id>+<base64>` (C2SP tlog-cosignature), and the prefix that it takes checkpoints under."""

    verifier_key: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    url: Annotated[str, StringConstraints(min_length=9, max_length=2048)]


class WitnessedLog(View):
    """How it stands with a log. *contradicts* says that the witness saw another log of this name than there is."""

    log: str
    cosigned_size: int
    cosigned_at: Timestamp | None
    checkpoint_size: int
    failing_since: Timestamp | None
    tries: int
    next_try_at: Timestamp | None
    error: str | None
    contradicts: bool


class WitnessHealth(View):
    """How it goes, by the logs of the tenant that chose it; of the platform's own, *others_failing* counts tenants' logs."""

    status: Literal["new", "healthy", "failing", "contradicted"]
    logs: list[WitnessedLog]
    others_failing: int


class WitnessView(View):
    """A witness."""

    id: str
    name: str
    verifier_key: str
    url: str
    created_at: Timestamp
    created_by: str
    health: WitnessHealth


class WitnessList(View):
    """A page of witnesses, oldest first."""

    items: list[WitnessView]
    next_cursor: str | None


class DataExport(View):
    """
    All that is known of a person: *kept* on the first page alone, by what it is; on every page events that tell of them,
    without the address and agent of whoever else acted.
    """

    user: UserView
    roles: list[RoleSourceView]
    kept: dict[str, list[dict[str, Any]]]
    events: list[EventView]
    next_cursor: str | None


class ErasureView(View):
    """
    An erasure, and its certificate once it is done: *before* and *after* are the logs' signed checkpoints; a consistency
    proof between their sizes shows that the log itself was not changed.
    """

    user_id: str
    tenant_id: str
    status: Literal["accepted", "erased", "done"]
    requested_by: str
    requested_at: Timestamp
    erased_at: Timestamp | None
    rewritten: int
    cold_rewritten: int
    exports_remade: int
    before: dict[str, str]
    after: dict[str, str]
