"""Published checkpoints in a local file that is only ever added to."""

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path

from console.domain.errors import OutsideError

FILE = "checkpoints.jsonl"
_PRIVATE = 0o600


class CheckpointFolder:
    """One note per line of `checkpoints.jsonl`, on the disk before `publish` returns.

    Shape: a line that a power cut tore is left where it is and skipped; it was never acknowledged.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def publish(self, note: str) -> None:
        """Store one more note durably; raises OutsideError."""
        line = json.dumps({"note": note}, ensure_ascii=True).encode() + b"\n"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT, _PRIVATE)
            with os.fdopen(handle, "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                size = os.fstat(file.fileno()).st_size
                is_torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
                _write_all(file.fileno(), b"\n" + line if is_torn else line)
                os.fsync(file.fileno())
        except OSError as broken:
            message = f"The checkpoint could not be stored: {broken.strerror}."
            raise OutsideError(message, permanent=False) from broken

    def published(self) -> Sequence[str]:
        """Return all notes, oldest first; raises OutsideError when a whole line is not a note."""
        try:
            raw = self._file.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as broken:
            message = f"The checkpoints could not be read: {broken.strerror}."
            raise OutsideError(message, permanent=False) from broken
        notes = (_note(line, number) for number, line in enumerate(raw.split(b"\n"), start=1) if line.strip())
        return tuple(note for note in notes if note is not None)


def _write_all(handle: int, raw: bytes) -> None:
    """Write every byte; a disk that fills up takes a part first."""
    while raw:
        raw = raw[os.write(handle, raw) :]


def _note(line: bytes, number: int) -> str | None:
    """Return the note of a line, or None for a torn one."""
    try:
        value = json.loads(line)
    except ValueError:
        if not line.endswith(b"}"):
            return None
        value = None
    if not isinstance(value, dict) or not isinstance(value.get("note"), str):
        message = f"Line {number} of the published checkpoints is not a checkpoint."
        raise OutsideError(message, permanent=True, line=number)
    note: str = value["note"]
    return note
