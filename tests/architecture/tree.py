"""The tree of the product, parsed once: modules, their syntax, and what they import."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ROOT / "console"


@cache
def modules() -> dict[str, Path]:
    """Return every module of the product by its dotted name."""
    found = {}
    for path in sorted(CONSOLE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    """Return the syntax of one module."""
    return ast.parse(modules()[name].read_text())


def calls(name: str) -> list[str]:
    """Return what a module calls, dotted, as it is written."""
    return [ast.unparse(node.func) for node in ast.walk(tree(name)) if isinstance(node, ast.Call)]


def texts(name: str) -> set[str]:
    """Return every text that stands in a module."""
    constants = (node.value for node in ast.walk(tree(name)) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


@cache
def functions(name: str) -> dict[str, ast.FunctionDef]:
    """Return the functions at the top of a module."""
    return {node.name: node for node in tree(name).body if isinstance(node, ast.FunctionDef)}


@cache
def imported(name: str) -> dict[str, str]:
    """Return where each name of a module was imported from: `console.usecases.sign_in:sign_out`, or a module."""
    found: dict[str, str] = {}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}:{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
    return found
