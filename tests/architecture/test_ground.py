"""The ground: lock files, ignored files, set-up targets and licence are what a newcomer relies on."""

import re
import socket
import subprocess
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import psycopg
import pytest

from tests import fence, postgres

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
TARGETS = ("run", "test", "check", "bench", "screens")
# Written in two halves, so that this file does not find itself.
MACHINE_PATH = re.compile(rb"(^|[^a-zA-Z0-9._/-])/(" + rb"root|home|work|farm|Users|opt)/[a-zA-Z0-9._]")
ADDRESS = re.compile(r"[a-z]+://|--index-url|--find-links|--extra-index-url")
BINARY = {".woff2", ".png", ".ico", ".whl"}


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that a commit would hold: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def blocks(lock: str) -> list[str]:
    """Return one text per locked requirement, its hashes included."""
    lines = [line for line in (ROOT / lock).read_text().splitlines() if not line.lstrip().startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


@pytest.mark.parametrize("lock", LOCKS)
def test_it_names_no_host_in_a_lock_file(lock: str) -> None:
    faults = [line for line in (ROOT / lock).read_text().splitlines() if ADDRESS.search(line)]
    assert faults == []


@pytest.mark.parametrize("lock", LOCKS)
def test_it_pins_and_hashes_every_requirement(lock: str) -> None:
    found = blocks(lock)
    assert len(found) > 30
    for block in found:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z, ]+\])?==\S+", block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


def test_it_locks_the_same_versions_for_tests_as_for_the_run() -> None:
    run, dev = ({block.split()[0] for block in blocks(lock)} for lock in LOCKS)
    assert run <= dev


def test_it_locks_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, declared in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-dev.lock", project["optional-dependencies"]["dev"]),
    ):
        locked = {re.split(r"[\[=]", block)[0].lower() for block in blocks(lock)}
        wanted = {re.split(r"[\[<>=~]", line)[0].lower() for line in declared}
        assert wanted - locked == set()


def test_it_holds_no_path_of_a_machine() -> None:
    faults = []
    for path in tracked():
        if path.suffix not in BINARY:
            for number, line in enumerate(path.read_bytes().splitlines(), start=1):
                if len(line) < 2_000 and MACHINE_PATH.search(line):
                    faults.append(f"{path.relative_to(ROOT)}:{number}: {line.decode(errors='replace').strip()}")
    assert faults == []


@pytest.mark.parametrize(
    "name",
    ["var/demo.json", "build/screens/home.png", ".venv/bin/python", "uv.lock", "console/__pycache__/app.pyc", ".env"],
)
def test_it_ignores_what_must_not_be_committed(name: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", name], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_it_keeps_no_build_folder_among_tracked_files() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert tops.isdisjoint({"var", "build", ".venv", "uv.lock"})


def test_it_documents_every_make_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    documented = re.findall(r"^  make (\S+) +\S", shown.stdout, re.MULTILINE)
    assert documented == phony[1].split()
    assert set(TARGETS) <= set(documented)
    assert re.findall(r"^([a-z]+):", makefile, re.MULTILINE) == documented


def test_it_runs_the_whole_suite_in_ci() -> None:
    runner = ROOT / ".ci" / "run"
    assert runner.stat().st_mode & 0o111
    assert runner.read_text().splitlines() == ["#!/bin/sh", "exec make test"]


def test_it_carries_its_licence() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"


def test_it_installs_the_command() -> None:
    (command,) = entry_points(group="console_scripts", name="sallyport")
    assert command.value == "console.app:main"


def test_it_says_in_every_folder_what_lives_there() -> None:
    packages = {path.parent for top in ("console", "tests", "kits", "examples") for path in (ROOT / top).rglob("*.py")}
    silent = []
    for folder in packages:
        opening = folder / "__init__.py"
        if not opening.is_file() or not opening.read_text().startswith('"""'):
            silent.append(str(folder.relative_to(ROOT)))
    assert silent == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "console.localhost", "", None, b"127.0.0.1"], ids=repr
)
def test_it_lets_tests_reach_this_machine(host: str | bytes | None) -> None:
    assert fence.is_local(host)


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "192.0.2.1", "2001:db8::1", "localhost.example.org"])
def test_it_keeps_tests_on_this_machine(host: str) -> None:
    assert not fence.is_local(host)


def test_it_stops_a_test_that_leaves_this_machine() -> None:
    with pytest.raises(fence.OutsideReachedError, match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)


def test_it_serves_a_real_postgresql_that_clones_databases(pg_database: Callable[..., str]) -> None:
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE kept (word text)")

    template = postgres.template_database("ground_template", build)
    assert postgres.template_database("ground_template", build) == template
    assert len(built) <= 1
    with psycopg.connect(pg_database(template).replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
