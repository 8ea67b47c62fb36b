"""What the product tells of its members: kept until the console has heard it, and obeyed here from the first moment."""

import atexit
import logging
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Any
from uuid import uuid4

from sallyport_kit.console import Console, ReportsRefusedError
from sallyport_kit.errors import ConsoleSilentError
from sallyport_kit.imported import imported_member_id
from sallyport_kit.settings import KitSettings
from sallyport_kit.spool import Spool

_FOLDER = "members"
_LONGEST_PAUSE_S = 30.0
_LAST_WORDS_S = 5.0
_LOG = logging.getLogger(__name__)


class MemberNews:
    """News that wait for the console, and the thread that tells them; with a spool they outlive their process.

    Shape: `on_told` is called once the console has heard one, before its member may be acted for again.
    """

    def __init__(
        self,
        settings: KitSettings,
        console: Console,
        *,
        on_told: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take over what processes left behind that were killed."""
        self._console = console
        self._clock = clock
        self._on_told = on_told
        self._most = settings.most_reports
        self._every_s = settings.report_every_s
        self._spool = Spool(Path(settings.spool) / _FOLDER, most=self._most) if settings.spool else None
        self._begin()
        with self._changed:
            self._spooled(self._take_over)
            if self._waiting:
                self._start()
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Begin empty; after a fork the parent's news are the parent's to tell."""
        if self._spool is not None:
            self._spool.begin()
        self._changed = Condition()
        self._sending = Lock()
        self._waiting: dict[str, Mapping[str, Any]] = {}
        self._process = uuid4().hex
        self._thread: Thread | None = None
        self._is_closed = False

    def tell(self, event: str, kind: str, *, tenant: str, member: str) -> bool:
        """Keep one, and return whether the console has heard it already; if not, it is told until it has.

        Raises: ConsoleSilentError when the console is silent and as many wait as may; then nobody may be acted for.
        """
        found = {"id": event, "kind": kind, "tenant": tenant, "member": member, "at": self._clock()}
        with self._changed:
            if len(self._waiting) >= self._most:
                raise ConsoleSilentError("Too much about members waits for the console.")
            if event not in self._waiting:
                self._waiting[event] = found
                self._spooled(lambda spool: spool.keep(found, process=self._process))
        try:
            self._send_all()
        except ConsoleSilentError as silent:
            _LOG.warning("The console did not hear of a member yet; it is told again: %s", silent)
        with self._changed:
            if event in self._waiting:
                self._start()
            return event not in self._waiting

    def is_waiting(self, tenant: str, subject: str) -> bool:
        """Return whether the console does not know yet what happened to a member, so that nobody may act for them."""
        with self._changed:
            if not self._waiting:
                return False
            members = [str(each["member"]) for each in self._waiting.values() if each["tenant"] == tenant]
            is_full = len(self._waiting) >= self._most
        return is_full or any(subject in {member, imported_member_id(tenant, member)} for member in members)

    def close(self) -> None:
        """Stop the thread and try for the last time; what a spool keeps is told by the next process."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_LAST_WORDS_S)
        try:
            self._send_all()
        except ConsoleSilentError as silent:
            _LOG.error("%d news of members are left untold: %s", len(self._waiting), silent)
        with self._changed:
            self._spooled(lambda spool: spool.close())

    def _start(self) -> None:
        if self._thread is None and not self._is_closed:
            self._thread = Thread(target=self._run, name="sallyport-members", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause = self._every_s
        while not self._is_over(pause):
            try:
                self._send_all()
                pause = self._every_s
            except ConsoleSilentError as silent:
                pause = min(max(pause, 0.5) * 2, _LONGEST_PAUSE_S)
                _LOG.warning("News of members wait for the console: %s", silent)
            except Exception:  # noqa: BLE001  the thread must not end while the process lives
                pause = _LONGEST_PAUSE_S
                _LOG.exception("News of members wait; this is a fault of the kit.")

    def _is_over(self, pause: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, pause)
            return self._is_closed

    def _send_all(self) -> None:
        """Tell what waits, oldest first. Raises: ConsoleSilentError."""
        with self._sending:
            while (news := self._oldest()) is not None:
                try:
                    self._console.tell({**news, "at": _moment(news["at"])})
                except ReportsRefusedError as refused:
                    _LOG.error("The console does not take news of a member: %s: %s", news, refused)
                self._on_told()
                with self._changed:
                    del self._waiting[news["id"]]
                    left = tuple(self._waiting.values())
                    self._spooled(partial(Spool.forget, left=left, process=self._process))

    def _oldest(self) -> Mapping[str, Any] | None:
        with self._changed:
            return next(iter(self._waiting.values()), None)

    def _take_over(self, spool: Spool) -> None:
        for news in spool.left_behind(process=self._process):
            if all(isinstance(news.get(name), str) for name in ("kind", "tenant", "member")):
                self._waiting.setdefault(news["id"], news)

    def _spooled(self, doing: Callable[[Spool], None]) -> None:
        """Use the spool, where there is one; what cannot be kept is told from memory."""
        if self._spool is None:
            return
        try:
            doing(self._spool)
        except OSError as broken:
            _LOG.error("The spool of news of members cannot be written: %s", broken)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
