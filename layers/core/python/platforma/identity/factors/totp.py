"""An authenticator app: enrolled, confirmed by a code, and asked for codes (RFC 6238)."""

import hmac
from datetime import datetime

import pyotp

from platforma.identity.factors.errors import WrongCode
from platforma.identity.factors.model import TOTP, Factors, at
from platforma.identity.factors.ports import FactorStore
from platforma.identity.factors.recovery import hashed, new_recovery_codes
from platforma.identity.throttle import AttemptCounts, charge_attempt
from platforma.kernel.errors import Conflict, NotFound, PreconditionFailed
from platforma.kernel.events import Attempt

STEP = 30
DRIFT = 1
"""A code of the step before and of the one after is good too (RFC 6238 section 5.2)."""


def enrol_totp(
    tenant_id: str, user_id: str, *, account: str, issuer_name: str, factors: FactorStore, attempt: Attempt
) -> tuple[str, str]:
    """
    A new secret in base32, told this once, and its `otpauth:` URI for *account*. It counts when it is confirmed.

    Raises:
        Conflict: there is a confirmed one; it must be removed first.
    """
    before = factors.read(tenant_id, user_id)
    if before.second:
        raise Conflict("There is an authenticator app already.")
    made = TOTP(pyotp.random_base32(32), at(attempt.clock()))
    factors.put(before, before.changed(totp=made), attempt.event("success", resource="totp", resource_type="factor"))
    return made.secret, pyotp.TOTP(made.secret).provisioning_uri(name=account, issuer_name=issuer_name)


def confirm_totp(
    tenant_id: str, user_id: str, code: object, *, factors: FactorStore, counts: AttemptCounts, attempt: Attempt
) -> tuple[str, ...]:
    """
    Let the enrolled app count, shown a code of it; recovery codes, told this once.

    Raises:
        NotFound: none is enrolled and unconfirmed.
        WrongCode: *code* is not one of it.
        RateLimited: too many attempts.
    """
    charge_attempt(tenant_id, f"factor:{user_id}", counts=counts, now=attempt.clock())
    before = factors.read(tenant_id, user_id)
    if before.totp is None or before.totp.confirmed:
        raise NotFound("No authenticator app waits for its first code.")
    step = _step_of(before.totp, code, attempt.clock())
    codes = new_recovery_codes()
    after = before.changed(
        totp=TOTP(before.totp.secret, before.totp.created_at, confirmed=True, last_step=step),
        recovery=tuple(map(hashed, codes)),
    )
    factors.put(before, after, attempt.event("success", resource="totp", resource_type="factor"))
    counts.forget(tenant_id, f"factor:{user_id}")
    return codes


def check_code(
    tenant_id: str, user_id: str, code: object, *, factors: FactorStore, counts: AttemptCounts, attempt: Attempt
) -> str:
    """
    Use up a code of the app, or a recovery code; the authentication method that it was (RFC 8176: `otp` for both).

    Raises:
        WrongCode: not good now, used before, or there is no such factor.
        RateLimited: too many attempts.
    """
    charge_attempt(tenant_id, f"factor:{user_id}", counts=counts, now=attempt.clock())
    before = factors.read(tenant_id, user_id)
    try:
        factors.put(before, _using(before, code, attempt.clock()), None)
    except PreconditionFailed:  # another request used one in the same moment: this one it may have been
        raise WrongCode from None
    counts.forget(tenant_id, f"factor:{user_id}")
    return "otp"


def _using(before: Factors, code: object, now: datetime) -> Factors:
    if before.totp is None or not before.totp.confirmed or not isinstance(code, str):
        raise WrongCode
    if (used := hashed(code)) in before.recovery:
        return before.changed(recovery=tuple(each for each in before.recovery if each != used))
    step = _step_of(before.totp, code, now)
    return before.changed(totp=TOTP(before.totp.secret, before.totp.created_at, confirmed=True, last_step=step))


def _step_of(totp: TOTP, code: object, now: datetime) -> int:
    """The time step that *code* is of, newer than any used before; each is looked at, whichever it is."""
    shown = "".join(code.split()) if isinstance(code, str) and code.isascii() else ""
    current, found = int(now.timestamp()) // STEP, 0
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(pyotp.TOTP(totp.secret).generate_otp(step).encode(), shown.encode()):
            found = step
    if found <= totp.last_step:
        raise WrongCode
    return found
