"""What a caller may ask of a key, field by field; every fault is named, not only the first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Network, ip_network

from platforma.apikeys.model import RateLimit
from platforma.kernel.clock import parse_rfc3339
from platforma.kernel.errors import FieldError, Malformed, Unprocessable
from platforma.policy.actions import parse_pattern

MAX_NAME = 256
MAX_SCOPES = 100
MAX_RANGES = 50
MAX_LIMIT = 1_000_000_000
MAX_PERIOD = 31 * 86400
MAX_LIFETIME = timedelta(days=36500)


class Faults:
    """Faults as they are found."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, pointer: str, detail: str) -> None:
        """Note one."""
        self._errors.append(FieldError(pointer, detail))

    def raise_if_any(self) -> None:
        """
        Go on only if there are none.

        Raises:
            Unprocessable: with all of them.
        """
        if self._errors:
            raise Unprocessable(errors=self._errors)


def to_milliseconds(moment: datetime) -> datetime:
    """*moment* as precise as it is stored and shown."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def valid_name(name: str, faults: Faults) -> None:
    """1 to 256 printable characters, not all of them blank."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or not name.strip():
        faults.add("/name", f"1 to {MAX_NAME} printable characters.")


def valid_scopes(scopes: tuple[str, ...], faults: Faults) -> None:
    """1 to 100 action patterns. None at all is refused: who reads it as `no restriction` would be wrong, and dangerous."""
    if not 1 <= len(scopes) <= MAX_SCOPES:
        faults.add("/scopes", f"1 to {MAX_SCOPES} action patterns.")
    valid_patterns(scopes[:MAX_SCOPES], faults)


def valid_patterns(scopes: Sequence[str], faults: Faults) -> None:
    """Action patterns, each of them."""
    for index, scope in enumerate(scopes):
        if parse_pattern(scope) is None:
            faults.add(f"/scopes/{index}", "Not an action pattern.")


def valid_ip_range(ranges: tuple[str, ...], faults: Faults) -> tuple[str, ...]:
    """*ranges* in one spelling; a range of v4-mapped v6 addresses becomes the v4 range that it means."""
    if len(ranges) > MAX_RANGES:
        faults.add("/ip_range", f"At most {MAX_RANGES} ranges.")
    networks: dict[str, None] = {}
    for index, text in enumerate(ranges[:MAX_RANGES]):
        try:
            network = ip_network(text)
            if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:
                network = ip_network(f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}")
            if "%" in text:
                raise ValueError
        except ValueError:
            faults.add(f"/ip_range/{index}", "Not an address range in CIDR notation with no host bits set.")
        else:
            networks[str(network)] = None
    return tuple(networks)


def valid_rate_limit(limit: RateLimit | None, faults: Faults) -> None:
    """A limit of 1 or more in a period of a second to 31 days."""
    if limit is None:
        return
    if not 1 <= limit.limit <= MAX_LIMIT:
        faults.add("/rate_limit/limit", f"1 to {MAX_LIMIT}.")
    if not 1 <= limit.period_seconds <= MAX_PERIOD:
        faults.add("/rate_limit/period_seconds", f"1 to {MAX_PERIOD}.")


def expiry(at: str | None, seconds: int | None, now: datetime, faults: Faults) -> datetime | None:
    """When a key ends that was asked for with `expires_at`, or `expires_in`, or neither (None: it does not)."""
    if at is not None and seconds is not None:
        faults.add("/expires_in", "Either `expires_at` or `expires_in`, not both.")
    elif at is not None:
        return valid_moment(at, now, faults)
    elif seconds is not None:
        if 1 <= seconds <= MAX_LIFETIME.total_seconds():
            return to_milliseconds(now + timedelta(seconds=seconds))
        faults.add("/expires_in", f"1 to {int(MAX_LIFETIME.total_seconds())} seconds.")
    return None


def valid_moment(at: str, now: datetime, faults: Faults) -> datetime | None:
    """The time at which a key shall end; None where it is none, or is past."""
    try:
        moment = to_milliseconds(parse_rfc3339(at))
    except Malformed as error:
        faults.add("/expires_at", error.detail)
        return None
    if now < moment <= now + MAX_LIFETIME:
        return moment
    faults.add("/expires_at", "In the future, and within a hundred years.")
    return None


def valid_sooner_end(at: str | None, current: datetime | None, now: datetime, faults: Faults) -> datetime | None:
    """A new end for a key that has *current* (None: none): a life can be shortened only."""
    moment = None if at is None else valid_moment(at, now, faults)
    if current is not None and (at is None or (moment is not None and moment > current)):
        faults.add("/expires_at", "A key's life can be shortened only.")
    return moment
