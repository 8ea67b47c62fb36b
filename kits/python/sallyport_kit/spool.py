"""Reports on disk until the console has taken them, so that a process that is killed does not take them along.

Each process appends to a file of its own and holds its lock as long as it lives. Whoever starts later takes over what
lies there without a lock; what was told just before the end is told again, and the console keeps it once by its id.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sallyport_kit.errors import SettingsError

try:
    import fcntl
except ImportError:  # a system without these locks
    fcntl = None  # type: ignore[assignment]  # asked for before each use

_PRIVATE, _OWN = 0o600, 0o700
_SUFFIX = ".reports"
Report = Mapping[str, Any]


class Spool:
    """One folder; `most` bounds how many reports are read over from one that was killed, and what a file holds."""

    def __init__(self, folder: Path, *, most: int) -> None:
        """Make the folder where it is missing. Raises: SettingsError where it cannot be used."""
        if fcntl is None:
            raise SettingsError("spool needs file locks, which this system does not have.")
        try:
            folder.mkdir(mode=_OWN, parents=True, exist_ok=True)
        except OSError as wrong:
            raise SettingsError(f"spool cannot be used: {wrong}") from wrong
        self._folder = folder
        self._most = most
        self._file: int | None = None
        self._name: Path | None = None
        self._lines = 0

    def begin(self) -> None:
        """Leave the file of the process that this one was forked from; that one still writes it."""
        if self._file is not None:
            os.close(self._file)
        self._file, self._name, self._lines = None, None, 0

    def keep(self, report: Report, *, process: str) -> None:
        """Append one report. Raises: OSError."""
        self._append([report], process)

    def forget(self, left: Sequence[Report], *, process: str) -> None:
        """Drop what was told: all but these. Raises: OSError."""
        if self._file is None:
            return
        if not left:
            os.ftruncate(self._file, 0)
            self._lines = 0
        elif self._lines - len(left) > self._most:
            before, name = self._file, self._name
            self._file, self._name, self._lines = None, None, 0
            self._append(left, process)
            os.close(before)
            if name is not None:
                name.unlink(missing_ok=True)

    def left_behind(self, *, process: str) -> list[Report]:
        """Take over what processes left that are no more, oldest first. Raises: OSError."""
        found: list[Report] = []
        for name in sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.name):
            if name != self._name:
                found += self._taken_over(name, process)
        return found

    def close(self) -> None:
        """Leave nothing behind where nothing waits."""
        if self._file is not None and not os.fstat(self._file).st_size and self._name is not None:
            self._name.unlink(missing_ok=True)
        self.begin()

    def _taken_over(self, name: Path, process: str) -> list[Report]:
        try:
            handle = os.open(name, os.O_RDWR)
        except FileNotFoundError:
            return []
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(handle).st_nlink:  # somebody else was faster
                return []
            with os.fdopen(os.dup(handle), "rb") as content:
                reports = list(_reports(content))[-self._most :]
            if reports:
                self._append(reports, process)
            name.unlink()
        except BlockingIOError:
            return []  # its process lives
        finally:
            os.close(handle)
        return reports

    def _append(self, reports: Sequence[Report], process: str) -> None:
        if self._file is None:
            self._name = self._folder / f"{process}-{os.urandom(4).hex()}{_SUFFIX}"
            self._file = os.open(self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, _PRIVATE)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        lines = b"".join(json.dumps(report, separators=(",", ":")).encode() + b"\n" for report in reports)
        while lines:
            lines = lines[os.write(self._file, lines) :]
        self._lines += len(reports)


def _reports(lines: Iterable[bytes]) -> Iterable[Report]:
    """Yield what can be read; the last line of one that was killed may be cut."""
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("id"), str) and isinstance(found.get("at"), int | float):
            yield found
