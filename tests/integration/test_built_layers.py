"""
Every built function imports from its built layers alone: nothing of a developer's environment, nor of the emulator's.

An interpreter with `-I -S` sees the standard library only; the function's own layers are put before it as Lambda does.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.template import load
from tests.integration.conftest import Running

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
PROGRAM = """
import json, sys
code, *layers = sys.argv[1:]
sys.path[:0] = [code, *layers]
sys.dont_write_bytecode = True
import app
assert callable(app.handler)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


EVERYTHING = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[1:]
sys.dont_write_bytecode = True
import platforma
for module in pkgutil.walk_packages(platforma.__path__, "platforma."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def function_of(folder: str) -> str:
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


class Built:
    """What `sam build` made of the template, and where it left functions and layers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.resources = load(folder / "template.yaml")["Resources"]

    def place(self, name: str) -> str:
        described = self.resources[name]["Properties"]
        return str((self.folder / described.get("CodeUri", described.get("ContentUri"))).resolve())

    def layer(self, name: str) -> str:
        return str(Path(self.place(name)) / "python")

    def imported(self, folder: str) -> subprocess.CompletedProcess[str]:
        """The function's module, imported by an interpreter of its own with a bare environment."""
        layers = [self.layer(layer["Ref"]) for layer in self.resources[function_of(folder)]["Properties"]["Layers"]]
        return bare(PROGRAM, self.place(function_of(folder)), *layers)


@pytest.fixture(scope="module")
def built(running: Running) -> Built:
    return Built(running.home / "build" / "platforma")


def bare(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": ""}, check=False)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_imports_from_its_layers_alone(built: Built, folder: str) -> None:
    done = built.imported(folder)

    assert done.returncode == 0, done.stderr


def test_all_of_the_core_imports_from_its_layers(built: Built) -> None:
    """What functions import only when it is first used included; Argon2 is asked for by who hashes passwords alone."""
    carried = ("CoreLayer", "RuntimeLayer", "SamlLayer", "PagesLayer", "AcmeLayer", "ScimLayer")
    done = bare(EVERYTHING, *map(built.layer, carried))

    assert done.returncode == 0, done.stderr


def test_functions_that_hash_passwords_carry_what_hashes_them(built: Built) -> None:
    done = bare("import sys; sys.path[:0] = sys.argv[1:]; import argon2", built.layer("PasswordsLayer"))

    assert done.returncode == 0, done.stderr


def test_what_makes_exports_carries_what_writes_parquet(built: Built) -> None:
    done = bare("import sys; sys.path[:0] = sys.argv[1:]; import duckdb", built.layer("ColumnarLayer"))

    assert done.returncode == 0, done.stderr


def test_a_function_that_answers_anybody_needs_no_vault_client(built: Built) -> None:
    done = built.imported("platform_catalogue")

    assert not {"hvac", "boto3", "pynamodb"} & set(json.loads(done.stdout))
