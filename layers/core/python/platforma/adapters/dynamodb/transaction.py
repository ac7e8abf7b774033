"""
Transactions: writes that are made together with their audit events, or not at all.

This is the one place that reads why DynamoDB refused a transaction. PynamoDB sends checks, deletes, puts and updates in
this order, in whatever order they were added, and the reasons come back in the same order.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from platforma.adapters.dynamodb.tables import Item, Tables, cause_of
from platforma.kernel.errors import Broken, PlatformaError, Unavailable
from platforma.kernel.events import Event, entered

MAX_ITEMS = 100
_ATTEMPTS = 6
_CONDITION_FAILED = "ConditionalCheckFailed"
_RETRIED = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

Refusal = PlatformaError | Callable[[dict[str, Any] | None], PlatformaError]
"""What a failed condition means: an error, or what makes one of the item that was there (raw, as DynamoDB writes it)."""


class Outbox(Protocol):
    """Turns an event into the items that must be written with it."""

    def items(self, event: Event) -> Sequence[tuple[Item, Condition, Refusal]]:
        """The items to put for *event*, each with its condition and what it means when that fails."""


class Transaction:
    """
    Collects writes, then commits them with their events.

        t = Transaction(tables, outbox)
        t.put(item, UserItem.pk.does_not_exist(), refused=Conflict("..."))
        t.commit(attempt.event("success", resource=user.id))
    """

    def __init__(self, tables: Tables, outbox: Outbox | None = None) -> None:
        self._tables = tables
        self._outbox = outbox
        self._steps: dict[str, list[tuple[Callable[[TransactWrite], None], Refusal | None]]] = {
            kind: [] for kind in ("check", "delete", "put", "update")
        }

    def check(self, model: type[Item], pk: str, sk: str, condition: Condition, *, refused: Refusal) -> None:
        """Require *condition* of an item that is not written."""
        self._steps["check"].append((lambda t: t.condition_check(model, pk, sk, condition), refused))

    def delete(self, item: Item, condition: Condition | None = None, *, refused: Refusal | None = None) -> None:
        """Remove *item* (its keys are enough)."""
        self._steps["delete"].append((lambda t: t.delete(item, condition), refused))

    def put(self, item: Item, condition: Condition | None = None, *, refused: Refusal | None = None) -> None:
        """Write *item* whole."""
        returned = "ALL_OLD" if callable(refused) else None
        self._steps["put"].append((lambda t: t.save(item, condition, return_values=returned), refused))

    def update(
        self, item: Item, actions: list[Any], condition: Condition | None = None, *, refused: Refusal | None = None
    ) -> None:
        """Apply *actions* to the item with these keys."""
        returned = "ALL_OLD" if callable(refused) else None
        self._steps["update"].append((lambda t: t.update(item, actions, condition, return_values=returned), refused))

    def commit(self, *events: Event) -> None:
        """
        Do all of it, once, and note in the events' attempts that they are entered.

        Raises:
            PlatformaError: the `refused` of the first item whose condition failed; nothing was written.
            Unavailable: DynamoDB failed; nothing was written, or (if only the answer was lost) all of it, under the events'
            ids.
        """
        for event in events:
            if self._outbox is None:
                raise Broken("An event was given to a transaction without an outbox.")
            for item, condition, refused in self._outbox.items(event):
                self.put(item, condition, refused=refused)
        steps = [step for kind in self._steps.values() for step in kind]
        if not steps or len(steps) > MAX_ITEMS:
            raise Broken("A transaction holds 1 to 100 items.", items=len(steps))
        for attempt in range(_ATTEMPTS):
            if self._sent(steps, last=attempt == _ATTEMPTS - 1):
                entered(events)
                return
            time.sleep(random.uniform(0.01, 0.04) * 2**attempt)  # noqa: S311  jitter, not a secret

    def _sent(self, steps: list[tuple[Callable[[TransactWrite], None], Refusal | None]], *, last: bool) -> bool:
        """Whether it was committed; False where it only met another transaction and nothing was written."""
        try:
            with TransactWrite(connection=self._tables.connection) as transaction:
                for add, _ in steps:
                    add(transaction)
        except TransactWriteError as error:
            if not _may_retry(error, [refused for _, refused in steps]) or last:
                raise Unavailable(cause=cause_of(error)) from error
            return False
        except PynamoDBException as error:
            raise Unavailable(cause=cause_of(error)) from error
        return True


def _may_retry(error: TransactWriteError, refusals: list[Refusal | None]) -> bool:
    reasons = error.cancellation_reasons
    for reason, refused in zip(reasons, refusals, strict=False):
        if reason is not None and reason.code == _CONDITION_FAILED:
            if refused is None:
                raise Broken("A condition failed that nobody expected to.") from error
            raise (refused(reason.raw_item) if callable(refused) else refused) from error
    codes = {reason.code for reason in reasons if reason is not None}
    return bool(codes) and codes <= _RETRIED
