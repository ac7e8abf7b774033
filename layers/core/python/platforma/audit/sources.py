"""A copy of a bucket in a folder, as what is verified. Locks and versions are the store's, and stay behind."""

from collections.abc import Iterable
from pathlib import Path

from platforma.audit.verify import Fault, Stored


class Folder:
    """`Source`: each file is an object, its name the path below *root*."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> Iterable[str]:
        """Every file."""
        return (path.relative_to(self._root).as_posix() for path in self._root.rglob("*") if path.is_file())

    def read(self, name: str) -> Stored:
        """A file's bytes."""
        return Stored((self._root / name).read_bytes())

    def faults(self) -> Iterable[Fault]:
        """None: a copy has no versions."""
        return ()
