"""
A key that was found where the public can read it: is it ours, and what becomes of it.

Each place is told of once, in the log of the key's tenant, however often it is reported; so a report that is sent again
does nothing. Whether the key is revoked there and then, or its tenant only told, the tenant says; if it says nothing, the
key is revoked. That a text is a true key is known by its keyed checksum, which only we can make.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, NamedTuple, Protocol

from platforma.apikeys.format import check_checksum, parse
from platforma.apikeys.model import APIKey
from platforma.apikeys.validation import to_milliseconds
from platforma.kernel.clock import Clock
from platforma.kernel.errors import AlreadyUsed, Malformed, PreconditionFailed, Unauthenticated, Unavailable
from platforma.kernel.events import Attempt, Event
from platforma.keys.ports import Secrets

ACTION = "settings.api_keys.report_leak"
Label = Literal["true_positive", "false_positive"]
_TRIES = 4
_MAX_URL = 2048


class Leak(NamedTuple):
    """What was found, and where. Nothing of it is verified but who says so; *url* may be empty."""

    token: str
    url: str
    source: str

    def __repr__(self) -> str:
        return f"Leak(url={self.url!r}, source={self.source!r})"


@dataclass(frozen=True, slots=True)
class LeakResponse:
    """What a tenant wants done with a key of its that leaked."""

    response: Literal["revoke", "notify"] = "revoke"
    version: int = 1


class Leaks(Protocol):
    """Which places were reported, and what tenants want done."""

    def response(self, tenant_id: str) -> LeakResponse:
        """What the tenant wants done; version 1 of `revoke` where it never said."""

    def respond(self, tenant_id: str, before: LeakResponse, after: LeakResponse, event: Event) -> None:
        """
        Put *after* in the place of *before*.

        Raises:
            PreconditionFailed: another version stands.
        """

    def find(self, key_id: str) -> APIKey | None:
        """See `Keys.find`."""

    def report(self, before: APIKey, after: APIKey, place: str, event: Event) -> None:
        """
        Note that the key was found in *place* and, where it differs, put *after* in its place, together.

        Raises:
            AlreadyUsed: that place was reported before.
            PreconditionFailed: the key is not at `before.version` any more.
        """


def report_leaks(found: Iterable[Leak], *, leaks: Leaks, secrets: Secrets, clock: Clock, attempt: Attempt) -> list[Label]:
    """
    Whether each is a true key, after what its tenant wants was done with it.

    Raises:
        Unavailable: not all of it could be done; sent again, the rest will be.
    """
    return [_reported(leak, leaks=leaks, secrets=secrets, clock=clock, attempt=attempt) for leak in found]


def get_leak_response(tenant_id: str, *, leaks: Leaks) -> LeakResponse:
    """What the tenant wants done with a key that leaked."""
    return leaks.response(tenant_id)


def set_leak_response(
    tenant_id: str, response: Literal["revoke", "notify"], *, if_match: int | None, leaks: Leaks, attempt: Attempt
) -> LeakResponse:
    """
    Let a leaked key be revoked at once, or its tenant only be told.

    Raises:
        PreconditionFailed: another version than *if_match* stands.
    """
    before = leaks.response(tenant_id)
    if if_match not in (None, before.version):
        raise PreconditionFailed
    after = LeakResponse(response, before.version + 1)
    told = {"before": {"response": before.response}, "after": {"response": after.response}}
    leaks.respond(tenant_id, before, after, attempt.event("success", changes=told))
    return after


def _reported(leak: Leak, *, leaks: Leaks, secrets: Secrets, clock: Clock, attempt: Attempt) -> Label:
    try:
        unverified = parse(leak.token)
        check_checksum(unverified, secrets.pepper(unverified.pepper_version))
    except (Malformed, Unauthenticated):
        return "false_positive"
    place = sha256(f"{leak.source}\n{leak.url}".encode(errors="surrogatepass")).hexdigest()
    for _ in range(_TRIES):
        key = leaks.find(unverified.id)
        if key is None:  # it is over for so long that nothing is left to tell of it
            return "true_positive"
        try:
            _enter(key, leak, place, leaks=leaks, clock=clock, attempt=attempt)
        except AlreadyUsed:
            return "true_positive"
        except PreconditionFailed:
            continue
        return "true_positive"
    raise Unavailable(cause="leak_contention")


def _enter(key: APIKey, leak: Leak, place: str, *, leaks: Leaks, clock: Clock, attempt: Attempt) -> None:
    now = to_milliseconds(clock())
    status, after = key.status(now), key
    if status in ("active", "suspended") and leaks.response(key.tenant_id).response == "revoke":
        ended = replace(key.secret, ticket="", ticket_expires=0)
        after = replace(key, revoked_at=now, secret=ended, ends_predecessor=False, version=key.version + 1)
    by_scanner = Attempt(
        request_id=attempt.request_id,
        action=ACTION,
        clock=clock,
        ip_address=attempt.ip_address,
        user_agent=attempt.user_agent,
        tenant_id=key.tenant_id,
        principal_type="system",
        principal_id="secret_scanning",
    )
    told = {
        "before": {"status": status},
        "after": {"status": after.status(now), "url": _shown(leak.url), "source": _shown(leak.source)},
    }
    leaks.report(key, after, place, by_scanner.event("success", resource=key.id, resource_type="api_key", changes=told))


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:_MAX_URL])
