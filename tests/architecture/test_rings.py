"""The import contracts: the tree keeps them, and each one is able to catch what it forbids."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# One fault per contract, by the id of the contract in pyproject.toml.
FAULTS = {
    "rings": ("console/domain/fault.py", "import console.ports.clock"),
    "inner-rings": ("console/usecases/fault.py", "import sqlalchemy"),
    "web": ("console/web/fault.py", "import sqlalchemy"),
    "actions": ("console/actions/member/fault.py", "import console.actions.tenant.suspend"),
    "decide": ("console/web/fault_too.py", "import console.policy.decide"),
    "settings": ("console/adapters/fault.py", "import console.settings"),
    "siblings": ("console/domain/fault_too.py", "import console.web"),
}


def broken(root: Path) -> set[str]:
    """Return the names of the contracts that the tree under `root` breaks."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return set(re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE))


def contracts() -> dict[str, str]:
    """Return the name of every contract by its id."""
    text = (ROOT / "pyproject.toml").read_text()
    return dict(re.findall(r'^id = "(.+)"\nname = "(.+)"$', text, re.MULTILINE))


def test_it_keeps_every_contract() -> None:
    assert broken(ROOT) == set()


def test_it_has_a_contract_to_catch_each_fault(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "console", tmp_path / "console", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line in FAULTS.values():
        (tmp_path / name).write_text(f"{line}\n")
    assert set(FAULTS) == set(contracts())
    assert broken(tmp_path) == set(contracts().values())


def test_it_places_every_folder_in_a_ring(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "console", tmp_path / "console", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "console" / "elsewhere").mkdir()
    (tmp_path / "console" / "elsewhere" / "__init__.py").touch()
    assert broken(tmp_path) == {contracts()["rings"]}
