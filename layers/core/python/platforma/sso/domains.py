"""
Whose a domain is: a tenant claims it, proves it by a DNS record, and is looked at again each day.

A claim excludes nobody. Proof makes the domain that tenant's alone, until the record was missing for three days; the
platform may vouch for a tenant instead, and such a claim is not checked again.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from platforma.identity.model import Page
from platforma.kernel.errors import AlreadyUsed, NotFound, PreconditionFailed, Unavailable
from platforma.kernel.events import Attempt
from platforma.sso.changes import domain_event
from platforma.sso.domain_name import parse_domain
from platforma.sso.errors import DomainNotProved, DomainTaken
from platforma.sso.model import Domain
from platforma.sso.ports import DNS, Domains

LOST_AFTER = timedelta(days=3)
"""How long the record of a proved domain may be missing before the domain is lost."""
CHECKED_EVERY = timedelta(days=1)


def claim_domain(tenant_id: str, name: object, *, domains: Domains, attempt: Attempt) -> Domain:
    """
    A claim of a domain, pending, with the record that will prove it.

    Raises:
        Unprocessable: not a domain.
        Conflict: the tenant has claimed it already.
    """
    domain = Domain(tenant_id, parse_domain(name), _token(), created_at=attempt.clock())
    domains.add(domain, domain_event(attempt, None, domain))
    return domain


def vouch_for_domain(tenant_id: str, name: object, *, domains: Domains, attempt: Attempt) -> Domain:
    """
    The tenant's claim of the domain, vouched for by the platform: it is the tenant's from now on.

    That a platform client asks, the caller has checked.

    Raises:
        Unprocessable: not a domain.
        DomainTaken: it is another tenant's.
    """
    parsed = parse_domain(name)
    before = domains.get(tenant_id, parsed)
    now = attempt.clock()
    if before is None:
        after = Domain(tenant_id, parsed, _token(), created_at=now, status="vouched", proved_at=now)
        domains.add(after, domain_event(attempt, None, after))
        return after
    after = replace(before, status="vouched", proved_at=now, failed_since=None, version=before.version + 1)
    domains.replace(before, after, domain_event(attempt, before, after))
    return after


def read_domain(tenant_id: str, name: str, *, domains: Domains) -> Domain:
    """
    The tenant's claim.

    Raises:
        NotFound: it has not claimed this domain.
    """
    domain = domains.get(tenant_id, name.lower())
    if domain is None:
        raise NotFound
    return domain


def list_domains(tenant_id: str, *, domains: Domains, limit: int = 50, after: str | None = None) -> Page[Domain]:
    """A page of the tenant's claims, by name."""
    return domains.page(tenant_id, limit=limit, after=after)


def verify_domain(tenant_id: str, name: str, *, domains: Domains, dns: DNS, attempt: Attempt) -> Domain:
    """
    Prove a claim by its record; one that is owned already stays as it is.

    Raises:
        NotFound: the tenant has not claimed this domain.
        DomainNotProved: the record is not there.
        DomainTaken: another tenant has proved it, or was vouched for.
        Unavailable: DNS gave no answer.
    """
    before = read_domain(tenant_id, name, domains=domains)
    if before.owned and before.failed_since is None:
        return before
    if (owner := domains.owner(before.name)) not in (None, tenant_id):
        raise DomainTaken(owner=owner)
    if before.txt_value not in dns.texts(before.txt_name):
        raise DomainNotProved
    now = attempt.clock()
    after = replace(before, status="proved", proved_at=now, checked_at=now, failed_since=None, version=before.version + 1)
    domains.replace(before, after, domain_event(attempt, before, after))
    return after


def release_domain(tenant_id: str, name: str, *, if_match: int | None, domains: Domains, attempt: Attempt) -> None:
    """
    Give up a claim, and the domain with it. *if_match* None means any version.

    Raises:
        NotFound: the tenant has not claimed this domain.
        PreconditionFailed: the claim has another version.
    """
    before = read_domain(tenant_id, name, domains=domains)
    if if_match not in (None, before.version):
        raise PreconditionFailed
    domains.remove(before, domain_event(attempt, before, None))


def recheck_domains(*, domains: Domains, dns: DNS, attempt_for: Callable[[str], Attempt]) -> dict[str, int]:
    """
    Look at the record of every proved domain that was not looked at for a day; how many are `checked`, how many `lost`.

    A resolver that does not answer says nothing of a record. *attempt_for* makes the attempt in a tenant's name.
    """
    counted = {"checked": 0, "lost": 0}
    for domain in domains.proved():
        attempt = attempt_for(domain.tenant_id)
        now = attempt.clock()
        if domain.checked_at is not None and now - domain.checked_at < CHECKED_EVERY:
            continue
        try:
            found = domain.txt_value in dns.texts(domain.txt_name)
            counted["lost"] += _checked(domain, found, now, domains, attempt)
            counted["checked"] += 1
        except (Unavailable, PreconditionFailed, AlreadyUsed):
            continue  # it is looked at again by the next run
    return counted


def _checked(domain: Domain, found: bool, now: datetime, domains: Domains, attempt: Attempt) -> bool:
    """Keep what was found of a proved domain; whether it is lost."""
    failed_since = None if found else domain.failed_since or now
    lost = failed_since is not None and now - failed_since >= LOST_AFTER
    after = replace(
        domain,
        status="pending" if lost else domain.status,
        proved_at=None if lost else domain.proved_at,
        checked_at=now,
        failed_since=failed_since,
        version=domain.version + 1,
    )
    told = lost or (failed_since is None) != (domain.failed_since is None)
    domains.replace(domain, after, domain_event(attempt, domain, after) if told else None)
    return lost


def _token() -> str:
    """160 random bits, in letters and digits of one case."""
    return base64.b32encode(os.urandom(20)).decode().lower()
