"""
Token signing keys at work: private halves under the platform's key, the same choice in every instance.

One line of keys for each algorithm: ES256 signs access tokens, RS256 (or what a client registered for) its ID tokens.

Which key signs follows from stored times (`signing_key.states`), so that instances agree without speaking.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from platforma.kernel.clock import Clock, rfc3339, system_clock
from platforma.kernel.errors import Broken, NotFound, Unavailable
from platforma.kernel.events import Attempt
from platforma.kernel.tenancy import PLATFORM
from platforma.keys.envelope import Envelope
from platforma.keys.errors import SigningKeysMoved, UnknownSigningKey
from platforma.keys.jwk import NotAKey, PublicKeyTypes, from_jwk, thumbprint, to_jwk
from platforma.keys.ports import SigningKeyStore
from platforma.keys.signing_key import PUBLISHED_BEFORE, ROTATED_AFTER, SigningKey, newest, states

PURPOSE = "signing"
ALGORITHMS = ("ES256", "RS256", "EdDSA")
"""Every algorithm that tokens are signed with here, the default first."""
_ALGORITHM_OF = {"EC": "ES256", "RSA": "RS256", "OKP": "EdDSA"}
_RSA_BITS = 2048
_RACES = 5
READ_EVERY = timedelta(seconds=60)
"""The age at which what is known of the keys is read again: a withdrawn key is trusted no longer."""
SOON_READ_EVERY = timedelta(seconds=5)
"""
The age at which it is read again by who signs, since a withdrawn key's tokens are good to nobody; and the least time between
two readings because of unknown kids, which strangers can make up.
"""

PrivateKeyTypes = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs a token: `jwt.encode(claims, key.private_key, algorithm=key.algorithm, headers={"kid": key.kid})`."""

    kid: str
    algorithm: str
    private_key: PrivateKeyTypes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What verifies the tokens that name *kid*, by *algorithm* and no other."""

    kid: str
    algorithm: str
    public_key: PublicKeyTypes


class SigningKeys:
    """The signing keys as one instance knows them. Not for use by several threads at once."""

    def __init__(self, store: SigningKeyStore, envelope: Envelope, clock: Clock = system_clock) -> None:
        self._store = store
        self._envelope = envelope
        self._clock = clock
        self._stored: tuple[SigningKey, ...] = ()
        self._read_at: datetime | None = None
        self._private: dict[str, PrivateKey] = {}
        self._public: dict[str, PublicKey] = {}

    def active(self, algorithm: str = ALGORITHMS[0]) -> PrivateKey:
        """
        The key that signs by *algorithm* now; unwrapped once, then kept.

        Raises:
            Unavailable: there is none yet, or its store or keeper is gone.
            DoesNotOpen: what is stored is not what was sealed.
        """
        self._read(SOON_READ_EVERY)
        known = states(self._stored, self._clock())
        key = next((key for key in self._stored if key.algorithm == algorithm and known[key.kid] == "active"), None)
        if key is None:
            raise Unavailable("There is no signing key yet.")
        kept = self._private.get(algorithm)
        if kept is None or kept.kid != key.kid:
            kept = self._private[algorithm] = _unseal(key, self._envelope)
        return kept

    def public(self, kid: str) -> PublicKey:
        """
        The key that *kid* names.

        Raises:
            UnknownSigningKey: none that is in the key set.
            Unavailable: the store is gone.
        """
        self._read(READ_EVERY)
        if kid not in self._in_set():
            self._read(SOON_READ_EVERY)
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


def ensure_signing_keys(
    store: SigningKeyStore,
    envelope: Envelope,
    *,
    attempt: Attempt,
    clock: Clock = system_clock,
    algorithms: Sequence[str] = ALGORITHMS,
) -> list[SigningKey]:
    """The newest key of each algorithm, each made (and active at once) if there is none; two at the same time make one."""
    return [
        _ensure(algorithm, store, envelope, attempt=attempt, part=part, clock=clock)
        for part, algorithm in enumerate(algorithms, 1)
    ]


def _ensure(
    algorithm: str, store: SigningKeyStore, envelope: Envelope, *, attempt: Attempt, part: int, clock: Clock
) -> SigningKey:
    for last in (*(False,) * (_RACES - 1), True):
        stored = store.all()
        if found := newest(stored, algorithm):
            return found
        now = clock().replace(microsecond=0)
        try:
            return _add(store, _generate(algorithm, _next(stored), envelope, now=now, active_at=now), attempt, part=part)
        except SigningKeysMoved:
            if last:
                raise
    raise SigningKeysMoved


def rotate_signing_keys(
    store: SigningKeyStore,
    envelope: Envelope,
    *,
    attempt: Attempt,
    clock: Clock = system_clock,
    forced: bool = False,
    algorithms: Sequence[str] = ALGORITHMS,
) -> list[SigningKey]:
    """
    Give the newest key of each line a successor if it is old enough (or *forced*): published now, active in ten minutes.

    The successors; none where none is due, or there is no key yet: the first are made when the system is set up. Keys that
    have ended are removed in the same write. For a schedule, any time in a day will do.

    Raises:
        SigningKeysMoved: another rotation came first.
    """
    now = clock().replace(microsecond=0)
    if not store.all():
        return []
    made: list[SigningKey] = []
    for algorithm in algorithms:
        stored = store.all()
        last = newest(stored, algorithm)
        if last is not None and not forced and now < last.active_at + ROTATED_AFTER:
            continue
        successor = _generate(
            algorithm, _next(stored), envelope, now=now, active_at=now if last is None else now + PUBLISHED_BEFORE
        )
        made.append(_add(store, successor, attempt, drop=_ended(stored, now), part=len(made) + 1))
    return made


def withdraw_signing_key(
    kid: str, store: SigningKeyStore, envelope: Envelope, *, attempt: Attempt, clock: Clock = system_clock
) -> SigningKey:
    """
    Remove a key that must not be trusted any more, and give its place to a new one that is active at once.

    Who signs follows within `SOON_READ_EVERY`, our own verifiers within `READ_EVERY`; others refuse the new key's tokens
    until they read the key set again.

    Raises:
        NotFound: there is no such key.
        SigningKeysMoved: keys were added in the meantime.
    """
    stored, now = store.all(), clock().replace(microsecond=0)
    withdrawn = next((key for key in stored if key.kid == kid), None)
    if withdrawn is None:
        raise NotFound
    successor = _generate(withdrawn.algorithm, _next(stored), envelope, now=now, active_at=now)
    return _add(store, successor, attempt, drop=[kid, *_ended(stored, now)])


def _next(stored: Sequence[SigningKey]) -> int:
    return max((key.number for key in stored), default=0) + 1


def _ended(stored: Sequence[SigningKey], now: datetime) -> list[str]:
    return [kid for kid, state in states(stored, now).items() if state == "ended"]


def _add(
    store: SigningKeyStore, key: SigningKey, attempt: Attempt, *, drop: Sequence[str] = (), part: int = 1
) -> SigningKey:
    removed = list(dict.fromkeys(drop))
    after = {"kid": key.kid, "algorithm": key.algorithm, "active_at": rfc3339(key.active_at)}
    event = attempt.event(
        "success",
        resource=key.kid,
        resource_type="signing_key",
        changes={"before": {"removed": removed}, "after": after},
        part=part,
    )
    store.add(key, drop=removed, event=event)
    return key


def _generate(algorithm: str, number: int, envelope: Envelope, *, now: datetime, active_at: datetime) -> SigningKey:
    private_key: PrivateKeyTypes
    match algorithm:
        case "ES256":
            private_key = ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            private_key = ed25519.Ed25519PrivateKey.generate()
        case _:
            private_key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    jwk = to_jwk(private_key.public_key())
    kid = thumbprint(jwk)
    raw = private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    sealed = envelope.seal(PLATFORM, PURPOSE, kid, raw)
    return SigningKey(kid, number, algorithm, jwk, sealed, created_at=now, active_at=active_at)


def _unseal(key: SigningKey, envelope: Envelope) -> PrivateKey:
    raw = envelope.open(PLATFORM, PURPOSE, key.kid, key.sealed)
    private_key = serialization.load_der_private_key(raw, password=None)
    if not isinstance(private_key, PrivateKeyTypes) or to_jwk(private_key.public_key()) != dict(key.public_jwk):
        raise Broken("A signing key's halves are not of one key.", kid=key.kid)
    return PrivateKey(key.kid, key.algorithm, private_key)


def _public_key(key: SigningKey) -> PublicKeyTypes:
    try:
        public_key = from_jwk(key.public_jwk)
    except NotAKey:
        raise Broken("A stored public key is none.", kid=key.kid) from None
    if _ALGORITHM_OF[key.public_jwk["kty"]] != key.algorithm or thumbprint(key.public_jwk) != key.kid:
        raise Broken("A signing key is not what its kid says.", kid=key.kid)
    return public_key


def _published(key: SigningKey) -> dict[str, str]:
    return {**key.public_jwk, "kid": key.kid, "alg": key.algorithm, "use": "sig"}
