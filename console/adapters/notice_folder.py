"""Notices as files in a local folder, for installations without mail and for tests."""

from pathlib import Path

from console.adapters.private_files import put_document
from console.domain.errors import OutsideError
from console.ports.outbox import Notice


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
        try:
            put_document(self._folder, notice.id, letter, at=notice.at)
        except OSError as broken:
            message = f"The notice could not be written: {broken.strerror}."
            raise OutsideError(message, permanent=False) from broken


class NoNotices:
    """Takes every notice and sends none: notices stay in the console."""

    def send(self, notice: Notice) -> None:
        """Do nothing; the in-app notice is already there."""
