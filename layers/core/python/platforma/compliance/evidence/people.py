"""The tenant's people: second factors, administrators, who is dormant, who failed to sign in."""

from collections.abc import Iterator

from platforma.audit.activity import last_acted
from platforma.audit.failed_sign_ins import count_failed_sign_ins
from platforma.compliance import thresholds
from platforma.compliance.evidence.sources import Look
from platforma.compliance.model import Evidence
from platforma.compliance.reviews import newest_review
from platforma.identity.model import User
from platforma.identity.principals import read_all
from platforma.kernel.clock import rfc3339

_NAMED = 50
"""Ids that evidence names at most: the rest is counted."""


def people(look: Look) -> list[Evidence]:
    """Second factors of administrators, and dormant people."""
    users, whole = _everyone(look)
    strong = {one.user_id for one in look.at.factors.every(look.tenant_id) if one.second or one.passkeys}
    alive = read_all(look.tenant_id, groups=look.at.groups)
    judge = look.at.administration(look.tenant_id)
    active = [user for user in users if user.status == "active"]
    admins = [
        user for user in active if judge.administers(user.id, *_held(user, {id_: g.roles for id_, g in alive.items()}))
    ]
    typed = [user for user in admins if user.has_password]
    weak = [user.id for user in typed if user.id not in strong]
    covered = sum(user.id in strong for user in active)
    facts = {
        "active_users": len(active),
        "with_second_factor": covered,
        "administrators": len(admins),
        "administrators_with_password": len(typed),
        "administrators_without_second_factor": weak[:_NAMED],
        "looked_at_all": whole,
    }
    mfa = f"{len(typed) - len(weak)} of {len(typed)} administrators with a password have a second factor."
    good = False if weak else None if not whole or not typed else True
    known = f"{len(admins)} of {len(active)} active people administer the tenant."
    counted = {"administrators": [user.id for user in admins[:_NAMED]], "count": len(admins), "looked_at_all": whole}
    return [
        look.seen("mfa_coverage", good, mfa, facts=facts),
        look.seen("administrators_known", None if not whole else bool(admins), known, facts=counted),
        _dormant(look, active, whole=whole),
    ]


def failed_sign_ins(look: Look) -> list[Evidence]:
    """The failed sign-ins of the past day, by account."""
    since, until = look.now - thresholds.SIGN_INS_OF, look.now + thresholds.COUNTED_FOR
    failed = count_failed_sign_ins(look.tenant_id, store=look.at.store, since=since, until=until, clock=look.at.clock)
    most, count = max(failed.by_account.values(), default=0), sum(failed.by_account.values())
    facts = {
        "since": rfc3339(since),
        "failed": count,
        "accounts": len(failed.by_account),
        "most_at_one": most,
        "counted_all": failed.whole,
    }
    good = False if most > thresholds.FAILED_AT_ONE_ACCOUNT else True if failed.whole else None
    told = f"{count} sign-ins failed in a day, {most} at most at one account."
    more = "" if failed.whole else " There are more events than could be looked at here."
    return [look.seen("failed_sign_ins", good, told + more, facts=facts)]


def reviewed(look: Look) -> list[Evidence]:
    """The newest access review."""
    newest = newest_review(look.tenant_id, reviews=look.at.reviews)
    if newest is None:
        return [look.seen("access_reviewed", False, "No access review was ever completed.", facts={})]
    age = look.now - newest.completed_at
    told = f"The last access review was completed {age.days} days ago."
    return [look.seen("access_reviewed", age <= thresholds.REVIEWED, told, facts=newest.as_json())]


def _dormant(look: Look, active: list[User], *, whole: bool) -> Evidence:
    """Whoever is there for longer than the index reaches back, and is not in it."""
    old = [user for user in active if look.now - user.created_at > thresholds.DORMANT]
    dormant, looked = [], 0
    for user in old:
        if look.now > look.until:
            break
        looked += 1
        if last_acted(look.tenant_id, user.id, store=look.at.store, since=look.now - thresholds.DORMANT) is None:
            dormant.append(user.id)
    seen_all = whole and looked == len(old)
    facts = {
        "active_users": len(active),
        "older_than_90_days": len(old),
        "dormant": dormant[:_NAMED],
        "looked_at_all": seen_all,
    }
    told = f"{len(dormant)} of {len(active)} active people were without activity for 90 days."
    return look.seen("dormant_users", False if dormant else None if not seen_all else True, told, facts=facts)


def _everyone(look: Look) -> tuple[list[User], bool]:
    users: list[User] = []
    for page in _pages(look):
        users += page
        if len(users) >= thresholds.MOST_PEOPLE or look.now > look.until:
            return users, False
    return users, True


def _pages(look: Look) -> Iterator[tuple[User, ...]]:
    after: str | None = None
    while True:
        page = look.at.directory.users(look.tenant_id, limit=200, after=after, status=None, role=None, groups=frozenset())
        yield page.items
        if (after := page.after) is None:
            return


def _held(user: User, roles_of: dict[str, tuple[str, ...]]) -> tuple[frozenset[str], frozenset[str]]:
    groups = frozenset(user.groups) & roles_of.keys()
    return frozenset(user.roles).union(*(roles_of[group] for group in groups)), groups
