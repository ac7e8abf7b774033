"""A log's entries, opened by persons' keys: what was erased is not in them any more."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from platforma.audit.entry import boxes_of, open_salted
from platforma.audit.person_keys import PersonKeys
from platforma.audit.personal import OF_THE_ACTOR, unite

_NOT_CLEAR = ("sealed", "also_sealed", "sequence")


class Entry(NamedTuple):
    """An entry's clear part, and by person, by path: salt (base64) and value of what is left of persons' own."""

    sequence: int
    body: dict[str, Any]
    salted: dict[str, dict[str, Sequence[Any]]]

    def document(self) -> dict[str, Any]:
        """The event as the contract has it."""
        values = {path: value for found in self.salted.values() for path, (_, value) in found.items()}
        return {**dict.fromkeys(OF_THE_ACTOR), **unite(self.body, values), "sequence": self.sequence}


def open_entries(tenant_id: str, lines: Sequence[bytes], persons: PersonKeys) -> list[Entry]:
    """
    These entries of the tenant's, in order.

    Raises:
        LogBroken: one does not open with its person's key.
        Unavailable: no key is to be had.
    """
    entries = [json.loads(line) for line in lines]
    keys = persons.by_name(tenant_id, sorted({box["key"] for entry in entries for box in boxes_of(entry)}))
    opened = []
    for entry in entries:
        salted: dict[str, dict[str, Sequence[Any]]] = {}  # several boxes may be under one name, a day's
        for box in boxes_of(entry):
            if box["key"] in keys:
                salted.setdefault(box["key"], {}).update(open_salted(entry, box, keys[box["key"]].key))
        body = {name: value for name, value in entry.items() if name not in _NOT_CLEAR}
        opened.append(Entry(entry["sequence"], body, salted))
    return opened
