"""A claim that one request is done once: what `Idempotency-Key` is kept as."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """
    Who asked with which key for what.

    *name* is a hash of caller, operation and key, *body* a keyed one of what was sent. *answer* is the sealed answer, once
    there is one. Times are epoch seconds.
    """

    tenant_id: str
    name: str
    body: str
    made_at: int
    expires: int
    answer: bytes | None = None


class Claims(Protocol):
    """Where claims are kept. Every write is conditional; each may raise `Unavailable`."""

    def take(self, claim: Claim, *, stale_before: int) -> Claim | None:
        """Keep *claim* unless one of its name is there that has not expired and is answered or younger; that one then."""

    def answer(self, claim: Claim) -> None:
        """Keep the claim with its answer, in place of the one that was taken."""

    def give_back(self, claim: Claim) -> None:
        """Forget the claim, if it is still the one that was taken."""
