"""A fair lock in front of SQLite's write lock: SQLite's own back-off starves writers, in one process and in several."""

import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from console.domain.errors import OutsideError

_LONGEST_WAIT_S = 30.0
_LONGEST_WAIT_OUTSIDE_S = 5.0  # for other processes, as long as SQLite itself would wait
_LOOK_EVERY_S = 0.001
_GATE, _SEAT = 0, 1  # bytes of the file that are locked


class Turnstile:
    """Lets the processes of a machine in one after the other: whoever has just been in stands behind those who wait.

    Shape: two locks of the operating system in one file beside the database. Who waits for the seat holds the gate
    meanwhile, so that nobody overtakes; both come free when a process dies. A courtesy: what keeps writers apart is
    SQLite's own lock, and where the file cannot be had nobody waits for it.
    """

    def __init__(self, file: Path) -> None:
        """Keep the name of the file; nothing is opened yet."""
        self._file = file
        self._opened: int | None = None

    def enter(self) -> None:
        """Wait for the seat; one thread of a process at a time. Raises: OutsideError after waiting for 5 s."""
        try:
            file = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        until = time.monotonic() + _LONGEST_WAIT_OUTSIDE_S
        try:
            _wait_for(file, _GATE, until=until)
            _wait_for(file, _SEAT, until=until)
            fcntl.lockf(file, fcntl.LOCK_UN, 1, _GATE)
        except BaseException:
            os.close(file)
            raise
        self._opened = file

    def leave(self) -> None:
        """Let another process have the seat: what is closed is locked no more."""
        file, self._opened = self._opened, None
        if file is not None:
            os.close(file)


def _wait_for(file: int, byte: int, *, until: float) -> None:
    """Lock one byte of a file. Raises: OutsideError when another process still has it at `until`."""
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except BlockingIOError:
            if time.monotonic() > until:
                message = f"The database is busy: no turn to write within {_LONGEST_WAIT_OUTSIDE_S:.0f} s."
                raise OutsideError(message, permanent=False) from None
            time.sleep(_LOOK_EVERY_S)
        else:
            return


class FairLock:
    """Lets writers in, first come, first served: the threads of this process, and this process among the others."""

    def __init__(self, turnstile: Turnstile) -> None:
        """Start with nobody inside."""
        self._turnstile = turnstile
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
        self._enter_alone()
        try:
            self._turnstile.enter()
        except BaseException:
            self._leave_alone()
            raise

    def leave(self) -> None:
        """Let the next in line have it."""
        try:
            self._turnstile.leave()
        finally:
            self._leave_alone()

    def _enter_alone(self) -> None:
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

    def _leave_alone(self) -> None:
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
    found = database.resolve()
    with _locks_guard:
        if found not in _locks:
            _locks[found] = FairLock(Turnstile(found.with_name(f"{found.name}-turn")))
        return _locks[found]
