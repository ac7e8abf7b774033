"""
Claims of `Idempotency-Key`s, in the Audit table, which every function may put items into and nothing else.

    {tenant_id}#IDEMPOTENCY#{name} / CLAIM    who asked for what, and the sealed answer, for a day
"""

from typing import Any

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.kernel.claims import Claim
from platforma.kernel.errors import Conflict, PlatformaError

_SK = "CLAIM"
_ANSWER: Any = BinaryAttribute(legacy_encoding=False)


class IdempotencyItem(Item):
    """One key that was used. *answer* is there once the request was answered."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    body = UnicodeAttribute()
    made_at = NumberAttribute()
    answer = BinaryAttribute(legacy_encoding=False, null=True)


class _Taken(Conflict):
    """Another claim of this name stands."""

    def __init__(self, claim: Claim) -> None:
        super().__init__()
        self.claim = claim


class DynamoDBClaims:
    """`Claims`. A claim that was given back is one that expired when it was made: the function may not delete."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def take(self, claim: Claim, *, stale_before: int) -> Claim | None:
        """Keep *claim* unless a living one of its name is there; that one then."""

        def refused(found: dict[str, Any] | None) -> PlatformaError:
            return _Taken(_read(claim, found or {}))

        unanswered = IdempotencyItem.answer.does_not_exist() & (IdempotencyItem.made_at < stale_before)
        free = IdempotencyItem.pk.does_not_exist() | (IdempotencyItem.expires <= claim.made_at) | unanswered
        transaction = Transaction(self._tables)
        transaction.put(_item(claim, claim.expires), free, refused=refused)
        try:
            transaction.commit()
        except _Taken as taken:
            return taken.claim
        return None

    def answer(self, claim: Claim) -> None:
        """Keep the claim with its answer."""
        self._put(claim, claim.expires)

    def give_back(self, claim: Claim) -> None:
        """Let the next request with this key begin anew."""
        self._put(claim, claim.made_at - 1)

    def _put(self, claim: Claim, expires: int) -> None:
        mine: Condition = (IdempotencyItem.body == claim.body) & (IdempotencyItem.made_at == claim.made_at)
        transaction = Transaction(self._tables)
        transaction.put(_item(claim, expires), mine, refused=Conflict("The claim is another's now."))
        transaction.commit()


def _item(claim: Claim, expires: int) -> IdempotencyItem:
    return IdempotencyItem(
        f"{claim.tenant_id}#IDEMPOTENCY#{claim.name}",
        _SK,
        body=claim.body,
        made_at=claim.made_at,
        answer=claim.answer,
        expires=expires,
    )


def _read(claim: Claim, found: dict[str, Any]) -> Claim:
    raw = found.get("answer", {}).get("B")
    return Claim(
        tenant_id=claim.tenant_id,
        name=claim.name,
        body=str(found.get("body", {}).get("S", "")),
        made_at=int(found.get("made_at", {}).get("N", "0")),
        expires=int(found.get("expires", {}).get("N", "0")),
        answer=_ANSWER.deserialize(raw) if raw else None,
    )
