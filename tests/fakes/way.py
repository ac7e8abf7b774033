"""
A way to a server over TCP that a test rules: slow, cut, or leading to another server, as a load balancer's does.

What goes over it is not looked at: TLS is between the two ends. It is handed on piece by piece.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PIECE = 65536


class Way:
    """
    *port* is where it begins and *leads_to* the port of the server, None where there is none: who comes is sent away.

    Each piece towards the server waits *delay* seconds, and so each answer comes that much later. *came* are the moments
    (`time.monotonic`) at which somebody came.
    """

    def __init__(self, leads_to: int | None) -> None:
        self.leads_to, self.delay = leads_to, 0.0
        self.came: list[float] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection that is open."""
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def came_since(self, moment: float) -> int:
        return sum(each >= moment for each in self.came)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.came.append(time.monotonic())
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            if self.leads_to is None:
                return
            with socket.create_connection(("127.0.0.1", self.leads_to), timeout=10) as far:
                far.settimeout(None)
                with self._lock:
                    self._open |= {near, far}
                back = threading.Thread(target=self._hand_on, args=(far, near, False), daemon=True)
                back.start()
                self._hand_on(near, far, True)
                back.join()
                with self._lock:
                    self._open -= {near, far}

    def _hand_on(self, source: socket.socket, target: socket.socket, slowed: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                if slowed and self.delay:
                    time.sleep(self.delay)
                target.sendall(piece)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def opened(leads_to: int | None) -> Iterator[Way]:
    """A way for a while."""
    way = Way(leads_to)
    try:
        yield way
    finally:
        way.close()
