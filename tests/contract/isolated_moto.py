"""
moto's DynamoDB, with requests isolated from each other as DynamoDB's are.

moto writes all of a transaction's items and then takes a cancelled one back, in the sight of other threads: they read what
never was, and what they write in between is lost.
"""

from threading import RLock

from moto.dynamodb.responses import DynamoHandler


def isolate(monkeypatch) -> None:
    """Let one thread at a time into the backend, for a whole request."""
    lock, answer = RLock(), DynamoHandler.call_action

    def alone(handler):
        with lock:
            return answer(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", alone)
