"""Nothing stands in the console that nothing names: what is defined is used, by the console, a template or a test."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT

NAMED_IN = ("console/**/*.py", "kits/**/*.py", "examples/**/*.py", "tests/**/*.py", "templates/**/*.html")
WORD = re.compile(r"[A-Za-z_]\w*")
# Called by the library whose class they complete.
HOOKS = frozenset(
    {
        "connect_unix_socket",
        "get_command",
        "get_id",
        "handle_error",
        "list_commands",
        "load_dialect_impl",
        "open_session",
        "save_session",
        "settings_customise_sources",
        "visit_Call",
        "wrap_formdata",
    }
)
OWN_MARKS = frozenset({"property", "staticmethod", "classmethod"})


def test_everything_that_is_defined_is_named_somewhere() -> None:
    words = named()
    lonely = {f"{file}: {name}" for file, name in defined() if words[name] == 1 and name not in HOOKS}
    assert lonely == set()


def test_it_counts_only_what_is_there() -> None:
    found = {name for _file, name in defined()}
    assert found >= HOOKS
    assert len(found) > 3_000


def named() -> Counter[str]:
    found = Counter[str]()
    for pattern in NAMED_IN:
        for file in ROOT.glob(pattern):
            if file != Path(__file__):
                found.update(WORD.findall(file.read_text(encoding="utf-8")))
    return found


def defined() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "console").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            for name in names_of(node, is_outermost=node in tree.body):
                if not name.startswith("__"):
                    yield file.relative_to(ROOT).as_posix(), name


def names_of(node: ast.AST, *, is_outermost: bool) -> list[str]:
    match node:
        case ast.FunctionDef(name=name, decorator_list=marks):
            # What is marked by a library, such as a view, is called by it.
            return [name] if all(isinstance(mark, ast.Name) and mark.id in OWN_MARKS for mark in marks) else []
        case ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets) if is_outermost:
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)) if is_outermost:
            return [name]
        case _:
            return []
