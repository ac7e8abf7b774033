"""
Token signing keys at work: ES256, private halves under the platform's key, the same choice in every instance.

Which key signs follows from stored times (`signing_key.states`), so that instances agree without speaking.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from platforma.kernel.clock import Clock, rfc3339, system_clock
from platforma.kernel.errors import Broken, NotFound, Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.envelope import Envelope
from platforma.keys.errors import SigningKeysMoved, UnknownSigningKey
from platforma.keys.jwk import from_jwk, thumbprint, to_jwk
from platforma.keys.ports import SigningKeyStore
from platforma.keys.signing_key import PUBLISHED_BEFORE, ROTATED_AFTER, SigningKey, newest, states

PURPOSE = "signing"
ALGORITHM = "ES256"
READ_EVERY = timedelta(seconds=60)
"""The age at which what is known of the keys is read again: a withdrawn key is trusted no longer."""
UNKNOWN_READ_EVERY = timedelta(seconds=5)
"""The least time between two readings because of unknown kids, which strangers can make up."""


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs a token: `jwt.encode(claims, key.private_key, algorithm=key.algorithm, headers={"kid": key.kid})`."""

    kid: str
    algorithm: str
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What verifies the tokens that name *kid*, by *algorithm* and no other."""

    kid: str
    algorithm: str
    public_key: ec.EllipticCurvePublicKey


class SigningKeys:
    """The signing keys as one instance knows them. Not for use by several threads at once."""

    def __init__(self, store: SigningKeyStore, envelope: Envelope, clock: Clock = system_clock) -> None:
        self._store = store
        self._envelope = envelope
        self._clock = clock
        self._stored: tuple[SigningKey, ...] = ()
        self._read_at: datetime | None = None
        self._private: PrivateKey | None = None
        self._public: dict[str, PublicKey] = {}

    def active(self) -> PrivateKey:
        """
        The key that signs now; unwrapped once, then kept.

        Raises:
            Unavailable: there is none yet, or its store or keeper is gone.
            DoesNotOpen: what is stored is not what was sealed.
        """
        self._read(READ_EVERY if self._stored else UNKNOWN_READ_EVERY)
        known = states(self._stored, self._clock())
        key = next((key for key in self._stored if known[key.kid] == "active"), None)
        if key is None:
            raise Unavailable("There is no signing key yet.")
        if self._private is None or self._private.kid != key.kid:
            self._private = _unseal(key, self._envelope)
        return self._private

    def public(self, kid: str) -> PublicKey:
        """
        The key that *kid* names.

        Raises:
            UnknownSigningKey: none that is in the key set.
            Unavailable: the store is gone.
        """
        self._read(READ_EVERY)
        if kid not in self._in_set():
            self._read(UNKNOWN_READ_EVERY)
        if kid not in self._in_set():
            raise UnknownSigningKey
        return self._public[kid]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """
        The key set (RFC 7517 section 5), in the order in which the keys sign.

        Raises:
            Unavailable: the store is gone.
        """
        # A set without keys is a system that is being set up: nobody is told of it for a minute longer.
        self._read(READ_EVERY if self._stored else timedelta(0))
        by_kid = {key.kid: key for key in self._stored}
        return {"keys": [_published(by_kid[kid]) for kid in self._in_set()]}

    def _in_set(self) -> list[str]:
        return [kid for kid, state in states(self._stored, self._clock()).items() if state != "ended"]

    def _read(self, every: timedelta) -> None:
        now = self._clock()
        if self._read_at is None or not timedelta(0) <= now - self._read_at < every:
            self._stored = tuple(self._store.all())
            self._public = {key.kid: PublicKey(key.kid, key.algorithm, _public_key(key)) for key in self._stored}
            self._read_at = now


def ensure_signing_key(
    store: SigningKeyStore, envelope: Envelope, *, attempt: Attempt, clock: Clock = system_clock
) -> SigningKey:
    """The newest signing key, made (and active at once) if there is none; two at the same time make one."""
    if last := newest(store.all()):
        return last
    now = clock().replace(microsecond=0)
    try:
        return _add(store, _generate(1, envelope, now=now, active_at=now), attempt)
    except SigningKeysMoved:
        last = newest(store.all())
        if last is None:
            raise
        return last


def rotate_signing_key(
    store: SigningKeyStore, envelope: Envelope, *, attempt: Attempt, clock: Clock = system_clock, forced: bool = False
) -> SigningKey | None:
    """
    Give the newest key a successor if it is old enough (or *forced*), published now, active in ten minutes.

    None: it is not due. Keys that have ended are removed in the same write. For a schedule, any time in a day will do.

    Raises:
        NotFound: there is no key yet.
        SigningKeysMoved: another rotation came first.
    """
    stored, now = store.all(), clock().replace(microsecond=0)
    last = newest(stored)
    if last is None:
        raise NotFound("There is no signing key yet.")
    if not forced and now < last.active_at + ROTATED_AFTER:
        return None
    successor = _generate(last.number + 1, envelope, now=now, active_at=now + PUBLISHED_BEFORE)
    return _add(store, successor, attempt, drop=_ended(stored, now))


def withdraw_signing_key(
    kid: str, store: SigningKeyStore, envelope: Envelope, *, attempt: Attempt, clock: Clock = system_clock
) -> SigningKey:
    """
    Remove a key that must not be trusted any more, and give its place to a new one that is active at once.

    Our own verifiers follow within `READ_EVERY`; others refuse the new key's tokens until they read the key set again.

    Raises:
        NotFound: there is no such key.
        SigningKeysMoved: keys were added in the meantime.
    """
    stored, now = store.all(), clock().replace(microsecond=0)
    last = newest(stored)
    if last is None or kid not in {key.kid for key in stored}:
        raise NotFound
    successor = _generate(last.number + 1, envelope, now=now, active_at=now)
    return _add(store, successor, attempt, drop=[kid, *_ended(stored, now)])


def _ended(stored: Sequence[SigningKey], now: datetime) -> list[str]:
    return [kid for kid, state in states(stored, now).items() if state == "ended"]


def _add(store: SigningKeyStore, key: SigningKey, attempt: Attempt, drop: Sequence[str] = ()) -> SigningKey:
    removed = list(dict.fromkeys(drop))
    changes = {"before": {"removed": removed}, "after": {"kid": key.kid, "active_at": rfc3339(key.active_at)}}
    event = attempt.event("success", resource=key.kid, resource_type="signing_key", changes=changes)
    store.add(key, drop=removed, event=event)
    return key


def _generate(number: int, envelope: Envelope, *, now: datetime, active_at: datetime) -> SigningKey:
    private_key = ec.generate_private_key(ec.SECP256R1())
    jwk = to_jwk(private_key.public_key())
    kid = thumbprint(jwk)
    raw = private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    sealed = envelope.seal(PLATFORM, PURPOSE, kid, raw)
    return SigningKey(kid, number, ALGORITHM, jwk, sealed, created_at=now, active_at=active_at)


def _unseal(key: SigningKey, envelope: Envelope) -> PrivateKey:
    raw = envelope.open(PLATFORM, PURPOSE, key.kid, key.sealed)
    private_key = serialization.load_der_private_key(raw, password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey) or to_jwk(private_key.public_key()) != dict(key.public_jwk):
        raise Broken("A signing key's halves are not of one key.", kid=key.kid)
    return PrivateKey(key.kid, key.algorithm, private_key)


def _public_key(key: SigningKey) -> ec.EllipticCurvePublicKey:
    if key.algorithm != ALGORITHM or thumbprint(key.public_jwk) != key.kid:
        raise Broken("A signing key is not what its kid says.", kid=key.kid)
    return from_jwk(key.public_jwk)


def _published(key: SigningKey) -> dict[str, str]:
    return {**key.public_jwk, "kid": key.kid, "alg": key.algorithm, "use": "sig"}
