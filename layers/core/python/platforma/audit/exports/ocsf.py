"""
An event as OCSF 1.8.0 has it: Authentication (3002), Account Change (3001), and API Activity (6003) for the rest.

What OCSF has no place for goes under `unmapped`, so that nothing of the event is lost.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from platforma.kernel.clock import parse_rfc3339

VERSION = "1.8.0"
_API, _AUTHENTICATION, _ACCOUNT = (6, 6003), (3, 3002), (3, 3001)
_STATUS = {"success": 1, "denied": 2, "failure": 2, "error": 2}
_API_ACTIVITY = {"create": 1, "get": 2, "list": 2, "search": 2, "read": 2, "update": 3, "set": 3, "delete": 4}
_ACCOUNT_ACTIVITY = {"create": 1, "update": 99, "delete": 6, "set": 99, "reset": 4, "change": 3}
_SIGN_INS = ("oauth.tokens.issue", "identity.sign_ins.", "sso.sign_ins.", "oauth.sessions.")
_UNMAPPED = ("changes", "decision", "client_request_id", "part", "source", "principal_type", "principal_id", "received_at")
_OTHER = 99


def ocsf_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """*event* (in the contract's form) as OCSF."""
    (category, kind), activity = _class_of(event)
    found: dict[str, Any] = {
        "activity_id": activity,
        "category_uid": category,
        "class_uid": kind,
        "type_uid": kind * 100 + activity,
        "severity_id": 3 if event["result"] in ("denied", "error") else 1,
        "time": int(parse_rfc3339(event["timestamp"]).timestamp() * 1000),
        "status_id": _STATUS[event["result"]],
        "status": event["result"],
        "metadata": _metadata(event),
        "src_endpoint": _endpoint(event.get("ip_address")),
        "unmapped": {name: event[name] for name in _UNMAPPED if event.get(name) is not None},
    }
    if event.get("reason"):
        found["status_detail"] = event["reason"]
    if activity == _OTHER:
        found["activity_name"] = event["action"]
    if event.get("user_agent"):
        found["http_request"] = {"user_agent": event["user_agent"], "uid": event["request_id"]}
    actor = _actor(event)
    if (category, kind) == _API:
        found |= {"actor": actor, "api": {"operation": event["action"], "request": {"uid": event["request_id"]}}}
        if event.get("resource"):
            found["resources"] = [{"uid": event["resource"], "type": event.get("resource_type") or "Unknown"}]
    elif kind == _AUTHENTICATION[1]:
        found |= {
            "user": _user(event.get("user_id") or event.get("principal_id")),
            "service": {"name": "PLATFORMA Security"},
        }
        found |= {"auth_protocol_id": 6 if event["action"].startswith("oauth.") else 0}
    else:
        found |= {"actor": actor, "user": _user(event.get("resource"))}
    return found


def _class_of(event: Mapping[str, Any]) -> tuple[tuple[int, int], int]:
    action, verb = event["action"], event["action"].rsplit(".", 1)[-1]
    if action.startswith(_SIGN_INS):
        return _AUTHENTICATION, 2 if verb in ("delete", "end") else (3 if verb == "issue" else 1)
    if event.get("resource_type") == "user" and verb in _ACCOUNT_ACTIVITY and event.get("resource"):
        return _ACCOUNT, _ACCOUNT_ACTIVITY[verb]
    return _API, _API_ACTIVITY.get(verb, _OTHER)


def _metadata(event: Mapping[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "version": VERSION,
        "product": {"name": "PLATFORMA Security", "vendor_name": "PLATFORMA"},
        "uid": event["id"],
        "tenant_uid": event["tenant_id"],
        "correlation_uid": event["request_id"],
        "event_code": event["action"],
        "logged_time": int(parse_rfc3339(event["received_at"]).timestamp() * 1000),
    }
    if event.get("sequence") is not None:
        metadata["sequence"] = event["sequence"]
    return metadata


def _actor(event: Mapping[str, Any]) -> dict[str, Any]:
    if event.get("user_id"):
        return {"user": _user(event["user_id"])}
    return {"app_uid": event["principal_id"]} if event.get("principal_id") else {"app_name": event["principal_type"]}


def _user(uid: Any) -> dict[str, Any]:
    return {"uid": str(uid)} if uid else {"name": "Unknown"}


def _endpoint(address: Any) -> dict[str, Any]:
    try:
        return {"ip": str(ip_address(address))}
    except ValueError:
        return {"name": "Unknown"}
