"""
`Idempotency-Key`: a POST that creates is done once, and its answer given again for a day.

The key is claimed before anything is done, by a conditional write; the answer is sealed under the tenant's key. An answer
that held a secret is never kept: its replay says what was created and no more. A refused request gives its key back.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from platforma.edge.answer import Answer
from platforma.edge.call import Call
from platforma.kernel.claims import Claim, Claims
from platforma.kernel.errors import Conflict, Malformed, PlatformaError, Unavailable, Unprocessable

KEPT = timedelta(hours=24)
_AT_WORK = timedelta(seconds=60)
"""Longer than any function runs: a claim without an answer that is older was left by one that died."""
_KEY = re.compile(r"\A[\x21-\x7e]{1,255}\Z")


class KeyReused(Unprocessable):
    """The key was used for a request with another body."""

    code = "idempotency_key_reused"
    public = "This Idempotency-Key was used for another request."


class AtWork(Conflict):
    """The first request with this key is not answered yet."""

    code = "in_progress"
    public = "The first request with this Idempotency-Key is still being answered."


class AlreadyCreated(Conflict):
    """It was created, and its answer held a secret, which is shown once."""

    code = "already_created"
    public = "This was created by an earlier request; its secret was shown then."

    def __init__(self, resource_id: str) -> None:
        super().__init__(f"Created as {resource_id} by an earlier request; its secret was shown then.")
        self.resource_id = resource_id


class Sealing(Protocol):
    """Envelope encryption under the tenant's key."""

    def seal(self, tenant_id: str, purpose: str, record: str, plaintext: bytes) -> bytes:
        """The ciphertext, bound to tenant, purpose and record."""

    def open(self, tenant_id: str, purpose: str, record: str, ciphertext: bytes) -> bytes:
        """The plaintext again."""


class Idempotency:
    """Answers a call once for each key."""

    purpose: ClassVar[str] = "idempotency"

    def __init__(self, claims: Claims, envelope: Sealing, key: Callable[[], bytes]) -> None:
        self._claims, self._envelope, self._key = claims, envelope, key

    def answered(self, call: Call, do: Callable[[Call], Answer]) -> Answer:
        """
        The answer of *do*, or the one that the first request with this key got.

        Raises:
            Malformed: the key is none.
            KeyReused, AtWork, AlreadyCreated: what their names say.
            PlatformaError: what *do* raises; the key may be used again then.
        """
        key = call.headers.get("idempotency-key")
        if key is None:
            return do(call)
        if not _KEY.match(key):
            raise Malformed("An Idempotency-Key has 1 to 255 printable ASCII characters.")
        claim = self._claim(call, key)
        earlier = self._claims.take(claim, stale_before=claim.made_at - int(_AT_WORK.total_seconds()))
        if earlier is not None:
            return self._again(earlier, claim)
        try:
            answer = do(call)
        except Unavailable:
            raise  # whether it was done is not known: the claim stands until it is stale
        except PlatformaError:
            self._claims.give_back(claim)
            raise
        self._keep(call, claim, answer)
        return answer

    def _claim(self, call: Call, key: str) -> Claim:
        caller, now = call.caller, int(call.now.timestamp())
        parts = (caller.principal_type, caller.principal_id, call.endpoint.operation, json.dumps(dict(call.path)), key)
        return Claim(
            tenant_id=caller.tenant_id,
            name=hashlib.sha256("\0".join(parts).encode()).hexdigest(),
            # Keyed: a body may hold a password, and a plain hash of it could be guessed at by whoever reads the table.
            body=hmac.digest(self._key(), b"idempotency\0" + call.raw, hashlib.sha256).hex(),
            made_at=now,
            expires=now + int(KEPT.total_seconds()),
        )

    def _again(self, earlier: Claim, claim: Claim) -> Answer:
        if earlier.body != claim.body:
            raise KeyReused
        if earlier.answer is None:
            raise AtWork
        kept = json.loads(self._envelope.open(claim.tenant_id, self.purpose, claim.name, earlier.answer))
        if kept["body"] is None:
            raise AlreadyCreated(kept["resource"])
        return Answer(
            kept["status"], kept["body"], {**kept["headers"], "Idempotency-Replayed": "true"}, resource=kept["resource"]
        )

    def _keep(self, call: Call, claim: Claim, answer: Answer) -> None:
        kept: dict[str, Any] = {
            "status": answer.status,
            "headers": dict(answer.headers),
            "resource": answer.resource,
            "body": None if call.endpoint.secret else answer.body,
        }
        sealed = self._envelope.seal(claim.tenant_id, self.purpose, claim.name, json.dumps(kept).encode())
        self._claims.answer(Claim(claim.tenant_id, claim.name, claim.body, claim.made_at, claim.expires, sealed))
