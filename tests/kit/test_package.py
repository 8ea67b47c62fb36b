"""The kit as a package of its own: what it needs, what it holds, and that it knows nothing of the console's inside."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, modules

KIT = ROOT / "kits" / "python"
FILES = sorted((KIT / "sallyport_kit").glob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40


def imports(path: Path) -> set[str]:
    """Return the packages at whose top a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
    return found


def test_it_needs_joserfc_and_nothing_else_but_in_the_flask_extension() -> None:
    foreign = {path.name: imports(path) - sys.stdlib_module_names - {"sallyport_kit"} for path in FILES}
    assert {name: found for name, found in foreign.items() if found - {"joserfc"}} == {
        "flask.py": {"flask", "werkzeug"}
    }
    assert set().union(*foreign.values()) == {"flask", "werkzeug", "joserfc"}
    declared = tomllib.loads((KIT / "pyproject.toml").read_text())["project"]
    assert [line.partition(">")[0] for line in declared["dependencies"]] == ["joserfc"]


def test_it_loads_no_web_framework_by_itself() -> None:
    script = (
        "import sys, sallyport_kit.wsgi, sallyport_kit.asgi\n"
        "print([name for name in ('flask', 'werkzeug') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=KIT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_it_and_the_console_know_nothing_of_each_other() -> None:
    wrong = re.compile(r"^\s*(from|import) (sallyport_kit|examples)\b", re.MULTILINE)
    assert [name for name, path in modules().items() if wrong.search(path.read_text())] == []
    product = sorted((ROOT / "examples").rglob("*.py"))
    assert [path.name for path in [*FILES, *product] if imports(path) & {"console", "tests"}] == []


def test_it_keeps_modules_and_functions_small() -> None:
    for path in [*FILES, *(ROOT / "examples").rglob("*.py")]:
        assert len(path.read_text().splitlines()) <= LONGEST_MODULE, path.name
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno + 1 <= LONGEST_FUNCTION, f"{path.name}: {node.name}"


@pytest.mark.slow
def test_it_can_be_built_and_used_without_this_repository(tmp_path: Path) -> None:
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=KIT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((KIT / name).read_bytes())
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-qq",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([*build, str(source)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("sallyport_kit-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"sallyport_kit/{path.name}" for path in FILES} | {"sallyport_kit/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    script = "import sallyport_kit.flask, sallyport_kit; print(sallyport_kit.__file__)"
    environ = {"PYTHONPATH": str(wheel), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert str(wheel) in done.stdout
