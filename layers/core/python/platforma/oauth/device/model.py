"""What a device asks for, and the short code by which its person finds it (RFC 8628 sections 3.2 and 6.1)."""

import hashlib
import secrets as entropy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from platforma.oauth.sessions.model import Session

LIFETIME = timedelta(minutes=10)
INTERVAL = 5
"""Seconds between two polls; each one that comes sooner makes it as much longer (RFC 8628 section 3.5)."""
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no words come of it, and nothing that looks like a digit."""
_USER_CODE_LENGTH = 8

Standing = Literal["pending", "allowed", "denied", "spent"]


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """
    What a device asked for. *hash* is of the code that it polls with, *user_code* what its person types, without the dash.

    Once *allowed*, it says by whom, in which session, and how they were authenticated.
    """

    hash: str
    user_code: str = field(repr=False)
    tenant_id: str
    client_id: str
    scope: tuple[str, ...]
    audience: str
    created_at: datetime
    expires_at: datetime
    standing: Standing = "pending"
    interval: int = INTERVAL
    polled_at: datetime | None = None
    user_id: str | None = None
    session_id: str | None = None
    amr: tuple[str, ...] = ()
    auth_time: datetime | None = None

    def polled(self, now: datetime) -> "DeviceAuthorization":
        """It, asked after at *now*: whoever asks too soon has to wait longer from then on."""
        soon = self.polled_at is not None and now < self.polled_at + timedelta(seconds=self.interval)
        return replace(self, polled_at=now, interval=self.interval + INTERVAL if soon else self.interval)

    def allowed_by(self, session: Session) -> "DeviceAuthorization":
        """It, as the person of *session* allows it."""
        return replace(
            self,
            standing="allowed",
            user_id=session.user_id,
            session_id=session.id,
            amr=session.amr,
            auth_time=session.auth_time,
        )


def device_code_hash(device_code: str) -> str:
    """What a device's request is found by."""
    return hashlib.sha256(device_code.encode()).hexdigest()


def new_codes() -> tuple[str, str]:
    """A device code of 256 bits and a user code of 34, each told this once."""
    return entropy.token_urlsafe(32), "".join(entropy.choice(USER_CODE_LETTERS) for _ in range(_USER_CODE_LENGTH))


def shown_code(user_code: str) -> str:
    """A user code as it is shown: `WDJB-MJHT`."""
    return f"{user_code[:4]}-{user_code[4:]}"


def typed_code(typed: str) -> str | None:
    """The user code that somebody *typed*, in whatever case and with whatever between; None if it can be none."""
    letters = "".join(each for each in typed[:64].upper() if each.isalnum())
    return letters if len(letters) == _USER_CODE_LENGTH and set(letters) <= set(USER_CODE_LETTERS) else None
