"""A fair lock in front of SQLite's write lock: SQLite's own back-off starves writers."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from console.domain.errors import OutsideError

_LONGEST_WAIT_S = 30.0


class FairLock:
    """Lets writers of one process in, first come, first served."""

    def __init__(self) -> None:
        """Start with nobody inside."""
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._holder: int | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock for one transaction. Raises: OutsideError after waiting for 30 s."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """Wait for the lock; whoever gets it must leave it. Raises: OutsideError after waiting for 30 s."""
        me = threading.get_ident()
        with self._guard:
            if self._holder == me:
                message = "A writing unit is open in this thread already; a second one would wait for ever."
                raise RuntimeError(message)
            if self._holder is None:
                self._holder = me
                return
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(_LONGEST_WAIT_S):
            self._holder = me
            return
        with self._guard:
            if not called.is_set():
                self._waiting.remove(called)
                message = "The database is busy: no turn to write within 30 s."
                raise OutsideError(message, permanent=False)
            self._holder = me

    def leave(self) -> None:
        """Let the next in line have it."""
        with self._guard:
            self._holder = None
            if self._waiting:
                self._holder = -1  # promised to the next in line, so that a newcomer cannot slip in between
                self._waiting.popleft().set()


_locks: dict[Path, FairLock] = {}
_locks_guard = threading.Lock()


@lru_cache(maxsize=256)  # every writing unit asks, and resolving a path asks the file system for each of its parts
def fair_lock_of(database: Path) -> FairLock:
    """Return the one lock of this process for a database file."""
    with _locks_guard:
        return _locks.setdefault(database.resolve(), FairLock())
