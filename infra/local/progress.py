"""What a person at the terminal sees: one line a step with its time, and for a failure what, where and what now."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class StepFailed(Exception):
    """A step could not be done. *log* is where its words are, *remedy* what a person can do about it."""

    def __init__(self, what: str, *, log: Path | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what, self.log, self.remedy = what, log, remedy

    def told(self) -> str:
        """The failure for a terminal, with the last lines of its log."""
        lines = [f"\nFAILED: {self.what}"]
        if self.log is not None:
            lines.append(f"  log: {self.log}")
            if self.log.exists():
                lines += [f"    | {line}" for line in self.log.read_text(errors="replace").splitlines()[-12:]]
        if self.remedy is not None:
            lines.append(f"  what to do: {self.remedy}")
        return "\n".join(lines)


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def step(name: str) -> Iterator[Callable[[str], None]]:
    """Time a step and say so when it is done; the yielded function adds a remark to the line."""
    began, remarks = time.monotonic(), list[str]()
    yield remarks.append
    say(f"  [{time.monotonic() - began:5.1f} s] {name}{': ' if remarks else ''}{', '.join(remarks)}")


def wait_until(ready: Callable[[], bool], seconds: float, *, pause: float = 0.05) -> bool:
    """Ask until *ready* says yes or the time is up; whether it said yes."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
