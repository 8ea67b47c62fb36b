"""Copies of the policy folder with something changed."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.policy.governed import POLICIES

Edit = Callable[[Path], None]


def copied(target: Path, *edits: Edit) -> Path:
    """Return a copy of policies/ after all edits."""
    folder = target / "policies"
    shutil.copytree(POLICIES, folder)
    for edit in edits:
        edit(folder)
    return folder


def swap(name: str, old: str, new: str) -> Edit:
    """Return an edit that replaces a text, which must be there."""

    def edit(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} no longer holds {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return edit


def add(name: str, text: str) -> Edit:
    """Return an edit that appends a text, to a new file if need be."""

    def edit(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    return edit


def drop(name: str) -> Edit:
    """Return an edit that removes a file."""
    return lambda folder: (folder / name).unlink()
