"""docs/security-checklist.md and the marks of the tests are one list: each line has a test, or a reason why not."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

TABLE = ROOT / "docs" / "security-checklist.md"
LINE = re.compile(r"[A-Z][\w.()-]*\d[\w.()-]*")


def rows() -> dict[str, str]:
    """Return what the table says of each line."""
    found = re.findall(r"^\| ((?:V\d|PCI|AU|AC|EAM)[^| ]*) \| [^|]* \| ([^|]*) \|$", TABLE.read_text(), re.MULTILINE)
    assert len(found) == len(dict(found)), "each line stands once"
    return dict(found)


def marked(path: Path) -> dict[str, set[str]]:
    """Return which tests of a file claim which lines."""
    claims: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.checklist":
                    for argument in mark.args:
                        if isinstance(argument, ast.Constant) and LINE.fullmatch(str(argument.value)):
                            claims[str(argument.value)].add(f"{path.stem}::{node.name}")
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CHECKLIST":
            for line in ast.literal_eval(node.value):
                claims[line].add(f"attacks/{path.stem}")
    return claims


@cache
def claims() -> dict[str, set[str]]:
    """Return the claims of all tests."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for line, names in marked(path).items():
            found[line] |= names
    return found


def test_it_lists_every_line_that_a_test_claims() -> None:
    unknown = set(claims()) - set(rows())
    assert unknown == set()


@pytest.mark.parametrize("line", sorted(rows()))
def test_it_names_a_test_or_a_reason(line: str) -> None:
    said, proven = rows()[line], claims().get(line, set())
    named = set(re.findall(r"`([^`]+)`", said))
    if said.startswith(("later:", "not here:")):
        assert not proven, f"a test claims {line}: name it"
        assert len(said) > 20
    else:
        assert named, f"{line} names no test"
        assert named <= proven, f"{line} names tests that do not claim it: {sorted(named - proven)}"
