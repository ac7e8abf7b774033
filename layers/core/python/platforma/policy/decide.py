"""The decision. Its steps are those of the decision rules, in their order."""

from platforma.policy.actions import Action, covered
from platforma.policy.catalogue import CONTROL_DOMAINS, PLATFORM_DOMAIN
from platforma.policy.compile import Plan, PolicySet
from platforma.policy.conditions import Facts
from platforma.policy.explain import nearest_miss
from platforma.policy.index import ResourceIndex
from platforma.policy.model import MAX_MATCHED, Cause, Decision, Kind, Match, Request, Subject

_new = tuple.__new__  # what a named tuple's own constructor calls in the end

_KINDS: dict[Cause, Kind] = {
    "grant": "allow",
    "statement": "allow",
    "unknown": "suspended",
    "suspended": "suspended",
    "expired": "suspended",
    "environment": "cap",
    "deny_statement": "explicit_deny",
    "no_match": "no_match",
    "unknown_domain": "no_match",
    "scope": "cap",
    "owner": "cap",
}


def decide(
    policy_set: PolicySet, subject: Subject, request: Request, *, explain: bool = False, decision_id: str = ""
) -> Decision:
    """
    Whether *subject* may do what *request* says. A pure function: the same arguments always give the same decision.

    *explain* adds to a denial the statement that came nearest to changing it; that costs more the more statements are in
    force.
    """
    plan = policy_set.plan(subject, request.action)
    facts = Facts(subject, request)
    cause, matched = _decided(policy_set, subject, request, plan, facts)
    kind = _KINDS[cause]
    allowed = kind == "allow"
    nearest = nearest_miss(policy_set.view(subject), plan, facts, cause) if explain and not allowed else None
    return _new(Decision, (allowed, kind, cause, matched, policy_set.hash, decision_id, nearest))


def _decided(  # noqa: PLR0911  a return a step
    policy_set: PolicySet, subject: Subject, request: Request, plan: Plan, facts: Facts
) -> tuple[Cause, tuple[Match, ...]]:
    """The steps of the decision rules in order; the first that decides returns."""
    action, capped, denies, grants, allows, alone = plan
    plain = subject.owner is None
    stands = plain and subject.standing == "active" and subject.tenant_id == policy_set.tenant_id
    if not stands and (bar := _standing(policy_set, subject)) is not None:
        return bar, ()
    if action is None:
        return "no_match", ()
    if subject.environment is not None and _elsewhere(subject, request, action):
        return "environment", ()
    if denies and (denied := applying(denies, facts)):
        return "deny_statement", denied
    allowed = grants + applying(allows, facts) if allows else grants
    if not allowed:
        return "no_match" if action.known else "unknown_domain", ()
    if not (plain and subject.scopes is None) and not _in_scope(subject, capped):
        return "scope", ()
    if alone is not None and not (alone.grants or applying(alone.allows, facts)):
        return "owner", ()
    return "grant" if grants else "statement", allowed


def applying(indexes: tuple[ResourceIndex, ...], facts: Facts) -> tuple[Match, ...]:
    """The statements that apply, in a fixed order, at most `MAX_MATCHED` of them."""
    found: tuple[Match, ...] = ()
    for index in indexes:
        for compiled in index.candidates(facts):
            for test in compiled.tests:  # `compiled.applies`, without a call
                answer = test(facts)
                if answer is not True and (answer is False or not compiled.denies):
                    break
            else:
                if compiled.match not in found:
                    found += (compiled.match,)
                    if len(found) == MAX_MATCHED:
                        return found
    return found


def _standing(policy_set: PolicySet, subject: Subject) -> Cause | None:
    """Step 1: why tenant, principal, credential or owner may do nothing. A subject of another tenant is unknown."""
    if subject.tenant_id != policy_set.tenant_id:
        return "unknown"
    if subject.standing != "active":
        return subject.standing
    return None if subject.owner is None else _standing(policy_set, subject.owner)


def _elsewhere(subject: Subject, request: Request, action: Action) -> bool:
    """Step 2: whether a key is used outside of its environment, or a test key to change something of this API itself."""
    if request.context.environment not in (None, subject.environment):
        return True
    ours = request.own_api or action.domain in CONTROL_DOMAINS or action.domain == PLATFORM_DOMAIN
    return subject.environment == "test" and ours and action.level == "manage"


def _in_scope(subject: Subject, action: Action | None) -> bool:
    """Step 6, first half: the scopes of the credential cover the action, and so do its owner's if it has any."""
    return action is not None and all(
        one is None or one.scopes is None or covered(one.scopes, action) for one in (subject, subject.owner)
    )
