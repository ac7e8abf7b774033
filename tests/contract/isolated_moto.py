"""
moto's DynamoDB, with requests isolated from each other as DynamoDB's are.

moto writes all of a transaction's items and then takes a cancelled one back, in the sight of other threads: they read what
never was, and what they write in between is lost.
"""

from functools import wraps
from threading import RLock

from moto.dynamodb.models import DynamoDBBackend

_REQUESTS = ("get_item", "query", "scan", "put_item", "update_item", "delete_item", "transact_write_items")


def isolate(monkeypatch) -> None:
    """Let one thread at a time into the backend, for a whole request."""
    lock = RLock()

    def alone(inner):
        @wraps(inner)
        def locked(*args, **kwargs):
            with lock:
                return inner(*args, **kwargs)

        return locked

    for name in _REQUESTS:
        monkeypatch.setattr(DynamoDBBackend, name, alone(getattr(DynamoDBBackend, name)))
