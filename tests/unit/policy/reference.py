# ruff: noqa: PLR0911  a return for each of the rules' cases
"""
The decision rules, slowly and obviously: nothing compiled, indexed, cached or shared with the engine but the values that it
is asked with. Globs are matched by dynamic programming, networks by `ipaddress`, wall clocks by `zoneinfo`.

Only validated documents and the unreadable conditions that the rules speak of are expected here.
"""

import ipaddress
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from platforma.policy.model import Request, Subject
from platforma.policy.ports import Rules

CONTROL = {"settings", "audit", "decisions", "crypto"}
DOMAINS = {"infrastructure", "orders", "resources", "billing", "invoices", "objects", "platform"} | CONTROL
READING = {"get", "list", "read", "search", "describe", "head", "export", "download", "verify"}
ROLES = {
    "admin": ["*"],
    "operator": ["infrastructure:manage", "billing:read"],
    "developer": ["orders:manage", "resources:manage"],
    "viewer": ["*:read"],
    "billing": ["billing:manage", "invoices:manage"],
}
CATALOGUE = {"crypto.data.decrypt": "crypto:read"}
ABSENT = object()


def reference_decision(tenant_id: str, rules: Rules, subject: Subject, request: Request) -> str:
    """`allow`, or the kind of the denial."""
    owner = subject.owner or subject
    domains = DOMAINS.union(*(api.domains for api in rules.apis))

    # 1. Tenant or principal unknown, suspended or expired.
    if any(one.standing != "active" or one.tenant_id != tenant_id for one in (subject, owner)):
        return "suspended"

    needed = permission(request.action)
    if needed is None:
        return "no_match"
    domain, level = needed

    # 2. Environments.
    if subject.environment is not None:
        if request.context.environment is not None and request.context.environment != subject.environment:
            return "cap"
        ours = request.own_api or domain in CONTROL or domain == "platform"
        if subject.environment == "test" and ours and level == "manage":
            return "cap"

    own = {("tenant", tenant_id), (owner.type, owner.id)}
    own |= {("role", role) for role in owner.roles} | {("group", group) for group in owner.groups}
    every = set(own)
    if subject.owner is not None:
        every.add((subject.type, subject.id))
    if subject.client_id is not None:
        every.add(("oauth_client", subject.client_id))

    # 3. Denies.
    for statement in in_force(rules, every):
        if statement["effect"] == "deny" and applies(statement, owner, subject, request, domains):
            return "explicit_deny"

    # 4 and 5. Grants that are left, and allows.
    if not allowed(tenant_id, rules, every, owner, subject, request, domains):
        return "no_match"

    # 6. Caps.
    for scopes in (subject.scopes, owner.scopes):
        if scopes is not None and not any(action_matches(scope, request.action, "allow", None) for scope in scopes):
            return "cap"
    if not allowed(tenant_id, rules, own, owner, subject, request, domains):
        return "cap"
    return "allow"


def allowed(tenant_id, rules: Rules, targets, owner: Subject, subject: Subject, request: Request, domains) -> bool:
    if permission(request.action)[0] == "platform":
        return False
    allows = [statement for statement in in_force(rules, targets) if statement["effect"] == "allow"]
    replaced = {action for statement in allows for action in statement["actions"]}
    roles = {role.name: list(role.actions) for role in rules.roles} | ROLES
    for role in owner.roles:
        for grant in roles.get(role, []):
            if grant not in replaced and action_matches(grant, request.action, "allow", domains):
                return True
    return any(applies(statement, owner, subject, request, domains) for statement in allows)


def in_force(rules: Rules, targets: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    found = []
    for policy in rules.policies:
        if any((attachment.type, attachment.id) in targets for attachment in policy.attachments):
            document = policy.document
            found += document.get("statements", [document])
    return found


def applies(statement, owner: Subject, subject: Subject, request: Request, domains) -> bool:
    effect = statement["effect"]
    if not any(action_matches(action, request.action, effect, domains) for action in statement["actions"]):
        return False
    if not any(resource_matches(pattern, request) for pattern in statement["resources"]):
        return False
    answers = [condition(name, wanted, owner, subject, request) for name, wanted in statement.get("conditions", {}).items()]
    return all(answer is True for answer in answers) if effect == "allow" else all(answer is not False for answer in answers)


# Actions


def permission(action: str) -> tuple[str, str] | None:
    if ":" in action:
        domain, level = action.split(":")
        return domain, level
    if action in CATALOGUE:
        domain, level = CATALOGUE[action].split(":")
        return domain, level
    if action.count(".") != 2:
        return None
    domain, _, verb = action.split(".")
    return domain, "read" if verb in READING else "manage"


def action_matches(pattern: str, action: str, effect: str, domains: set[str] | None) -> bool:
    """*domains* None: no domain is unknown (a scope takes away and gives nothing)."""
    domain, level = permission(action)
    if ":" not in pattern and pattern != "*":
        segments = pattern.split(".")
        if ":" not in action:
            asked = action.split(".")
            while segments and segments[-1] == "*":
                segments.pop()
            return asked[: len(segments)] == segments
        if effect == "allow" or segments[0] != domain:
            return False
        may_need = {"read", "manage"}
        if segments[-1] != "*":
            may_need = {"read" if segments[-1] in READING else "manage"}
            if pattern in CATALOGUE:
                may_need.add(CATALOGUE[pattern].split(":")[1])
        return level in may_need
    wanted_domain, wanted_level = ("*", "*") if pattern == "*" else pattern.split(":")
    if wanted_domain != "*":
        if wanted_domain != domain:
            return False
    else:
        if domain == "platform" or (domain in CONTROL and pattern != "*"):
            return False
        if effect == "allow" and domains is not None and domain not in domains:
            return False
    if wanted_level in ("*", level):
        return True
    return effect == "allow" and wanted_level == "manage" and level == "read"


# Resources


def resource_matches(pattern: str, request: Request) -> bool:
    if pattern == "*":
        return True
    kind, _, glob = pattern.partition(":")
    if kind not in ("*", request.resource_type):
        return False
    if not request.resource_id:
        return glob == "*"
    return glob_matches(glob, request.resource_id)


def glob_matches(glob: str, text: str) -> bool:
    """reach[j]: the glob so far matches the first j characters."""
    reach = [True] + [False] * len(text)
    for piece in glob:
        if piece == "*":
            for j in range(1, len(text) + 1):
                reach[j] = reach[j] or reach[j - 1]
        else:
            reach = [False] + [reach[j] and piece in ("?", text[j]) for j in range(len(text))]
    return reach[-1]


# Conditions


def condition(name: str, wanted: Any, owner: Subject, subject: Subject, request: Request) -> bool | None:
    context = request.context
    if name == "ip_range":
        return in_networks([wanted] if isinstance(wanted, str) else wanted, context.ip_address)
    if name == "time_window":
        return any(in_window(window, context.time) for window in (wanted if isinstance(wanted, list) else [wanted]))
    if name == "date_range":
        return any(in_dates(dates, context.time) for dates in (wanted if isinstance(wanted, list) else [wanted]))
    if name == "mfa":
        return subject.mfa if context.mfa is None else context.mfa
    if name == "environment":
        return None if context.environment is None else context.environment == wanted
    if name == "resource_attributes":
        return attributes(wanted, request.resource_attributes)
    if name == "principal_attributes":
        return attributes(wanted, owner.attributes)
    if name == "action_attributes":
        return attributes(wanted, request.action_attributes)
    return None


def address(text: str | None):
    if text is None or "%" in text:
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def in_networks(networks: list[str], text: str | None) -> bool | None:
    asked = address(text)
    if asked is None:
        return None
    for text_of_it in networks:
        network = ipaddress.ip_network(text_of_it)
        first = getattr(network.network_address, "ipv4_mapped", None)
        if first is not None and network.prefixlen >= 96:
            network = ipaddress.ip_network((first, network.prefixlen - 96))
        if asked.version == network.version and asked in network:
            return True
    return False


def in_window(window: Mapping[str, Any], time: datetime) -> bool:
    there = time.astimezone(ZoneInfo(window["timezone"]))
    now = f"{there:%H:%M}"
    start, end = window["start"], window["end"]
    days = window.get("days", ["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    today = f"{there:%a}".lower()
    yesterday = f"{there - timedelta(days=1):%a}".lower()
    if start < end:
        return today in days and start <= now < end
    return (today in days and start <= now) or (yesterday in days and now < end)


def in_dates(dates: Mapping[str, str], time: datetime) -> bool:
    after = "not_before" not in dates or datetime.fromisoformat(dates["not_before"]) <= time
    return after and ("not_after" not in dates or time <= datetime.fromisoformat(dates["not_after"]))


def attributes(wanted: Mapping[str, Any], given: Mapping[str, Any]) -> bool | None:
    answers = []
    for name, test in wanted.items():
        operators = test if isinstance(test, dict) else {"in" if isinstance(test, list) else "equals": test}
        answers += [operator(each, value, given.get(name, ABSENT)) for each, value in operators.items()]
    if False in answers:
        return False
    return None if None in answers else True


def kind(value: Any) -> str:
    if value is ABSENT or isinstance(value, (list, dict)):
        return "none"
    if isinstance(value, float) and not math.isfinite(value):
        return "none"
    for name, types in (("null", type(None)), ("boolean", bool), ("number", (int, float)), ("string", str)):
        if isinstance(value, types):
            return name
    raise TypeError


def operator(name: str, wanted: Any, value: Any) -> bool | None:
    same = lambda other: kind(other) == kind(value) and other == value
    if name == "exists":
        return (value is not ABSENT) == wanted
    if kind(value) == "none":
        return None
    if name in ("equals", "not_equals"):
        return same(wanted) == (name == "equals")
    if name in ("in", "not_in"):
        return any(same(each) for each in wanted) == (name == "in")
    if name in ("like", "not_like"):
        return None if kind(value) != "string" else glob_matches(wanted, value) == (name == "like")
    if kind(value) != kind(wanted) or kind(wanted) not in ("number", "string"):
        return None
    return {"lt": value < wanted, "lte": value <= wanted, "gt": value > wanted, "gte": value >= wanted}[name]
