"""
Makes the virtual environments that everything else runs in, from the locks alone: `python3 infra/local/tools.py sam ...`.
`peers` is one of npm's, made by the locked node of the first: clients, providers and the browser of the tests.

Standard library only, since it is what a fresh checkout has. Each environment carries a stamp of what it was made from, so
that a second call costs milliseconds; one without a good stamp (half made, moved, another Python) is made anew.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)
PLACES = {"dev": ROOT / ".venv"} | {
    name: ROOT / ".tools" / name for name in ("sam", "ministack", "checkov", "acme2certifier", "peers")
}
NPM = {"peers": ROOT / "tests" / "peers"}
"""The environments of npm, and where what they are made from stands."""


class ToolsFailed(Exception):
    """An environment could not be made; the text says why and what to do."""


def lock_file(name: str) -> Path:
    """The hashed requirements of this environment."""
    if name in NPM:
        return NPM[name] / "package-lock.json"
    return ROOT / "requirements" / f"{name}.txt"


def stamp_of(name: str) -> str:
    """What a finished environment was made from: its place and the Python under it, then its lock."""
    ground = hashlib.sha256(f"{PLACES[name]}\0{sys.version}".encode()).hexdigest()
    return f"{ground}\n{hashlib.sha256(lock_file(name).read_bytes()).hexdigest()}\n"


def stamp_file(name: str) -> Path:
    """Where the stamp stands: beside the packages, so that it goes with them."""
    return PLACES[name] / "lib" / ".stamp"


def stamp_on(name: str) -> str:
    """The stamp that the environment carries; empty if it was never finished or its Python is gone."""
    stamp = stamp_file(name)
    ground = PLACES[name] / ("node_modules" if name in NPM else "bin/python")
    return stamp.read_text() if ground.exists() and stamp.exists() else ""


def is_made(name: str) -> bool:
    """Whether the environment is whole and made from today's lock."""
    return stamp_on(name) == stamp_of(name)


def pinned(requirement: str, lock: str) -> str:
    """The lock's own lines for one package, so that pip, too, takes exactly that file."""
    found = re.search(rf"^{re.escape(requirement)}==.*(?:\n    .*)*", lock, re.MULTILINE)
    if found is None:
        raise ToolsFailed(f"requirements/dev.txt does not lock {requirement}: run requirements/lock.sh")
    return "\n".join(line for line in found[0].splitlines() if not line.lstrip().startswith("#")).rstrip("\\ ") + "\n"


def make(name: str, log: Path) -> None:
    """
    Make one environment, by pip for the first one's uv and by uv for the rest; only a whole one is brought up to date.

    Raises:
        ToolsFailed: pip or uv said no; *log* holds what they said.
    """
    place = PLACES[name]
    whole = stamp_on(name).partition("\n")[0] == stamp_of(name).partition("\n")[0]
    if place.is_symlink() or place.is_file():
        place.unlink()
    stamp_file(name).unlink(missing_ok=True)
    if name in NPM:
        make_npm(name, log)
        stamp_file(name).parent.mkdir(exist_ok=True)
        stamp_file(name).write_text(stamp_of(name))
        return
    if not whole:
        shutil.rmtree(place, ignore_errors=True)
        if name == "dev":
            run([sys.executable, "-m", "venv", str(place)], log)
        else:
            run([uv(), "venv", "--quiet", "--python", sys.executable, str(place)], log)
    if name == "dev":
        pin = place / "uv.txt"
        pin.write_text(pinned("uv", lock_file("dev").read_text()))
        run([str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(pin)], log)
    sync = [uv(), "pip", "sync", "--quiet", "--require-hashes", "--python", str(place / "bin" / "python")]
    run([*sync, str(lock_file(name))], log)
    stamp_file(name).write_text(stamp_of(name))


def tell_of_our_code() -> None:
    """Have the first environment find our own packages from anywhere: `.venv/bin/python -m platforma.audit verify ...`."""
    for packages in (PLACES["dev"] / "lib").glob("python*/site-packages"):
        note, said = packages / "platforma.pth", f"{ROOT / 'layers' / 'core' / 'python'}\n"
        if not note.exists() or note.read_text() != said:
            note.write_text(said)


def make_npm(name: str, log: Path) -> None:
    """
    What the lock of npm says, without the packages' own scripts, and the browser among them unpacked.

    Raises:
        ToolsFailed: npm or node said no.
    """
    place, tools = PLACES[name], PLACES["dev"] / "bin"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(NPM[name], place, ignore=shutil.ignore_patterns("node_modules"))
    (place / "browser").mkdir()
    inside = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}", "TMPDIR": str(place / "browser")}
    run([str(tools / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], log, place, inside)
    run([str(tools / "node"), "unpack.mjs"], log, place, inside)


def uv() -> str:
    """The locked uv, which lives in the first environment."""
    return str(PLACES["dev"] / "bin" / "uv")


def run(command: list[str], log: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Run a command with its words in *log*."""
    with log.open("ab") as sink:
        sink.write(f"$ {' '.join(command)}\n".encode())
        sink.flush()
        finished = subprocess.run(
            command,
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
            cwd=cwd or ROOT,
            env=env,
            check=False,
            close_fds=False,
        )
    if finished.returncode:
        raise ToolsFailed(f"{Path(command[0]).name} ended with {finished.returncode}")


@contextmanager
def alone() -> Iterator[Path]:
    """Let one call at a time make environments; gives the log to write to. A killed call's pip or uv keeps the lock."""
    home = ROOT / ".tools"
    home.mkdir(exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        yield home / "tools.log"


def main(names: list[str]) -> int:
    """Make what is missing of *names*; the exit status."""
    if sys.version_info < OLDEST:
        sys.stderr.write(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}: make PYTHON=...\n"
        )
        return 1
    os.environ.pop("VIRTUAL_ENV", None)
    os.environ.pop("PYTHONPATH", None)
    wanted = dict.fromkeys(["dev", *names])
    if all(map(is_made, wanted)):
        tell_of_our_code()
        return 0
    with alone() as log:
        log.write_bytes(b"")
        for name in wanted:
            if is_made(name):
                continue
            began = time.monotonic()
            try:
                make(name, log)
            except (ToolsFailed, OSError) as error:
                last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                sys.stderr.write(
                    f"\n{last}\n\nFAILED: making {PLACES[name].relative_to(ROOT)}: {error}\n  log: {log}\n  "
                    "It needs the network (PyPI, npm), about 1 GB of disk, and Python's own venv and pip modules "
                    "(Debian: apt install python3-venv). Then run the same again.\n"
                )
                return 1
            print(f"  [{time.monotonic() - began:5.1f} s] {PLACES[name].relative_to(ROOT)} made", flush=True)
        tell_of_our_code()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
