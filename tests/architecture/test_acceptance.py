"""docs/acceptance.md names, for each number, tests that are there."""

import ast
import re
from functools import cache

import pytest

from tests.architecture.tree import ROOT

PAGE = ROOT / "docs" / "acceptance.md"
NUMBERS = set(range(1, 46))
ROWS = re.findall(r"^\| (?:(\d+) \| )?([^|]+) \| ([^|]*`[^|]*) \|$", PAGE.read_text(), re.MULTILINE)


@cache
def names() -> frozenset[str]:
    """Return every test as `file::name`, and every attack."""
    found = {f"attacks/{path.stem}" for path in (ROOT / "tests" / "attacks" / "cases").glob("*.py")}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(f"{path.stem}::{node.name}")
    return frozenset(found)


def test_it_holds_every_number_once() -> None:
    numbers = [int(number) for number, _what, _by in ROWS if number]
    assert sorted(numbers) == sorted(NUMBERS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0] or row[1][:40])
def test_what_it_names_is_there(row: tuple[str, str, str]) -> None:
    named = re.findall(r"`([^`]+)`", row[2])
    assert named
    assert set(named) - names() == set()
