"""
A tenant's rules, compiled after each change into a `PolicySet`. A `View` is the part in force for one principal, a `Plan`
the part of a view that concerns one action.

Views and plans are cached, within bounds. They depend on nothing but the set, so callers may treat the set as immutable.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from platforma.kernel.tenancy import PLATFORM
from platforma.policy.actions import Action, candidate_patterns, matches, parse_action, parse_pattern
from platforma.policy.catalogue import BUILT_IN_DOMAINS, PLATFORM_DOMAIN
from platforma.policy.conditions import Condition, compile_conditions
from platforma.policy.document import ResourcePattern, parse_resource_pattern, read_document
from platforma.policy.index import Compiled, ResourceIndex
from platforma.policy.model import Effect, Match, Subject
from platforma.policy.networks import networks_of
from platforma.policy.ports import Rules
from platforma.policy.protected_api import ProtectedAPI
from platforma.policy.roles import built_in_roles

_MAX_VIEWS = 4096
_MAX_PLANS = 32768

Target = tuple[str, str]
"""What a statement is attached to: type and id."""


class Attached:
    """The statements attached to one thing, by effect and action pattern."""

    __slots__ = ("allows", "denies")

    def __init__(self, statements: Iterable[Compiled]) -> None:
        entries: dict[Effect, dict[str, list[tuple[Compiled, ResourcePattern]]]] = {"allow": {}, "deny": {}}
        for compiled in statements:
            statement = compiled.statement
            resources = [pattern for text in dict.fromkeys(statement.resources) if (pattern := parse_resource_pattern(text))]
            for action in dict.fromkeys(statement.actions):
                listed = entries[statement.effect].setdefault(action, [])
                listed += [(compiled, pattern) for pattern in resources]
        self.allows = {action: ResourceIndex(listed) for action, listed in entries["allow"].items()}
        self.denies = {action: ResourceIndex(listed) for action, listed in entries["deny"].items()}


class Plan(NamedTuple):
    """
    What decides about one action of one principal. *action* is None if what was asked is no action. *capped* is the action
    as it is held against scopes: a scope only narrows, so its domain need not be known.

    *grants* are the role grants that cover the action and that no statement replaces. *alone* is the plan without what is
    attached to the key or client; None if nothing is attached to it.
    """

    action: Action | None
    capped: Action | None
    denies: tuple[ResourceIndex, ...]
    grants: tuple[Match, ...]
    allows: tuple[ResourceIndex, ...]
    alone: "Plan | None"


class View:
    """
    The part of a policy set that is in force for one principal. *replaced* are the role grants that statements stand in
    for.
    """

    __slots__ = ("_alone", "_is_platform", "_policy_set", "attached", "grants", "replaced")

    def __init__(self, policy_set: "PolicySet", base: Subject, targets: Iterable[Target], alone: "View | None") -> None:
        self._policy_set = policy_set
        self._alone = alone
        self._is_platform = policy_set.tenant_id == PLATFORM and base.type == "oauth_client"
        self.attached = tuple(attached for target in targets if (attached := policy_set.attached.get(target)) is not None)
        grants = [
            Match("allow", grant, role=role) for role in sorted(base.roles) for grant in policy_set.roles.get(role, ())
        ]
        self.replaced = tuple(grant for grant in grants if any(grant.statement in one.allows for one in self.attached))
        self.grants = tuple(grant for grant in grants if grant not in self.replaced)

    def plan(self, name: str) -> Plan:
        """The plan for the action of this *name*."""
        alone = None if self._alone is None else self._alone.plan(name)
        action = parse_action(name, self._policy_set.domains)
        if action is None:
            return Plan(None, None, (), (), (), alone)
        allowing, denying = self._policy_set.patterns(action)
        if action.domain == PLATFORM_DOMAIN and not self._is_platform:
            allowing = ()
        return Plan(
            action=action,
            capped=replace(action, known=True),
            denies=tuple(one.denies[text] for one in self.attached for text in denying if text in one.denies),
            grants=tuple(grant for grant in self.grants if grant.statement in allowing),
            allows=tuple(one.allows[text] for one in self.attached for text in allowing if text in one.allows),
            alone=alone,
        )


class PolicySet:
    """
    All rules of a tenant. Each decision names their *hash*. *looked_at* are the resource attributes that some statement in
    force tests.
    """

    def __init__(self, tenant_id: str, rules: Rules) -> None:
        self.tenant_id = tenant_id
        self.hash = _hash(tenant_id, rules)
        self.roles: Mapping[str, tuple[str, ...]] = {
            **{role.name: role.actions for role in rules.roles},
            **built_in_roles(tenant_id),
        }
        self.apis: Mapping[str, ProtectedAPI] = {api.audience: api for api in rules.apis}
        self.domains = BUILT_IN_DOMAINS.union(*(api.domains for api in rules.apis))
        by_target = _compiled(rules)
        self.looked_at = _looked_at(by_target)
        self.statements = sum(len(statements) for statements in by_target.values())
        self.attached = {target: Attached(statements) for target, statements in by_target.items()}
        self._operations = _operation_patterns(self.attached.values())
        self._views: dict[tuple[object, ...], View] = {}
        self._plans: dict[tuple[object, ...], Plan] = {}

    @classmethod
    def empty(cls, tenant_id: str) -> "PolicySet":
        """The set of a tenant without rules of its own."""
        return cls(tenant_id, Rules())

    def plan(self, subject: Subject, action: str) -> Plan:
        """The plan of *action* for *subject*."""
        base = subject.owner or subject
        key = (action, base.id, base.roles, base.groups, base.type, subject.id, subject.type, subject.client_id)
        plan = self._plans.get(key)
        if plan is None:
            plan = self.view(subject).plan(action)
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def view(self, subject: Subject) -> View:
        """
        What is in force for *subject*: what is in force for its owner, and what is attached to the key or client
        itself.
        """
        base = subject.owner or subject
        key = (base.id, base.roles, base.groups, base.type, subject.id, subject.type, subject.client_id)
        view = self._views.get(key)
        if view is None:
            view = self._viewed(subject, base)
            if len(self._views) >= _MAX_VIEWS:
                self._views.clear()
            self._views[key] = view
        return view

    def _viewed(self, subject: Subject, base: Subject) -> View:
        own: list[Target] = [("tenant", self.tenant_id)]
        own += [("role", role) for role in sorted(base.roles)]
        own += [("group", group) for group in sorted(base.groups)]
        own.append((base.type, base.id))
        further: list[Target] = [] if base is subject else [(subject.type, subject.id)]
        if subject.client_id is not None:
            further.append(("oauth_client", subject.client_id))
        further = [target for target in further if target not in own and target in self.attached]
        alone = View(self, base, own, None)
        return View(self, base, [*own, *further], alone) if further else alone

    def patterns(self, action: Action) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The patterns that match *action*: those of an allow, and of a deny as far as the set has them."""
        candidates = candidate_patterns(action)
        if not action.is_operation:
            candidates += self._operations.get(action.domain, ())
        patterns = [pattern for text in candidates if (pattern := parse_pattern(text))]
        denying = tuple(pattern.text for pattern in patterns if matches(pattern, action, "deny"))
        return tuple(pattern.text for pattern in patterns if matches(pattern, action, "allow")), denying


def compile_rules(tenant_id: str, rules: Rules) -> PolicySet:
    """The policy set of a tenant's *rules*. Their order does not matter: the same rules have the same hash."""
    return PolicySet(tenant_id, rules)


def _compiled(rules: Rules) -> dict[Target, list[Compiled]]:
    shared: dict[str, tuple[Condition, ...]] = {}
    by_target: dict[Target, list[Compiled]] = {}
    for policy in sorted(rules.policies, key=lambda policy: policy.id):
        targets = [(attachment.type, attachment.id) for attachment in policy.attachments]
        for index, statement in enumerate(read_document(policy.document)):
            conditions = compile_conditions(statement.conditions, shared)
            match = Match(statement.effect, index, policy_id=policy.id)
            networks = next((networks_of(one.wanted) for one in conditions if one.name == "ip_range" and one.readable), None)
            compiled = Compiled(statement, match, conditions, networks)
            for target in targets:
                by_target.setdefault(target, []).append(compiled)
    return by_target


def _looked_at(by_target: Mapping[Target, Iterable[Compiled]]) -> frozenset[str]:
    kind = "resource_attributes."
    names = {one.name for statements in by_target.values() for each in statements for one in each.conditions}
    return frozenset(name.removeprefix(kind) for name in names if name.startswith(kind))


def _operation_patterns(attached: Iterable[Attached]) -> dict[str, tuple[str, ...]]:
    """The operation patterns that some deny lists, by domain: what may match a bare permission."""
    texts = sorted({text for one in attached for text in one.denies})
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        if (pattern := parse_pattern(text)) is not None and pattern.prefix is not None:
            found[pattern.domain] = (*found.get(pattern.domain, ()), text)
    return found


def _hash(tenant_id: str, rules: Rules) -> str:
    content: dict[str, Any] = {
        "tenant": tenant_id,
        "roles": {role.name: sorted(role.actions) for role in rules.roles},
        "policies": {
            policy.id: [policy.document, sorted((one.type, one.id) for one in policy.attachments)]
            for policy in rules.policies
        },
        "domains": sorted({domain for api in rules.apis for domain in api.domains}),
    }
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
