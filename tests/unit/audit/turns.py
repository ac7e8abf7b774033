"""Several processes that take turns at every access to store and bucket, in an order that a test decides."""

import threading


class Turns:
    """Runs each of *bodies* in a thread of its own; none moves past an access before it is told to."""

    def __init__(self, bodies):
        self._condition = threading.Condition()
        self._may = None
        self._waits: set[int] = set()
        self._over: set[int] = set()
        self.failures: list[BaseException] = []
        self._names: dict[int, int] = {}
        self._threads = [threading.Thread(target=self._run, args=(at, body), daemon=True) for at, body in enumerate(bodies)]

    def _run(self, at, body):
        self._names[threading.get_ident()] = at
        try:
            self.access()
            body()
        except BaseException as error:  # noqa: BLE001  told to the test
            self.failures.append(error)
        finally:
            with self._condition:
                self._over.add(at)
                self._condition.notify_all()

    def access(self, *_):
        """Called by a process where others may come between; by nobody else it passes."""
        at = self._names.get(threading.get_ident())
        if at is None:
            return
        with self._condition:
            self._waits.add(at)
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._may == at)
            self._may = None
            self._waits.discard(at)

    def start(self):
        for thread in self._threads:
            thread.start()
        self._settle()

    def _settle(self):
        with self._condition:
            settled = lambda: self._may is None and len(self._waits | self._over) == len(self._threads)
            assert self._condition.wait_for(settled, timeout=20)

    @property
    def ready(self):
        return sorted(self._waits - self._over)

    def step(self, at):
        with self._condition:
            self._may = at
            self._waits.discard(at)
            self._condition.notify_all()
        self._settle()

    def run(self, bursts, between=lambda: None):
        """Let one after the other make so many moves, as *bursts* say, then all to their ends in turn."""
        self.start()
        for who, moves in bursts:
            for _ in range(moves):
                if who in self.ready:
                    self.step(who)
            between()
        while ready := self.ready:
            self.step(ready[0])
        for thread in self._threads:
            thread.join(timeout=20)
