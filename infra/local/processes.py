"""
Servers that outlive the command which started them, known again by pid and command line.

A pid file is written by the process itself before it becomes the server (`sh` writes `$$`, then `exec`s), so there is no
moment at which a killed run leaves a server that nobody knows. A pid counts only while its command line still names our
files: a number that the system gave to somebody else meanwhile is never signalled.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.local.progress import wait_until

# Puts the server behind, as nobody's child; the inner shell's `$$` is the pid that the server then has.
DETACH = """umask 077; /bin/sh -c 'echo $$ > "$0"; exec "$@"' "$0" "$@" &"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the stack. *mark* is a path of ours that stands in its command line and in nobody else's."""

    name: str
    mark: Path
    pid_file: Path
    log: Path

    def pid(self) -> int | None:
        """Its pid if it runs; None if it does not, whatever the pid file says."""
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if str(self.mark) in command_line(pid) else None

    def start(self, command: Sequence[str], environment: Mapping[str, str], *, folder: Path) -> None:
        """Start it in a session of its own, so that a terminal's Ctrl-C does not reach it; words go to its log."""
        self.pid_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            subprocess.run(
                ["/bin/sh", "-c", DETACH, str(self.pid_file), *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=dict(environment), start_new_session=True,
                check=True,
            )  # fmt: skip
        wait_until(lambda: self.pid() is not None, 10, pause=0.01)

    def stop(self, *, seconds: float = 15) -> bool:
        """End it, kindly first; whether it ran at all."""
        if (pid := self.pid()) is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            if wait_until(lambda: self.pid() is None, patience):
                break
        self.pid_file.unlink(missing_ok=True)
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if (pid := self.pid()) is not None:
            os.kill(pid, number)


def command_line(pid: int) -> str:
    """The command line of a living process; empty if there is none (a zombie has none either)."""
    proc = Path("/proc")
    if proc.joinpath("self").exists():
        try:
            return proc.joinpath(str(pid), "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout if told.returncode == 0 else ""
