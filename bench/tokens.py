"""Access tokens: issued and verified in process, against the peers' libraries in the same run."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from statistics import median
from typing import Any, cast

from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, KeySet

from platforma.adapters.memory.keys import MemoryDataKeys, MemorySigningKeyStore
from platforma.kernel.events import Attempt
from platforma.keys.envelope import Envelope
from platforma.keys.signing import SigningKeys, ensure_signing_keys
from platforma.oauth.access_token import issue_access_token, verify_access_token
from platforma.oauth.compact_jws import MAX_HELD

ISSUER = "https://platforma.test"
ROUNDS, CALLS = 7, 300


def clock() -> datetime:
    return datetime.now(UTC)


def _microseconds(call: Callable[[], object]) -> float:
    """The median over rounds of the CPU time of one call."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            call()
        taken.append((time.process_time() - started) / CALLS * 1e6)
    return round(median(taken), 1)


def run() -> dict[str, Any]:
    """CPU microseconds a token, and the ratio to joserfc, the JOSE library of Authlib, doing the same with the same key."""
    envelope, store = Envelope(MemoryDataKeys(), clock), MemorySigningKeyStore()
    attempt = Attempt("bench", "bench.tokens.run", clock, principal_type="system", principal_id="bench")
    ensure_signing_keys(store, envelope, attempt=attempt, clock=clock)
    keys = SigningKeys(store, envelope, clock)

    def issue() -> str:
        return issue_access_token(
            signing_keys=keys,
            issuer=ISSUER,
            subject="cli_01m86h9kkteqdtv79ft12yh2bc",
            client_id="cli_01m86h9kkteqdtv79ft12yh2bc",
            tenant_id="ten_01m86h9kkteqdtv79ft12yh2bc",
            scope=("infrastructure:read",),
            roles=("admin",),
            now=clock(),
        )[0]

    token = issue()
    unseen = cycle([issue() for _ in range(MAX_HELD + 1)])  # by the time that one comes again, it is forgotten
    private = keys.active()
    signing, public = ECKey.import_key(cast("Any", private.private_key)), KeySet.import_key_set(cast("Any", keys.jwks()))
    claims = joserfc_jwt.decode(token, public).claims
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": ISSUER}
    )
    header = {"alg": "ES256", "kid": private.kid, "typ": "at+jwt"}
    ours_issue, ours_verify = (
        _microseconds(issue),
        _microseconds(lambda: verify_access_token(next(unseen), signing_keys=keys, issuer=ISSUER, clock=clock)),
    )
    again = _microseconds(lambda: verify_access_token(token, signing_keys=keys, issuer=ISSUER, clock=clock))
    peer_issue = _microseconds(lambda: joserfc_jwt.encode(header, claims, signing))
    peer_verify = _microseconds(lambda: registry.validate(joserfc_jwt.decode(token, public).claims))
    return {
        "issue_us": ours_issue,
        "issue_per_second": round(1e6 / ours_issue),
        "issue_joserfc_us": peer_issue,
        "issue_ratio_to_joserfc": round(peer_issue / ours_issue, 2),
        "verify_us": ours_verify,
        "verify_again_us": again,
        "verify_joserfc_us": peer_verify,
        "verify_ratio_to_joserfc": round(peer_verify / ours_verify, 2),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:30} {value}")
