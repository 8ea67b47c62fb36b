"""Pages that follow something by themselves: a stream of server-sent events, few at a time and never for long."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from flask import Response

from console.domain.ids import StaffId

TICK_S = 1.0
LONGEST_S = 120
_ALIVE_EVERY = 15
_PER_PERSON = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look found. Shape: `is_last` when nothing more will move."""

    values: Mapping[str, str | int]
    is_last: bool


class Streams:
    """Counts the open streams of this process, so that watching never takes the server from those who work.

    A stream holds one of the server's threads; whoever gets none asks again and again instead.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: Counter[StaffId] = Counter()

    def enter(self, staff: StaffId) -> bool:
        """Take a place; False when this person or everybody together has enough."""
        with self._lock:
            if self._open[staff] >= _PER_PERSON or self._open.total() >= self._most:
                return False
            self._open[staff] += 1
            return True

    def leave(self, staff: StaffId) -> None:
        """Give the place back."""
        with self._lock:
            self._open[staff] -= 1
            if self._open[staff] <= 0:
                del self._open[staff]

    @property
    def count(self) -> int:
        """Return how many are open."""
        with self._lock:
            return self._open.total()


def stream(
    look: Callable[[], Look | None], *, left: Callable[[], None], wait: Callable[[float], None] | None = None
) -> Response:
    """Return a stream of what `look` finds, every second, until it is over or two minutes have passed.

    Shape: `look` holds nothing between two calls and returns None when the person may not look any more; `left` is
    called once, whatever ends the stream.
    """
    response = Response(_events(look, wait or time.sleep), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(left)
    return response


def _events(look: Callable[[], Look | None], wait: Callable[[float], None]) -> Iterator[str]:
    shown = ""
    yield "retry: 3000\n\n"
    for tick in range(int(LONGEST_S / TICK_S)):
        found = look()
        if found is None:
            yield "event: over\ndata: {}\n\n"
            return
        told = json.dumps(found.values, sort_keys=True)
        if told != shown:
            yield f"data: {told}\n\n"
            shown = told
        elif tick % _ALIVE_EVERY == 0:
            yield ": still here\n\n"
        if found.is_last:
            yield "event: over\ndata: {}\n\n"
            return
        wait(TICK_S)
