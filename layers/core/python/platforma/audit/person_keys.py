"""
One key a person, made when the first event about them is entered; whoever destroys it erases what the log says of them.

A person's key is random, sealed under the tenant's key and stored by conditional put, so that all who race get the same. A
person who was erased gets no key again: what is entered of them later goes under the day's key for unknown persons.
"""

import os
from collections.abc import Iterable
from datetime import timedelta

from platforma.audit.entry import Named
from platforma.audit.errors import LogBroken
from platforma.audit.personal import nobody
from platforma.audit.ports import PersonKeyStore
from platforma.kernel.clock import Clock, system_clock
from platforma.keys.envelope import Envelope
from platforma.keys.expiring import Expiring

PURPOSE = "person"
_LIFETIME = timedelta(minutes=1)
_SIZE = 8192


class PersonKeys:
    """
    Keys by person. Plaintext keys are held for a minute, but used only while the store still has what they were sealed as.

    So a relay that reads them under its lease knows that none is erased unless that lease is fenced off.
    """

    def __init__(self, store: PersonKeyStore, envelope: Envelope, clock: Clock = system_clock) -> None:
        self._store = store
        self._envelope = envelope
        self._cached: Expiring[tuple[str, str, bytes], bytes] = Expiring(clock, lifetime=_LIFETIME, size=_SIZE)

    def for_entering(self, tenant_id: str, persons: Iterable[tuple[str, str]]) -> dict[str, Named]:
        """The key to seal each person's values under, made where there is none; *persons* come with their `received_at`."""
        days = dict(persons)
        keys = self._known(tenant_id, days)
        named = {}
        for person, received_at in days.items():
            key = keys[person] if person in keys else self._made(tenant_id, person)
            if key is None:
                person_of_the_day = nobody(received_at)
                key = self._known(tenant_id, [person_of_the_day]).get(person_of_the_day) or self._made(
                    tenant_id, person_of_the_day
                )
                if key is None:
                    raise LogBroken("The key of a day's unknown persons was erased.", day=person_of_the_day)
                named[person] = Named(person_of_the_day, key)
            else:
                named[person] = Named(person, key)
        return named

    def by_name(self, tenant_id: str, names: Iterable[str]) -> dict[str, Named]:
        """The keys of these names, but those that were erased or never made."""
        return {name: Named(name, key) for name, key in self._known(tenant_id, names).items() if key is not None}

    def _known(self, tenant_id: str, names: Iterable[str]) -> dict[str, bytes | None]:
        """What the store has of these names: the key, or None where it was erased."""
        wanted = list(dict.fromkeys(names))
        found = self._store.find(tenant_id, wanted) if wanted else {}
        known: dict[str, bytes | None] = {}
        fresh: list[tuple[str, bytes]] = []
        for name, sealed in found.items():
            if sealed is None or (key := self._cached.get((tenant_id, name, sealed))):
                known[name] = None if sealed is None else key
            else:
                fresh.append((name, sealed))
        for (name, sealed), key in zip(fresh, self._envelope.open_all(tenant_id, PURPOSE, fresh), strict=True):
            known[name] = key
            self._cached.put((tenant_id, name, sealed), key)
        return known

    def _made(self, tenant_id: str, name: str) -> bytes | None:
        sealed = self._envelope.seal(tenant_id, PURPOSE, name, os.urandom(32))
        stored = self._store.make(tenant_id, name, sealed)
        if stored is None:
            return None
        key = self._envelope.open(tenant_id, PURPOSE, name, stored)
        self._cached.put((tenant_id, name, stored), key)
        return key

    def erase(self, tenant_id: str, name: str) -> None:
        """Destroy the key of this name for good. The caller holds the lease of every log that it may be used in."""
        self._store.erase(tenant_id, name)
