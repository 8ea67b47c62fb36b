"""The worker as a process of its own: runs the loop until it is told to end."""

import gc
import signal
from collections.abc import Iterable
from types import FrameType

from console.worker.loop import Duty, Loop

_ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run_until_signalled(duties: Iterable[Duty]) -> tuple[str, ...]:
    """Run duties until SIGTERM, SIGINT or SIGHUP; return the names of those that did not come to an end in time.

    Shape: only in the main thread, where Python hands out signals.
    """
    told = {number: signal.getsignal(number) for number in _ENDINGS}
    loop = Loop(duties)
    signalled: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signalled.append(number)

    for number in _ENDINGS:
        signal.signal(number, on_signal)
    gc.freeze()  # what was loaded stays to the end; collections need not look through it again and again
    try:
        loop.start()
        while not signalled:
            loop.wait(0.5)  # a handler may not take the locks that `stop` takes, so this thread looks
        return loop.stop()
    finally:
        loop.stop()
        for number, handler in told.items():
            signal.signal(number, handler)


def run_once(duties: Iterable[Duty]) -> None:
    """Run each duty once, in order, for schedulers like cron; one that keeps on until it finds nothing more.

    Raises: what a duty raises.
    """
    for duty in duties:
        while duty.run() and duty.keeps_on:
            continue
