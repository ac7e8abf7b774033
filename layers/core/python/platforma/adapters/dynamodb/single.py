"""Reads and conditional updates of one item, outside of any transaction: they carry no event."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pynamodb.exceptions import DoesNotExist, PynamoDBException, UpdateError
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.tables import Item, cause_of, code_of
from platforma.kernel.errors import Unavailable

_CONDITION_FAILED = "ConditionalCheckFailedException"
Kept = TypeVar("Kept", bound=Item)


def written(item: Item, actions: list[Any], condition: Condition) -> bool:
    """
    Whether *actions* were applied to the item with these keys, which then holds what stands; not where *condition* fails.

    Raises:
        Unavailable: DynamoDB would not.
    """
    with answering():
        try:
            item.update(actions=actions, condition=condition)
        except UpdateError as error:
            if code_of(error) != _CONDITION_FAILED:
                raise
            return False
    return True


def read(model: type[Kept], pk: str, sk: str) -> Kept | None:
    """
    The item, read consistently.

    Raises:
        Unavailable: DynamoDB would not.
    """
    with answering():
        try:
            return model.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None


@contextmanager
def answering() -> Iterator[None]:
    """Tell of DynamoDB's failures as what they are to a caller."""
    try:
        yield
    except PynamoDBException as error:
        raise Unavailable(cause=cause_of(error)) from error
