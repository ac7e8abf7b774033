"""The values of a decision (who asks, what is asked, what is answered), and policies as they are stored."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

SubjectType = Literal["user", "api_key", "oauth_client", "service"]
AttachmentType = Literal["tenant", "role", "group", "user", "api_key", "oauth_client"]
Environment = Literal["live", "test"]
Effect = Literal["allow", "deny"]
Standing = Literal["active", "unknown", "suspended", "expired"]
Kind = Literal["allow", "explicit_deny", "no_match", "cap", "suspended"]
Cause = Literal[
    "grant",
    "statement",
    "unknown",
    "suspended",
    "expired",
    "environment",
    "deny_statement",
    "no_match",
    "unknown_domain",
    "scope",
    "owner",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """
    A principal as it stands: a user, a key or a client, with all that its tenant's directory says of it.

    *roles* are its own and its groups'. *standing* is that of tenant, principal and credential together.
    A key has its *owner*, whose roles, groups and attributes are used in place of its own. *client_id* is the client that a
    user's token came through (for a token of the client itself it may be its own id). *scopes* are action patterns;
    None means no cap (a sign-in session, or a principal that is only asked about). *vouched* says that a caller asserts the
    attributes, in place of the directory's. *first_party* says that the client, or the client through which a user's token
    came, is the tenant's own.
    """

    type: SubjectType
    id: str
    tenant_id: str
    standing: Standing = "active"
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    scopes: tuple[str, ...] | None = None
    environment: Environment | None = None
    owner: "Subject | None" = None
    client_id: str | None = None
    mfa: bool | None = None
    vouched: bool = False
    first_party: bool = False

    @property
    def active(self) -> bool:
        """Whether tenant, principal and credential are all known, active and unexpired."""
        return self.standing == "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """
    The circumstances. *time* has a zone and is the server's, unless the caller may assert one; None if what the caller
    asserted is no time.

    *environment* is the protected API's, else the registered resource's, else what the caller's context says.
    *mfa* is whether the caller signed in with a second factor; None defers to what the subject's credential says.
    """

    time: datetime | None
    ip_address: str | None = None
    mfa: bool | None = None
    environment: Environment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What is asked. *action* is an operation (`infrastructure.clusters.create`) or a bare permission (`orders:manage`).

    Without *resource_id* the question is about the type as a whole. *own_api* says that the operation is one of this API's
    own, even if it is only asked about; operations of the control domains always are.
    """

    action: str
    context: Context
    resource_type: str | None = None
    resource_id: str | None = None
    resource_attributes: Mapping[str, Any] = field(default_factory=dict)
    action_attributes: Mapping[str, Any] = field(default_factory=dict)
    own_api: bool = False


class Match(NamedTuple):
    """A grant of a role, or a statement of a policy, that decided. *statement* is the grant, or the statement's index."""

    effect: Effect
    statement: str | int
    role: str | None = None
    policy_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """`{"policy_id" | "role", "statement", "effect"}`."""
        source = {"role": self.role} if self.role is not None else {"policy_id": self.policy_id}
        return {**source, "statement": self.statement, "effect": self.effect}


class Decision(NamedTuple):
    """
    An answer. It is a tuple and not a dataclass because making it is a good part of the cost of a decision.

    *matched* holds what decided, at most `MAX_MATCHED` of it. *nearest* is set only for explained denials and shown only to
    callers with `settings:read`. *cause* is finer than *kind*.
    """

    allowed: bool
    kind: Kind
    cause: Cause
    matched: tuple[Match, ...]
    policy_set: str
    decision_id: str = ""
    nearest: tuple[Mapping[str, Any], ...] | None = None

    @property
    def reason(self) -> str:
        """A plain sentence, which tells nothing of the policies."""
        return _REASONS[self.cause]

    def as_json(self, *, nearest: bool = False) -> dict[str, Any]:
        """The answer of `/v1/authorize`; *nearest* is for those with `settings:read`."""
        document: dict[str, Any] = {
            "decision": "allow" if self.allowed else "deny",
            "decision_id": self.decision_id,
            "kind": self.kind,
            "reason": self.reason,
            "matched": [match.as_json() for match in self.matched],
            "policy_set": self.policy_set,
        }
        if nearest and self.nearest is not None:
            document["nearest"] = [dict(one) for one in self.nearest]
        return document


MAX_MATCHED = 16
MAX_TOLD = 8192

_REASONS: Mapping[str, str] = {
    "grant": "A role of the principal allows this.",
    "statement": "A policy statement allows this.",
    "unknown": "The principal or its tenant is not known.",
    "suspended": "The principal or its tenant is not active.",
    "expired": "The credential has expired.",
    "environment": "The key belongs to another environment.",
    "deny_statement": "A policy statement denies this.",
    "no_match": "No role and no policy statement allows this.",
    "unknown_domain": "The action names no known domain, and nothing allows it by name.",
    "scope": "The scopes of the credential do not cover this.",
    "owner": "The owner of the credential may not do this.",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a policy is attached to. A tenant's *id* is its own tenant's, a role's its name."""

    type: AttachmentType
    id: str

    def as_json(self) -> dict[str, str]:
        """`{"type", "id"}`."""
        return {"type": self.type, "id": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy at one version. *document* is what was written: one statement, or `{"statements": [...]}`."""

    id: str
    tenant_id: str
    name: str
    document: Mapping[str, Any]
    attachments: tuple[Attachment, ...]
    created_at: str
    updated_at: str
    updated_by: str | None
    description: str | None = None
    version: int = 1

    def as_json(self) -> dict[str, Any]:
        """The policy as the API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "document": self.document,
            "attachments": [attachment.as_json() for attachment in self.attachments],
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "updated_by": self.updated_by,
            "version": self.version,
        }

    def as_change(self) -> dict[str, Any]:
        """The policy as an audit event tells it: a long document by its hash, since every version of it is kept."""
        document = json.dumps(self.document, sort_keys=True, separators=(",", ":")).encode("ascii")
        short = len(document) <= MAX_TOLD
        told = self.document if short else {"sha256": hashlib.sha256(document).hexdigest(), "bytes": len(document)}
        return {**self.as_json(), "document": told}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A tenant's own role: each of *actions* is granted on all resources, without condition."""

    tenant_id: str
    name: str
    actions: tuple[str, ...]
    description: str | None = None
    created_at: str = ""
    version: int = 1

    def as_json(self) -> dict[str, Any]:
        """The role as the API shows it."""
        return {
            "name": self.name,
            "description": self.description,
            "actions": list(self.actions),
            "created_at": self.created_at or None,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True)
class Versions:
    """The two counters of a tenant, and its status: active, suspended or pending_deletion."""

    policy: int
    revocation: int
    status: str
