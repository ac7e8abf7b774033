"""
What a person can show beside a password: passkeys, an authenticator app (TOTP) with recovery codes.

All of one person's are one record with a version: whatever is good for one use (a code's time step, a recovery code, a
challenge) is used up by a write on the condition of that version.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from platforma.kernel.clock import rfc3339

MAX_PASSKEYS = 10
CHALLENGE_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class TOTP:
    """
    An authenticator app (RFC 6238: SHA-1, six digits, 30 seconds; what every app knows). *secret* is in base32.

    It counts once it is *confirmed* by a code. *last_step* is the time step of the newest code accepted: none up to it is
    good again (RFC 6238 section 5.2).
    """

    secret: str = field(repr=False)
    created_at: str
    confirmed: bool = False
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential; its id and *public_key* (COSE) in base64url. *backed_up*: it lives in more than one place."""

    credential_id: str
    public_key: str = field(repr=False)
    sign_count: int
    name: str
    backed_up: bool
    transports: tuple[str, ...]
    created_at: str
    last_used_at: str | None = None

    @property
    def id(self) -> str:
        """What the API calls it by."""
        return passkey_id(self.credential_id)

    def as_json(self) -> dict[str, Any]:
        """What may be shown of it."""
        shown = {name: getattr(self, name) for name in ("id", "name", "backed_up", "created_at", "last_used_at")}
        return {"type": "passkey", **shown}


@dataclass(frozen=True, slots=True)
class Factors:
    """All of one person's. *recovery* are hashes of unused codes; *spent* are challenges, with when they expire anyway."""

    tenant_id: str
    user_id: str
    version: int = 0
    totp: TOTP | None = None
    recovery: tuple[str, ...] = field(default=(), repr=False)
    passkeys: tuple[Passkey, ...] = ()
    spent: Mapping[str, float] = field(default_factory=dict)

    @property
    def second(self) -> bool:
        """Whether a password alone does not sign this person in."""
        return self.totp is not None and self.totp.confirmed

    def passkey(self, credential_id: str) -> Passkey | None:
        """The passkey of this credential id."""
        return next((each for each in self.passkeys if each.credential_id == credential_id), None)

    def changed(self, **fields: Any) -> "Factors":
        """The next version."""
        return replace(self, version=self.version + 1, **fields)

    def having_spent(self, challenge: str, now: datetime, **fields: Any) -> "Factors":
        """The next version, in which *challenge* is used up; those that have expired are forgotten."""
        kept = {each: until for each, until in self.spent.items() if until > now.timestamp()}
        return self.changed(spent={**kept, challenge: (now + CHALLENGE_LIFETIME).timestamp()}, **fields)

    def as_json(self) -> list[dict[str, Any]]:
        """What may be shown of them."""
        shown: list[dict[str, Any]] = []
        if self.totp is not None and self.totp.confirmed:
            shown.append({"id": "totp", "type": "totp", "name": "Authenticator app", "created_at": self.totp.created_at})
            shown.append({"id": "recovery_codes", "type": "recovery_codes", "remaining": len(self.recovery)})
        return shown + [each.as_json() for each in self.passkeys]

    def document(self) -> dict[str, Any]:
        """As plain values, secrets included: to be sealed."""
        fields = asdict(self)
        return {name: fields[name] for name in ("totp", "recovery", "passkeys", "spent")}

    @classmethod
    def of_document(cls, tenant_id: str, user_id: str, version: int, document: Mapping[str, Any]) -> "Factors":
        """What `document` gave."""
        return cls(
            tenant_id,
            user_id,
            version,
            TOTP(**document["totp"]) if document["totp"] else None,
            tuple(document["recovery"]),
            tuple(Passkey(**{**each, "transports": tuple(each["transports"])}) for each in document["passkeys"]),
            document["spent"],
        )


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """For whom passkeys are made: the host of the stable URL, and the origin that pages have."""

    id: str
    origin: str
    name: str = "PLATFORMA"


def passkey_id(credential_id: str) -> str:
    """A passkey's id, of one length however long the authenticator's own is."""
    return "passkey_" + sha256(credential_id.encode()).hexdigest()[:32]


def at(now: datetime) -> str:
    """A time as it is kept."""
    return rfc3339(now)
