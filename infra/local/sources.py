"""What a deployment is made of, as one digest: if it is the same as last time, there is nothing to build and to deploy."""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from infra.local.stack import ROOT

# What `sam build` reads, and what decides how it builds.
BUILT_FROM = ("template.yaml", "infra/gateway.json", "functions", "layers", "requirements/sam.txt", "samconfig.toml")
NOT_DEPLOYED = {"__pycache__", ".DS_Store"}


def digest(paths: Iterable[Path], said: Mapping[str, str]) -> str:
    """Of every file at and under *paths*, by name and content, and of what is *said* besides."""
    total = hashlib.sha256(json.dumps(dict(said), sort_keys=True).encode())
    for file in files(paths):
        total.update(f"\0{file}\0{file.stat().st_mode & 0o111}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files at and under *paths*, in one order, without what tools leave lying about."""
    for path in paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in found if file.is_file() and not NOT_DEPLOYED & set(file.parts))


def built_from(said: Mapping[str, str]) -> str:
    """The digest of the functions, their layers, and the Python that the layers are for."""
    return digest([ROOT / name for name in BUILT_FROM], {"python": sys.version, **said})
