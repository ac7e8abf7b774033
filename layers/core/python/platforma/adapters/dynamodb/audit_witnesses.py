"""
Chosen witnesses in the Audit table.

    {tenant}#WITNESSES / {witness}             whom checkpoints are offered to
    {tenant}#OFFERED#{witness} / {log}         how it stands between the two
    {PLATFORM}#CHOSEN / {tenant}#{witness}     that there is one

What is gone is put as such and swept: no function that changes witnesses may delete. How it stands is swept when nothing was
noted for long.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from platforma.adapters.dynamodb.single import answering, read
from platforma.adapters.dynamodb.tables import Item, Tables
from platforma.adapters.dynamodb.transaction import Outbox, Transaction
from platforma.audit.witnesses.model import ChosenWitness, Offered
from platforma.kernel.clock import Clock, system_clock
from platforma.kernel.errors import Conflict, PreconditionFailed
from platforma.kernel.events import Event
from platforma.kernel.tenancy import PLATFORM

_ALL = f"{PLATFORM}#CHOSEN"
_GONE = 1
"""The time at which what is gone expired, so that it is swept."""
_KEPT = timedelta(days=90)


class WitnessItem(Item):
    """A witness. One without *state* is gone."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    version = NumberAttribute()
    state = UnicodeAttribute(null=True)


class OfferedItem(Item):
    """How it stands with a log."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    state = UnicodeAttribute()


class WitnessMarkItem(Item):
    """That there is a witness, until it is *gone*."""

    table = "audit"

    class Meta:
        table_name = "unbound"

    gone = BooleanAttribute(default=False)


class DynamoDBWitnesses:
    """`Witnesses`."""

    def __init__(self, tables: Tables, outbox: Outbox, clock: Clock = system_clock) -> None:
        self._tables, self._outbox, self._clock = tables, outbox, clock

    def add(self, witness: ChosenWitness, event: Event) -> None:
        """Both items and the event in one transaction."""
        state = json.dumps({name: getattr(witness, name) for name in witness.__slots__}, separators=(",", ":"))
        item = WitnessItem(_key(witness.tenant_id), witness.id, version=witness.version, state=state)
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(item, WitnessItem.pk.does_not_exist(), refused=Conflict("The witness's id is taken."))
        transaction.put(WitnessMarkItem(_ALL, _mark(witness)))
        transaction.commit(event)

    def get(self, tenant_id: str, witness_id: str) -> ChosenWitness | None:
        """The one of this id."""
        item = read(WitnessItem, _key(tenant_id), witness_id)
        return None if item is None or item.state is None else ChosenWitness(**json.loads(item.state))

    def listed(self, tenant_id: str, *, after: str | None, limit: int) -> Sequence[ChosenWitness]:
        """Oldest first: ids sort by time. A tenant has few, and few that are gone."""
        newer = WitnessItem.sk > after if after else None
        with answering():
            found = [item.state for item in WitnessItem.query(_key(tenant_id), newer, consistent_read=True) if item.state]
        return [ChosenWitness(**json.loads(state)) for state in found[:limit]]

    def remove(self, witness: ChosenWitness, event: Event) -> None:
        """Put it and its mark as gone."""
        stands: Condition = (WitnessItem.version == witness.version) & WitnessItem.state.exists()
        transaction = Transaction(self._tables, self._outbox)
        gone = WitnessItem(_key(witness.tenant_id), witness.id, version=witness.version + 1, expires=_GONE)
        transaction.put(gone, stands, refused=PreconditionFailed())
        transaction.put(WitnessMarkItem(_ALL, _mark(witness), gone=True, expires=_GONE))
        transaction.commit(event)

    def every(self) -> Iterator[ChosenWitness]:
        """Those that are marked."""
        with answering():
            marks = [item.sk for item in WitnessMarkItem.query(_ALL, consistent_read=True) if not item.gone]
        for mark in marks:
            tenant_id, _, witness_id = mark.partition("#")
            if (witness := self.get(tenant_id, witness_id)) is not None:
                yield witness

    def offered(self, witness: ChosenWitness) -> Mapping[str, Offered]:
        """All that was noted."""
        with answering():
            items = list(OfferedItem.query(_offered_key(witness), consistent_read=True))
        return {item.sk: Offered(**json.loads(item.state)) for item in items}

    def note(self, witness: ChosenWitness, log_id: str, offered: Offered, event: Event | None = None) -> None:
        """Put it, with the event or not at all."""
        state = json.dumps(offered.as_json(), separators=(",", ":"))
        expires = int((self._clock() + _KEPT).timestamp())
        transaction = Transaction(self._tables, self._outbox)
        transaction.put(OfferedItem(_offered_key(witness), log_id, state=state, expires=expires))
        transaction.commit(*([event] if event else []))


def _key(tenant_id: str) -> str:
    return f"{tenant_id}#WITNESSES"


def _offered_key(witness: ChosenWitness) -> str:
    return f"{witness.tenant_id}#OFFERED#{witness.id}"


def _mark(witness: ChosenWitness) -> str:
    return f"{witness.tenant_id}#{witness.id}"
