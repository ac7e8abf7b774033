"""
Who signs in by a password.

Unknown address, wrong password, none, a suspended user: one answer, after the same reads and one Argon2id each. What is
charged is charged to the address that was typed, known or not, so that waiting tells nothing either.
"""

import ipaddress

from platforma.identity.email_address import folded
from platforma.identity.model import User
from platforma.identity.passwords import PASSWORD, Argon2Profile, verify_password
from platforma.identity.ports import Directory
from platforma.identity.throttle import (
    FREE_ATTEMPTS_OF_AN_ADDRESS,
    REMEMBERED_FOR,
    AttemptCounts,
    charge_attempt,
    refund_attempt,
)
from platforma.kernel.errors import Unauthenticated
from platforma.kernel.events import Attempt

_LONGEST_ADDRESS = 254
_REFUSED = "The e-mail address or the password is wrong."


def check_password(
    tenant_id: str,
    email: str,
    password: str,
    *,
    directory: Directory,
    counts: AttemptCounts,
    attempt: Attempt,
    profile: Argon2Profile = PASSWORD,
) -> User:
    """
    The active user of this address, whose password this is; nobody is signed in by it yet.

    The caller's network address is `attempt.ip_address`. A failure at a known user leaves its name in *attempt*, so that it
    enters the tenant's log; the delays bound how often. A hash of an older profile is replaced.

    Raises:
        Unauthenticated: no such active user, or not this password: one error for all.
        RateLimited: too many failures at this account or from this network address; the password was not looked at.
    """
    now, place = attempt.clock(), place_of(attempt.ip_address)
    account, known = _subjects(email, place)
    source = f"address:{place}"
    charged = charge_attempt(tenant_id, source, counts=counts, now=now, free=FREE_ATTEMPTS_OF_AN_ADDRESS)
    counted = known if counts.remembers(tenant_id, known, now=now) else account
    charge_attempt(tenant_id, counted, counts=counts, now=now)
    found, stored = directory.with_password(tenant_id, email[:_LONGEST_ADDRESS]) or (None, None)
    able = found is not None and found.status == "active"
    try:
        rehashed = verify_password(password, stored if able else None, profile=profile)
    except Unauthenticated:
        if found is not None:
            attempt.tenant_id, attempt.principal_type = tenant_id, "user"
            attempt.principal_id = attempt.user_id = found.id
        raise Unauthenticated(_REFUSED) from None
    assert found is not None
    if rehashed is not None:
        directory.rehash(found, rehashed)
    counts.forget(tenant_id, counted)
    refund_attempt(tenant_id, source, charged, counts=counts)
    counts.remember(tenant_id, known, until=now + REMEMBERED_FOR)
    return found


def forgive(user: User, *, counts: AttemptCounts, attempt: Attempt) -> None:
    """Charge the user's account nothing any more, in general and from where *attempt* comes: it is theirs, as was shown."""
    for subject in _subjects(user.email, place_of(attempt.ip_address)):
        counts.forget(user.tenant_id, subject)


def _subjects(email: str, place: str) -> tuple[str, str]:
    """What attempts at an account are counted by: the account, and the account from a place that is known."""
    account = f"account:{folded(email[:_LONGEST_ADDRESS])}"
    return account, f"{account} from {place}"


def place_of(ip_address: str | None) -> str:
    """What attempts are counted by: an IPv4 address, or the network of 64 bits that one IPv6 subscriber has."""
    try:
        address = ipaddress.ip_address(ip_address or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
