"""Runs recurring duties, each in a thread of its own: one that fails waits longer and never holds up another."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Self

from console.domain.errors import OutsideError

LONGEST_WAIT_S = 60.0
SENDER_EVERY_S = 1.0  # and at once while there is something to send; so with jobs
RUNNER_EVERY_S = 1.0
SWEEP_EVERY_S = 10.0
STOP_WITHIN_S = 10.0

# Units: seconds between two rounds. Correctness never waits for any of them: clocks are read at decision time.
INTERVALS: Mapping[str, float] = MappingProxyType(
    {
        "sequence": 0.2,  # give committed entries their place in the tree; nudged after busy requests
        "deliver_notices": 2.0,
        "watch_trail": 1.0,
        "publish_accesses": 2.0,  # what staff reached, into the log that its customer sees
        "keep_consents": 30.0,
        "deliver_letters": 5.0,
        "end_overdue": 15.0,
        "recover_executions": 30.0,
    }
)
# They read the trail batch by batch; with all of it to catch up on they leave the machine to the requests meanwhile.
FOLLOWING = frozenset({"watch_trail", "publish_accesses"})
FOLLOWING_RESTS = 3.0

_LOG = logging.getLogger(__name__)
_FAILED = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something to do again and again.

    Shape: `run` is safe to repeat; one that `keeps_on` is run again while it answers that it found work, at once or
    after a rest; `stop` asks a round that waits by itself to come to its end.
    Units: `every_s` seconds after it ended; `rests` times as long as the round took.
    """

    name: str
    every_s: float
    run: Callable[[], object]
    keeps_on: bool = False
    rests: float = 0.0
    stop: Callable[[], object] | None = None


def duties(runs: Mapping[str, Callable[[], object]], *, every_s: Mapping[str, float] = INTERVALS) -> tuple[Duty, ...]:
    """Return duties by name with their usual intervals; raises KeyError for a name that has none."""
    return tuple(
        Duty(
            name=name,
            every_s=every_s[name],
            run=run,
            keeps_on=name in FOLLOWING,
            rests=FOLLOWING_RESTS if name in FOLLOWING else 0.0,
        )
        for name, run in runs.items()
    )


class Loop:
    """Starts the duties on entering and has stopped every one of them on leaving.

    Shape: threads are not daemons, so that no duty is cut off in the middle of a transaction; therefore a loop that was
    started must be stopped, best by `with`. Start it after any fork.
    """

    def __init__(self, duties: Iterable[Duty]) -> None:
        """Keep the duties; nothing runs yet."""
        self._duties = tuple(duties)
        self._is_over = threading.Event()
        self._nudges = {duty.name: threading.Event() for duty in self._duties}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, once; every duty runs at once and then at its interval. Raises: RuntimeError the second time."""
        if self._threads:
            raise RuntimeError("a loop starts once")
        for duty in self._duties:
            thread = threading.Thread(target=self._repeat, args=(duty,), name=f"duty-{duty.name}", daemon=False)
            self._threads.append(thread)
            thread.start()

    def nudge(self, name: str) -> None:
        """Let a duty run now instead of at its interval; unknown names and loops that stand still do not mind."""
        found = self._nudges.get(name)
        if found is not None:
            found.set()

    def stop(self, *, within_s: float = STOP_WITHIN_S) -> tuple[str, ...]:
        """End after the rounds that are under way; return the names of duties that did not come to an end in time."""
        self._is_over.set()
        for nudge in self._nudges.values():
            nudge.set()
        for duty in self._duties:
            if duty.stop is not None:
                duty.stop()
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        late = tuple(thread.name.removeprefix("duty-") for thread in self._threads if thread.is_alive())
        if late:
            _LOG.warning("duties still running after %.0f s: %s", within_s, ", ".join(late))
        return late

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until somebody stops the loop and return whether that happened."""
        return self._is_over.wait(timeout_s)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def _repeat(self, duty: Duty) -> None:
        failures = 0
        nudge = self._nudges[duty.name]
        while not self._is_over.is_set():
            nudge.clear()
            began = time.monotonic()
            answer = _done(duty, failures)
            failures = failures + 1 if answer is _FAILED else 0
            if failures:
                self._is_over.wait(pause_s(duty, failures))  # a nudge must not hurry what is failing
            elif duty.keeps_on and answer:
                self._is_over.wait(duty.rests * (time.monotonic() - began))
            elif not self._is_over.is_set():
                nudge.wait(duty.every_s)


def pause_s(duty: Duty, failures: int) -> float:
    """Return how long a duty waits after failing: twice as long each time, up to a minute. Units: seconds."""
    longest = max(duty.every_s, LONGEST_WAIT_S)
    return min(longest, max(duty.every_s, 1.0) * 2.0 ** min(failures - 1, 10))


def _done(duty: Duty, failures: int) -> object:
    """Run one round and return its answer, or that it failed."""
    try:
        answer = duty.run()
    except OutsideError as away:
        _LOG.warning("duty %s: %s; next try in %.0f s", duty.name, away, pause_s(duty, failures + 1))
        return _FAILED
    except Exception:  # noqa: BLE001  a bug in one duty is told each time; clocks that stand still would be worse
        _LOG.exception("duty %s failed; next try in %.0f s", duty.name, pause_s(duty, failures + 1))
        return _FAILED
    if failures:
        _LOG.warning("duty %s works again after %d failures", duty.name, failures)
    return answer
