"""bootstrap.py says each thing once: of two who add to it at once, neither takes back what the other added."""

import ast
from collections import Counter
from pathlib import Path

from platforma import bootstrap


def test_no_name_is_bound_twice():
    names = []
    for node in ast.parse(Path(bootstrap.__file__).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]

    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert "audit" in names
