"""The composition root says each thing once: of two who add to it at once, neither takes back what the other added."""

import ast
import re
from collections import Counter
from pathlib import Path

from platforma import bootstrap


def test_no_name_is_bound_twice():
    names = []
    for file in sorted(Path(bootstrap.__file__).parent.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.append((file, node.name))
            elif isinstance(node, ast.Assign):
                names += [(file, target.id) for target in node.targets if isinstance(target, ast.Name)]

    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert "audit" in [name for file, name in names if file.stem == "use_cases"]


def test_what_functions_ask_of_the_root_is_there():
    assert [name for name in bootstrap.__all__ if not hasattr(bootstrap, name)] == []
    asked = set()
    for file in sorted((Path(__file__).parents[3] / "functions").rglob("*.py")):
        asked |= set(re.findall(r"bootstrap\.(\w+)", file.read_text()))
    assert asked - set(bootstrap.__all__) == set()
