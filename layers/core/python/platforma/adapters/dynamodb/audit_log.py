"""
State of logs and the hot index, in the Audit table beside the outbox's items.

    {log_id}#LOG / HEAD                          the log's state, with its lease and its open intent
    {log_id}#HOT#{path}#{value} / {position}     an entered event, once under each path, for 90 days
    {log_id}#ASIDE / {position}                  an event that could not be entered
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException, UpdateError

from platforma.adapters.dynamodb.audit import CLAIM, LOGS, PENDING, ClaimItem, LogItem, PendingItem, pending_key
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Transaction
from platforma.audit.index import paths_of
from platforma.audit.model import HOT_DAYS, Head, Intent, Page, Row
from platforma.audit.ports import Path, Span
from platforma.kernel.clock import parse_rfc3339, rfc3339
from platforma.kernel.errors import Conflict, Unavailable

_HASH = 32


class HeadItem(Item):
    """A log's state."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    origin = UnicodeAttribute()
    size = NumberAttribute(null=True)
    frontier = BinaryAttribute(legacy_encoding=False, null=True)
    newest = UnicodeAttribute(null=True)
    fence = NumberAttribute(null=True)
    rung = NumberAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    until = NumberAttribute(null=True)
    checkpoint_size = NumberAttribute(null=True)
    checkpoint_at = UnicodeAttribute(null=True)
    intent_id = UnicodeAttribute(null=True)
    intent = UnicodeAttribute(null=True)


class HotItem(Item):
    """An entered event under one path."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    event_id = UnicodeAttribute()
    received_at = UnicodeAttribute()
    body = BinaryAttribute(legacy_encoding=False)
    sealed = BinaryAttribute(legacy_encoding=False)
    sequence = NumberAttribute()


class AsideItem(PendingItem):
    """An event that could not be entered, as it waited."""

    class Meta:
        table_name = "unbound"


class DynamoDBLogStore:
    """`LogStore`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
