"""A life of a log: events, copies, crashes, erasures, bells, sweeps and clocks in any order, against what was recorded."""

import json
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from platforma.adapters.memory.audit import MemoryOutbox
from platforma.audit import note
from platforma.audit.proof import Published
from platforma.audit.query import parse_query
from platforma.audit.search import search
from platforma.audit.spreading import log_added
from platforma.audit.tree import extended, leaf_hash, root_of
from platforma.kernel.errors import Unavailable
from tests.unit.audit.world import TENANT, Killed, World, user_id

MOST = 3
"""Logs of the tenant here."""


class LifeOfALog(RuleBasedStateMachine):
    @initialize(batch=st.integers(1, 4))
    def begin(self, batch):
        self.world = World(batch=batch)
        self.count = 0
        self.known: dict[str, list[bytes]] = {}
        self.rows: list = []
        self.erased: set[str] = set()

    @rule(result=st.sampled_from(["success", "denied"]), person=st.booleans())
    def an_event_is_recorded(self, result, person):
        self.count += 1
        changes = {"after": {"email": f"{self.count}@example.test"}} if person else None
        about = user_id(self.count % 3)
        self.world.record(self.count, result=result, changes=changes, resource=about, resource_type="user")

    @rule()
    def an_event_is_recorded_by_one_who_knows_of_one_log(self):
        self.count += 1
        event = self.world.event(self.count)
        MemoryOutbox(self.world.store, self.world.envelope, logs=1).enter(event)
        self.world.recorded[event.id] = event

    @precondition(lambda self: self.count and self.world.store.head(TENANT) and self.world.store.spread(TENANT) < MOST)
    @rule(late=st.booleans())
    def a_log_is_added(self, late):
        head, count = self.world.store.head(TENANT), self.world.store.spread(TENANT) + 1
        if late:
            self.world.attendant().ring([TENANT])
        added = self.world.outbox.add_log(head, count, log_added(f"{TENANT}.{count}", 200.0, self.world.clock))
        assert added != (late and self.world.store.head(TENANT).fence != head.fence)

    @precondition(lambda self: self.count)
    @rule(data=st.data())
    def an_event_is_recorded_again(self, data):
        event = data.draw(st.sampled_from(sorted(self.world.recorded.values(), key=lambda event: event.id)))
        self.world.outbox.enter(event)

    @rule()
    def a_copy_of_what_waits_is_kept(self):
        for log_id in self.logs:
            self.rows += [(log_id, row) for row in self.world.store.pending(log_id, limit=2).rows]

    @precondition(lambda self: self.rows and not self.world.store.waiting(self.rows[-1][0], [self.rows[-1][1].position]))
    @rule()
    def a_copy_comes_back(self):
        self.world.store.put_back(*self.rows.pop())

    @rule(after=st.integers(0, 40))
    def a_relay_is_killed(self, after):
        self._dies(after, lambda: self.world.attendant().ring(self.logs))

    @rule(after=st.integers(0, 60))
    def a_sweep_is_killed(self, after):
        self._dies(after, lambda: self.world.attendant().sweep())

    @rule()
    def a_bell_rings(self):
        self.world.attendant().ring(self.logs)

    @rule()
    def a_sweep_comes(self):
        self.world.attendant().sweep()

    @rule(seconds=st.sampled_from([-40, -1, 1, 31, 61, 700]))
    def time_passes_or_the_clock_is_set(self, seconds):
        self.world.now += timedelta(seconds=seconds)

    @rule(number=st.integers(0, 2), after=st.none() | st.integers(0, 60))
    def a_person_is_erased(self, number, after):
        if self.world.store.head(TENANT) is None:
            return
        erase = lambda: self.world.erase(user_id(number))
        try:
            self._dies(10**9 if after is None else after, erase)
        except Unavailable:
            return
        if after is None:
            self.erased.add(user_id(number))
            self.world.later(seconds=31)

    @invariant()
    def what_is_in_the_log_stays_as_it_is(self):
        lines = {log_id: self.world.lines(log_id) for log_id in self.logs}
        for log_id, known in self.known.items():
            assert lines[log_id][: len(known)] == known
        self.known = lines
        ids = [json.loads(line)["id"] for log_id in lines for line in lines[log_id]]
        assert len(ids) == len(set(ids))

    @invariant()
    def what_was_recorded_is_found_once(self):
        found = search(parse_query(TENANT, {"limit": "200"}), store=self.world.store, envelope=self.world.envelope)
        ids = [event["id"] for event in found.events if not event["action"].startswith("audit.")]
        assert sorted(ids) == sorted(self.world.recorded)

    @invariant()
    def nothing_is_left_of_the_erased(self):
        kept = self.world.person_keys.find(TENANT, sorted(self.erased))
        assert all(sealed is None for sealed in kept.values())

    @invariant()
    def every_checkpoint_holds(self):
        for log_id in self.logs:
            lines = self.world.lines(log_id)
            for key in self.world.bucket.names(f"{log_id}/checkpoints/"):
                kept = note.verify(self.world.bucket.get(key), [note.parse_key(self.world.key(log_id))])
                assert kept.root == root_of(extended((), 0, map(leaf_hash, lines[: kept.size])))

    def teardown(self):
        if not hasattr(self, "world") or not self.count:
            return
        self.world.dies_after = None
        self.world.later(minutes=5)
        for _ in range(2):
            self.world.attendant().sweep()
            self.world.later(seconds=46)
        found, published = [], Published(self.world.store, self.world.bucket)
        for log_id in self.logs:
            entries = [json.loads(line) for line in self.world.lines(log_id)]
            found += [entry["id"] for entry in entries if not entry["action"].startswith("audit.")]
            assert not self.world.store.pending(log_id, limit=1).rows
            if entries:
                assert published.inclusion(log_id, len(entries) - 1) is not None
        assert sorted(found) == sorted(self.world.recorded)

    @property
    def logs(self):
        return self.world.store.logs_of(TENANT)

    def _dies(self, after, doing):
        self.world.dies_after = after
        try:
            doing()
        except Killed:
            pass
        finally:
            self.world.dies_after = None


TestLifeOfALog = LifeOfALog.TestCase
TestLifeOfALog.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
