"""Notices as files in a local folder, for installations without mail and for tests."""

import json
import os
import re
from pathlib import Path

from console.domain.errors import OutsideError
from console.ports.outbox import Notice

_PRIVATE = 0o600
_ODD = re.compile(r"[^A-Za-z0-9_-]")


class NoticeFolder:
    """Writes one JSON file per notice; sending a notice again rewrites its own file, so nobody is told twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, notice: Notice) -> None:
        """Deliver one notice; raises OutsideError."""
        letter = {
            "id": notice.id,
            "to": notice.to,
            "kind": notice.kind,
            "sentence": notice.sentence,
            "path": notice.path,
            "at": notice.at.isoformat(),
        }
        name = f"{notice.at:%Y%m%dT%H%M%S}-{_ODD.sub('_', notice.id)}.json"
        draft = self._folder / f".{name}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(letter, file, ensure_ascii=False, indent=1)
                file.write("\n")
            draft.replace(self._folder / name)
        except OSError as broken:
            message = f"The notice could not be written: {broken.strerror}."
            raise OutsideError(message, permanent=False) from broken


class NoNotices:
    """Takes every notice and sends none: notices stay in the console."""

    def send(self, notice: Notice) -> None:
        """Do nothing; the in-app notice is already there."""
