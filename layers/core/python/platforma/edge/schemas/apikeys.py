"""API keys."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints

from platforma.edge.schemas.common import Body, Name, Scopes, Timestamp, View
from platforma.edge.schemas.policy import DecisionContext, ResourceRef

Networks = Annotated[list[Annotated[str, StringConstraints(min_length=2, max_length=64)]], Field(max_length=50)]


class RateLimit(Body):
    """At most *limit* uses a period."""

    limit: Annotated[int, Field(ge=1, le=1_000_000_000)]
    period_seconds: Annotated[int, Field(ge=1, le=31 * 86_400)]


class Owner(Body):
    """On whose behalf a key acts."""

    type: Literal["user", "oauth_client"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class KeyCreate(Body):
    """A key to be issued; the caller owns it unless *owner* says otherwise."""

    name: Name
    environment: Literal["live", "test"]
    scopes: Scopes
    expires_at: Timestamp | None = None
    expires_in: Annotated[int, Field(ge=1, le=315_360_000)] | None = None
    ip_range: Networks = []
    rate_limit: RateLimit | None = None
    owner: Owner | None = None


class KeyPatch(Body):
    """What may be changed of a key; what is left out stays."""

    name: Name | None = None
    scopes: Scopes | None = None
    enabled: bool | None = None
    ip_range: Networks | None = None
    rate_limit: RateLimit | None = None
    expires_at: Timestamp | None = None


class KeyRotate(Body):
    """How long the old key lives on."""

    grace_period_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 3600
    until_used: bool = False


class OwnerView(View):
    """On whose behalf a key acts."""

    type: str
    id: str


class SharedLimitView(View):
    """A limit that all keys of *holder* share: of a user, of a client, or of a whole tenant."""

    holder: OwnerView
    limit: int
    period_seconds: int


class KeyView(View):
    """A key, without its secret."""

    id: str
    prefix: str
    name: str
    environment: str
    scopes: list[str]
    owner: OwnerView
    ip_range: list[str]
    rate_limit: dict[str, int] | None
    status: str
    enabled: bool
    expires_at: Timestamp | None
    created_at: Timestamp
    last_used_at: Timestamp | None
    last_used_ip: str | None
    created_by: str
    revoked_at: Timestamp | None
    predecessor_id: str | None
    successor_id: str | None


class KeyCreated(KeyView):
    """A new key; *key* is shown this once."""

    key: str


class KeyList(View):
    """A page of keys."""

    items: list[KeyView]
    next_cursor: str | None


class KeyUsageQuery(Body):
    """Since when, and until when; the last 90 days if it is not said."""

    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None


class OperationUse(View):
    """How often an operation was allowed and denied, and when it was asked for last."""

    action: str
    allowed: int
    denied: int
    last_used_at: Timestamp


class AddressUse(View):
    """How many requests came from an address; an erased or unknown one is `unknown`."""

    ip_address: str
    requests: int


class KeyUsage(View):
    """What a key was used for. *narrowest_scopes* may be sent as its scopes; null where they might not do."""

    key_id: str
    from_: Annotated[Timestamp, Field(alias="from")]
    to: Timestamp
    complete: bool
    operations: list[OperationUse]
    denials: int
    addresses: list[AddressUse]
    unused_scopes: list[str]
    narrowest_scopes: list[str] | None


class LeakReport(BaseModel):
    """A key as a scanner found it; what else the scanner says is its own."""

    model_config = ConfigDict(extra="ignore", strict=True)

    token: Annotated[str, StringConstraints(max_length=4096)]
    type: Annotated[str, StringConstraints(max_length=256)] = ""
    url: Annotated[str, StringConstraints(max_length=8192)] = ""
    source: Annotated[str, StringConstraints(max_length=256)] = ""


class LeakReports(RootModel[list[LeakReport]]):
    """What a scanner sends."""


class LeakLabel(View):
    """Whether what was found is a key. *token_hash* is SHA-256 of the text, in hexadecimal."""

    token_hash: str
    token_type: str
    label: Literal["true_positive", "false_positive"]


class LeakLabels(RootModel[list[LeakLabel]]):
    """The answer to a scanner."""


class LeakResponse(Body):
    """What is done with a key that leaked: it is revoked at once, or its tenant is only told."""

    response: Literal["revoke", "notify"]


class LeakResponseView(View):
    """What is done with a key that leaked."""

    response: str


class KeyVerify(Body):
    """A key to be checked, and what its bearer wants to do."""

    key: str
    action: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    resource: ResourceRef | Annotated[str, StringConstraints(min_length=1, max_length=321)] | None = None
    context: DecisionContext = DecisionContext()
    cost: Annotated[int, Field(ge=0, le=1_000_000)] = 1


class KeyVerified(View):
    """What a key is worth now. All but *valid* and *code* is null where the key is not the caller's tenant's."""

    valid: bool
    code: str
    key_id: str | None = None
    tenant_id: str | None = None
    environment: str | None = None
    scopes: list[str] | None = None
    expires_at: Timestamp | None = None
    rate_limit: dict[str, Any] | None = None
