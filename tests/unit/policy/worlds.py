"""Tenants, subjects and requests for tests of decisions, by hand and (for Hypothesis) by chance."""

from datetime import UTC, datetime
from typing import Any

from platforma.policy.compile import PolicySet, compile_rules
from platforma.policy.model import Attachment, Context, Policy, Request, Subject
from platforma.policy.ports import Rules

TENANT = "ten_01kb0000000e00800000000000"
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
"""12:00 in Berlin."""

SAMPLE: dict[str, Any] = {
    "effect": "allow",
    "actions": ["infrastructure:manage"],
    "resources": ["cluster:cls_eu*"],
    "conditions": {
        "ip_range": ["10.0.0.0/8"],
        "time_window": {"start": "06:00", "end": "22:00", "timezone": "Europe/Berlin"},
    },
}


def policy(number: int, document: Any, *attachments: tuple[str, str]) -> Policy:
    return Policy(
        id=f"pol_{number:026d}",
        tenant_id=TENANT,
        name=f"policy {number}",
        document=document,
        attachments=tuple(Attachment(kind, name) for kind, name in attachments),
        created_at="2026-11-24T10:00:00.000Z",
        updated_at="2026-11-24T10:00:00.000Z",
        updated_by=None,
    )


def policy_set(*policies: Policy, **rules: Any) -> PolicySet:
    return compile_rules(TENANT, Rules(policies=policies, **rules))


def user(*roles: str, **more: Any) -> Subject:
    return Subject(**{"type": "user", "id": "usr_1", "tenant_id": TENANT, "roles": frozenset(roles), **more})


def key(owner: Subject, *scopes: str, **more: Any) -> Subject:
    own = {"type": "api_key", "id": "key_1", "tenant_id": TENANT, "owner": owner, "scopes": scopes or ("*",)}
    return Subject(**{**own, **more})


def request(action: str, resource: str | None = None, *, attributes: dict[str, Any] | None = None, **more: Any) -> Request:
    kind, _, name = (resource or "").partition(":")
    own = {name: more.pop(name) for name in ("own_api", "action_attributes") if name in more}
    return Request(
        action=action,
        resource_type=kind or None,
        resource_id=name or None,
        resource_attributes=attributes or {},
        context=Context(**{"time": NOON, "ip_address": "10.1.2.3", **more}),
        **own,
    )
