"""Puts an SQLite file back to an earlier moment while a house has it open, for tests that try many ways from one place.

Copying the whole file back does the same, but SQLite then reads its schema anew in every connection, which took longer
than all that was tried. Here nothing is copied: what is committed after a moment is only appended to the write-ahead
log, whose index says how much of it counts (https://www.sqlite.org/walformat.html, "The WAL-Index File Format"). With
the beginning of the index written back as it was, every connection sees the moment again, and forgets what came after.
"""

import mmap
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_HEADER = slice(0, 96)  # twice the same 48 bytes
_COPIED = slice(96, 100)  # how much of the log a checkpoint has moved into the file
_LOG_HEADER, _FRAME_HEADER = 32, 24
_SUM_IN_FRAME = 16


@dataclass(frozen=True, slots=True)
class Place:
    """How much of the log counted at a moment, and what its frames added up to."""

    header: bytes
    copied: bytes

    @property
    def frames(self) -> int:
        """Return how many frames of the log counted."""
        return int(struct.unpack_from("=I", self.header, 16)[0])

    @property
    def page_bytes(self) -> int:
        """Return how large a page is."""
        size: int = struct.unpack_from("=H", self.header, 14)[0]
        return 65_536 if size == 1 else size

    @property
    def sums(self) -> tuple[int, int]:
        """Return the checksums of the last frame, which speak for all before it."""
        one, other = struct.unpack_from("=II", self.header, 24)
        return one, other


class WayBack:
    """The way back of one file. Nobody may be in a transaction when a place is kept or gone back to."""

    def __init__(self, raw: sqlite3.Connection, index: mmap.mmap, log: Path) -> None:
        """Keep a connection, so that the log stays, and the log's index."""
        self._raw = raw
        self._index = index
        self._log = log

    def here(self, *, is_first: bool = False) -> Place:
        """Return the present moment; the first of many begins an empty log, so that none fills it while going on."""
        if is_first:
            busy, _, left = self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert (busy, left) == (0, 0), "somebody is in a transaction"
        return Place(self._index[_HEADER], self._index[_COPIED])

    def back_to(self, place: Place) -> None:
        """Go back. Only to a place on the way that led here: what another way wrote over the log is not there."""
        assert self._index[_COPIED] == place.copied, "a checkpoint moved what came after into the file"
        assert not place.frames or self._sums_of(place) == place.sums, "another way was gone from an earlier place"
        self._index[_HEADER] = place.header

    def _sums_of(self, place: Place) -> tuple[int, int]:
        with self._log.open("rb") as log:
            log.seek(_LOG_HEADER + (place.frames - 1) * (_FRAME_HEADER + place.page_bytes) + _SUM_IN_FRAME)
            one, other = struct.unpack(">II", log.read(8))
        return one, other


@contextmanager
def way_back(file: Path) -> Iterator[WayBack]:
    """Open the way back of a file that is in WAL mode."""
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()  # makes the log and its index
        with file.with_name(f"{file.name}-shm").open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as index:
            yield WayBack(raw, index, file.with_name(f"{file.name}-wal"))
