# ruff: noqa: PLR0911  a return for each kind of condition
"""
Rules as Cedar policies, for one principal: the second opinion, from another engine.

Attachments become `principal in`, a principal's roles and groups its parents, as are the owner of a key and the client of a
token. What has no type test in Cedar gets one beside it (`kind`), and a condition is written twice: where it must be true
(allow), and where it must not be false (deny). What caps a key or token is a `forbid` of all but what it leaves: its scopes,
its environment, and what the owner or subject is permitted without the statements attached to the key or client.
Not expressible, and so not drawn by the test: `?` in globs, null and fractions, order of strings.
"""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import cedarpy

from platforma.policy.model import Request, Subject
from platforma.policy.ports import Rules
from tests.unit.policy import reference

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TYPES = {"user": "User", "oauth_client": "Client", "role": "Role", "group": "Group", "tenant": "Tenant", "api_key": "Key"}


def text(value) -> str:
    return json.dumps(value)


def any_of(parts) -> str:
    return "(" + (" || ".join(parts) or "false") + ")"


def all_of(parts) -> str:
    return "(" + (" && ".join(parts) or "true") + ")"


def translated(rules: Rules, subject: Subject, domains) -> cedarpy.PolicySet:
    base = subject.owner or subject
    own = targets_of(base)
    every = own | further_of(subject)
    policies = [
        f"{effect}(principal in {entity(*target)}, action, resource) when {{ {holds} }};"
        for effect, target, holds in (*granted(rules, base, every, domains), *stated(rules, domains))
    ]
    policies += [
        all_but(any_of(action(scope, "allow", None) for scope in scopes))
        for scopes in (subject.scopes, base.scopes)
        if scopes is not None
    ]
    if subject.environment is not None:
        policies.append(all_but(f"!(context has environment) || context.environment == {text(subject.environment)}"))
    if subject.environment == "test":
        policies.append(all_but('!context.ours || context.level == "read"'))
    if every != own:
        alone = [*granted(rules, base, own, domains), *(one for one in stated(rules, domains) if one[1] in own)]
        policies.append(all_but(any_of(holds for effect, _, holds in alone if effect == "permit")))
    return cedarpy.PolicySet.from_str("\n".join(policies))


def targets_of(base: Subject) -> set:
    targets = {("tenant", base.tenant_id), (base.type, base.id)}
    return targets | {("role", name) for name in base.roles} | {("group", name) for name in base.groups}


def further_of(subject: Subject) -> set:
    further = {(subject.type, subject.id)} if subject.owner is not None else set()
    return further | ({("oauth_client", subject.client_id)} if subject.client_id is not None else set())


def granted(rules: Rules, base: Subject, targets, domains):
    """The role grants that no allow attached to one of *targets* replaces."""
    in_force = reference.in_force(rules, targets)
    replaced = {action for one in in_force if one["effect"] == "allow" for action in one["actions"]}
    roles = {role.name: role.actions for role in rules.roles} | reference.ROLES
    for name in base.roles:
        for grant in roles.get(name, ()):
            if grant not in replaced:
                yield "permit", ("role", name), action(grant, "allow", domains)


def stated(rules: Rules, domains):
    """The statements, once for each of their attachments."""
    for policy in rules.policies:
        document = policy.document
        for one in document.get("statements", [document]):
            effect = one["effect"]
            parts = [
                any_of(action(pattern, effect, domains) for pattern in one["actions"]),
                any_of(resource(pattern) for pattern in one["resources"]),
                *(condition(name, wanted, effect) for name, wanted in one.get("conditions", {}).items()),
            ]
            for attachment in policy.attachments:
                yield "permit" if effect == "allow" else "forbid", (attachment.type, attachment.id), all_of(parts)


def all_but(left) -> str:
    return f"forbid(principal, action, resource) unless {{ {left} }};"


def entity(kind, name) -> str:
    return f"{TYPES[kind]}::{text(name)}"


def action(pattern, effect, domains) -> str:
    if ":" not in pattern and pattern != "*":
        stem = pattern.rstrip("*.") if pattern.endswith("*") else pattern
        named = f"context.name like {text(stem + '.*')}" if pattern.endswith("*") else f"context.name == {text(pattern)}"
        matches = f"(context.operation && {named})"
        if effect == "allow":
            return matches
        levels = ["read", "manage"]
        if not pattern.endswith("*"):
            levels = ["read" if pattern.rpartition(".")[2] in reference.READING else "manage"]
            levels += [reference.CATALOGUE[pattern].split(":")[1]] if pattern in reference.CATALOGUE else []
        domain = text(pattern.split(".")[0])
        return any_of(
            [matches, f"(!context.operation && context.domain == {domain} && {text(levels)}.contains(context.level))"]
        )
    domain, level = ("*", "*") if pattern == "*" else pattern.split(":")
    parts = []
    if domain == "*":
        hidden = ["platform"] if pattern == "*" else ["platform", *sorted(reference.CONTROL)]
        parts.append(f"!{text(hidden)}.contains(context.domain)")
        if effect == "allow" and domains is not None:  # a scope gives nothing, and need not know them
            parts.append(f"{text(sorted(domains))}.contains(context.domain)")
    else:
        parts.append(f"context.domain == {text(domain)}")
    levels = {"*": ["read", "manage"], "read": ["read"], "manage": ["manage", *(["read"] if effect == "allow" else [])]}[
        level
    ]
    return all_of([*parts, f"{text(levels)}.contains(context.level)"])


def resource(pattern) -> str:
    kind, _, glob = ("*", "", "*") if pattern == "*" else pattern.partition(":")
    parts = [] if kind == "*" else [f"context has type && context.type == {text(kind)}"]
    return all_of([*parts, *([] if glob == "*" else [f"context has id && context.id like {text(glob)}"])])


def condition(name, wanted, effect) -> str:
    if name == "ip_range":
        networks = [wanted] if isinstance(wanted, str) else wanted
        return known("context has ip", any_of(f"context.ip.isInRange(ip({text(network)}))" for network in networks), effect)
    if name == "time_window":
        return any_of(window(one) for one in (wanted if isinstance(wanted, list) else [wanted]))
    if name == "date_range":
        return any_of(dates(one) for one in (wanted if isinstance(wanted, list) else [wanted]))
    if name == "mfa":
        return known("context has mfa", "context.mfa", effect)
    if name == "environment":
        return known("context has environment", f"context.environment == {text(wanted)}", effect)
    if name.endswith("_attributes"):
        return all_of(
            operator(f"context.{name}", attribute, each, value, effect)
            for attribute, test in wanted.items()
            for each, value in (
                test if isinstance(test, dict) else {"in" if isinstance(test, list) else "equals": test}
            ).items()
        )
    return "false" if effect == "allow" else "true"


def known(is_known, holds, effect) -> str:
    """True where it is known and holds; for a deny, also where it is not known."""
    return f"({is_known} && {holds})" if effect == "allow" else f"(!({is_known}) || {holds})"


def window(one) -> str:
    clock = f"context.clocks[{text(one['timezone'])}]"
    start, end = (int(one[name][:2]) * 60 + int(one[name][3:]) for name in ("start", "end"))
    days = [DAYS.index(day) for day in one.get("days", DAYS)]
    next_days = [(day + 1) % 7 for day in days]
    if start < end:
        return f"({days}.contains({clock}.day) && {clock}.minute >= {start} && {clock}.minute < {end})"
    began = f"({days}.contains({clock}.day) && {clock}.minute >= {start})"
    return f"({began} || ({next_days}.contains({clock}.day) && {clock}.minute < {end}))"


def dates(one) -> str:
    parts = [f"context.now >= {microseconds(one['not_before'])}"] if "not_before" in one else []
    return all_of([*parts, *([f"context.now <= {microseconds(one['not_after'])}"] if "not_after" in one else [])])


def microseconds(moment) -> int:
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    since = moment - datetime.fromisoformat("1970-01-01T00:00:00Z")
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def operator(attributes, name, each, wanted, effect) -> str:
    has, value, kind = (f"{attributes} {name}", f"{attributes}.{name}.value", f"{attributes}.{name}.kind")
    has = f"{attributes} has {name}"
    if each == "exists":
        return f"(({has}) == {text(wanted)})"
    scalar = f'{has} && {kind} != "none"'
    if each in ("equals", "not_equals", "in", "not_in"):
        values = wanted if each.endswith("in") else [wanted]
        holds = f"{text(values)}.contains({value})"
        return known(scalar, f"!{holds}" if each.startswith("not") else holds, effect)
    if each in ("like", "not_like"):
        holds = f"{value} like {text(wanted)}"
        return known(f'{has} && {kind} == "string"', f"!({holds})" if each.startswith("not") else holds, effect)
    sign = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[each]
    return known(f'{has} && {kind} == "number"', f"{value} {sign} {wanted}", effect)


def entities(subject: Subject) -> cedarpy.Entities:
    parents = sorted((targets_of(subject.owner or subject) | further_of(subject)) - {(subject.type, subject.id)})
    found = [{"uid": uid(*parent), "attrs": {}, "parents": []} for parent in parents]
    me = {"uid": uid(subject.type, subject.id), "attrs": {}, "parents": [uid(*parent) for parent in parents]}
    return cedarpy.Entities.from_json_str(json.dumps([*found, me]))


def uid(kind, name):
    return {"type": TYPES[kind], "id": name}


def request(subject: Subject, asked: Request, zones) -> dict:
    domain, level = reference.permission(asked.action)
    context = {
        "name": asked.action,
        "domain": domain,
        "level": level,
        "operation": ":" not in asked.action,
        "now": microseconds(asked.context.time),
        "clocks": {zone: clock(asked.context.time, zone) for zone in zones},
        "resource_attributes": described(asked.resource_attributes),
        "ours": asked.own_api or domain in reference.CONTROL,
        "principal_attributes": described((subject.owner or subject).attributes),
        "action_attributes": described(asked.action_attributes),
    }
    mfa = subject.mfa if asked.context.mfa is None else asked.context.mfa
    optional = {"type": asked.resource_type, "id": asked.resource_id, "mfa": mfa, "environment": asked.context.environment}
    context.update((name, value) for name, value in optional.items() if value is not None)
    if (address := reference.address(asked.context.ip_address)) is not None:
        context["ip"] = {"__extn": {"fn": "ip", "arg": str(address)}}
    return {
        "principal": uid(subject.type, subject.id),
        "action": 'Action::"do"',
        "resource": 'Thing::"it"',
        "context": context,
    }


def clock(moment, zone):
    there = moment.astimezone(ZoneInfo(zone))
    return {"minute": there.hour * 60 + there.minute, "day": there.weekday()}


def described(attributes):
    return {
        name: {"value": "" if reference.kind(value) == "none" else value, "kind": reference.kind(value)}
        for name, value in attributes.items()
    }
