"""Money is whole minor units: where it is reckoned with there is no float, and no division that could make one."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT

RECKONING = ("domain/billing", "domain/reconciling", "domain/accounting", "actions/billing", "actions/period")
WHOLE = {"int", "int | None"}


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield every module below some folders of the package."""
    for folder in folders:
        found = sorted((ROOT / "console" / folder).rglob("*.py"))
        assert found, folder
        for file in found:
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))


def inexact(tree: ast.AST) -> list[str]:
    """Return what is or makes a float."""
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]


def test_nothing_that_reckons_with_money_knows_a_float() -> None:
    assert {name: found for name, tree in modules(*RECKONING) if (found := inexact(tree))} == {}


def test_every_amount_is_a_whole_number() -> None:
    odd = [
        f"{name}:{node.lineno} {node.target.id}: {ast.unparse(node.annotation)}"
        for name, tree in modules("domain", "ports", "actions")
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.endswith("_minor")
        and ast.unparse(node.annotation) not in WHOLE
    ]  # fmt: skip
    assert odd == []


@pytest.mark.parametrize("text", ["x = 1.0", "x: float", "x = y / 2", "def f() -> float: ..."])
def test_it_would_notice(text: str) -> None:
    assert inexact(ast.parse(text))
