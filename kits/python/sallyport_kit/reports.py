"""Tells the console about every impersonated request: in batches, in the background, and without losing one.

A place in the queue is taken before the request runs. Where there is none left the request is refused, because what
cannot be told must not happen. With a spool a report is on disk before its answer begins.
"""

import atexit
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Any
from uuid import uuid4

from sallyport_kit.console import Console, ReportsRefusedError
from sallyport_kit.effects import Effect
from sallyport_kit.errors import ConsoleSilentError
from sallyport_kit.settings import KitSettings
from sallyport_kit.spool import Spool

MOST_AT_ONCE = 500
_LONGEST_PAUSE_S = 30.0
_LAST_WORDS_S = 5.0
_LOG = logging.getLogger(__name__)


class Reporter:
    """A bounded queue and the thread that empties it; the thread begins with the first report, in this process only."""

    def __init__(self, settings: KitSettings, console: Console, *, clock: Callable[[], float] = time.time) -> None:
        """Register the last flush at the process's end."""
        self._console = console
        self._clock = clock
        self._most = settings.most_reports
        self._every_s = settings.report_every_s
        self._spool = Spool(Path(settings.spool), most=settings.most_reports) if settings.spool else None
        self._begin()
        self._take_over()
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Begin empty; after a fork the parent's reports are the parent's to tell."""
        if self._spool is not None:
            self._spool.begin()
        self._changed = Condition()
        self._sending = Lock()
        self._queue: deque[Mapping[str, Any]] = deque()
        self._taken = 0
        self._process, self._numbers = uuid4().hex, count(1)
        self._thread: Thread | None = None
        self._is_closed = False
        self._is_spool_broken = False
        self.turned_away = 0
        self.not_taken = 0

    def take_place(self) -> bool:
        """Keep a place for one report; False when the queue is full."""
        with self._changed:
            if self._taken >= self._most or self._is_spool_broken:
                self.turned_away += 1
                self._is_spool_broken = False  # the next one tries the disk again
                return False
            self._taken += 1
            return True

    def give_back(self) -> None:
        """Return a place that was not needed."""
        with self._changed:
            self._taken -= 1

    def put(self, sid: str, *, method: str, pattern: str, effect: Effect, status: int, code: str = "") -> None:
        """Tell about one request in the place that was taken for it; `code` is set when the kit refused it."""
        report = {
            "id": f"{self._process}-{next(self._numbers):x}",
            "sid": sid,
            "at": self._clock(),
            "method": method,
            "route": pattern,
            "effect": effect.value,
            "outcome": "refused" if code else "done",
            "status": status,
        }
        with self._changed:
            self._queue.append({**report, "code": code} if code else report)
            self._spooled(lambda spool: spool.keep(self._queue[-1], process=self._process))
            self._start()
            if len(self._queue) >= MOST_AT_ONCE:
                self._changed.notify()

    def flush(self, *, within_s: float = _LAST_WORDS_S) -> bool:
        """Send what waits, now; False when something is left because the console does not take it in time."""
        until = time.monotonic() + within_s
        while self._taken_by_queue():
            try:
                self._send_one()
            except ConsoleSilentError as silent:
                if time.monotonic() >= until:
                    _LOG.error("%d reports of impersonated requests are left untold: %s", len(self._queue), silent)
                    return False
                time.sleep(0.1)
        return True

    def close(self) -> None:
        """Stop the thread and flush for the last time."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_LAST_WORDS_S)
        self.flush()
        with self._changed:
            self._spooled(lambda spool: spool.close())

    def _start(self) -> None:
        if self._thread is None and not self._is_closed:
            self._thread = Thread(target=self._run, name="sallyport-reports", daemon=True)
            self._thread.start()

    def _take_over(self) -> None:
        """Queue what processes left behind that were killed."""
        with self._changed:
            before = len(self._queue)
            self._spooled(lambda spool: self._queue.extend(spool.left_behind(process=self._process)))
            found = len(self._queue) - before
            if found:
                self._taken += found
                _LOG.warning("%d reports of impersonated requests were left behind and are told now.", found)
                self._start()

    def _spooled(self, doing: Callable[[Spool], None]) -> None:
        """Use the spool, where there is one; what cannot be kept is told from memory, and one request is refused."""
        if self._spool is None:
            return
        try:
            doing(self._spool)
        except OSError as broken:
            self._is_spool_broken = True
            _LOG.error("The spool of reports cannot be written: %s", broken)

    def _taken_by_queue(self) -> int:
        with self._changed:
            return len(self._queue)

    def _run(self) -> None:
        pause, is_waiting = self._every_s, False
        while not self._is_woken(pause, is_waiting=is_waiting):
            try:
                while self._taken_by_queue():
                    self._send_one()
                pause, is_waiting = self._every_s, False
            except ConsoleSilentError as silent:
                pause, is_waiting = min(max(pause, 0.5) * 2, _LONGEST_PAUSE_S), True
                _LOG.warning("Reports wait for the console: %s", silent)
            except Exception:  # noqa: BLE001  the thread must not end while the process lives
                pause, is_waiting = _LONGEST_PAUSE_S, True
                _LOG.exception("Reports wait; this is a fault of the kit.")

    def _is_woken(self, pause: float, *, is_waiting: bool) -> bool:
        """Wait for the next turn, a full batch or the end; return whether it is the end."""

        def is_time() -> bool:
            return self._is_closed or (not is_waiting and len(self._queue) >= MOST_AT_ONCE)

        with self._changed:
            self._changed.wait_for(is_time, pause)
            return self._is_closed

    def _send_one(self) -> None:
        """Send the oldest batch and forget it once it is taken. Raises: ConsoleSilentError."""
        with self._sending:
            with self._changed:
                batch = [self._queue[place] for place in range(min(MOST_AT_ONCE, len(self._queue)))]
            if batch:
                self._hand_over(batch)
            with self._changed:
                for _each in batch:
                    self._queue.popleft()
                self._taken -= len(batch)
                if batch:
                    self._spooled(lambda spool: spool.forget(tuple(self._queue), process=self._process))

    def _hand_over(self, batch: Sequence[Mapping[str, Any]]) -> None:
        """Send a batch; one that is refused is halved until the one report that the console cannot read is found."""
        try:
            self._console.report([{**report, "at": _moment(report["at"])} for report in batch])
        except ReportsRefusedError as refused:
            if len(batch) == 1:
                self.not_taken += 1
                _LOG.error("The console does not take a report: %s: %s", batch[0], refused)
                return
            middle = len(batch) // 2
            self._hand_over(batch[:middle])
            self._hand_over(batch[middle:])


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
