"""How long a name may take to be resolved: the system's own look-up has no limit, so it is waited for only so long."""

import threading
from collections.abc import Callable, Sequence

Resolver = Callable[[str, int], Sequence[str]]

_MOST_UNDER_WAY = 64  # look-ups of this process; those that hang count until the system gives them up
_PLACES = threading.BoundedSemaphore(_MOST_UNDER_WAY)


class UnansweredNameError(Exception):
    """Nobody said in time where the name leads."""


def answered_within(resolve: Resolver, host: str, port: int, *, timeout_s: float) -> Sequence[str]:
    """Return what a resolver says of a name; one that never answers keeps a thread waiting that nobody waits for.

    Units: `timeout_s` seconds.   Raises: UnansweredNameError when it takes longer, else what the resolver raises.
    """
    places = _PLACES  # the place is given back where it was taken
    if not places.acquire(timeout=timeout_s):
        raise UnansweredNameError
    look_up = _LookUp(resolve, host, port, places)
    try:
        threading.Thread(target=look_up.ask, name="look-up", daemon=True).start()
    except RuntimeError:  # the system has no thread to give
        places.release()
        raise UnansweredNameError from None
    return look_up.answer(timeout_s)


class _LookUp:
    """One look-up, in a thread of its own that ends with the process at the latest."""

    def __init__(self, resolve: Resolver, host: str, port: int, places: threading.Semaphore) -> None:
        self._resolve, self._host, self._port, self._places = resolve, host, port, places
        self._found: Sequence[str] = ()
        self._fault: Exception | None = None
        self._is_over = threading.Event()

    def ask(self) -> None:
        try:
            self._found = self._resolve(self._host, self._port)
        except Exception as fault:  # noqa: BLE001  it is raised where it was asked
            self._fault = fault
        finally:
            self._places.release()
            self._is_over.set()

    def answer(self, timeout_s: float) -> Sequence[str]:
        if not self._is_over.wait(timeout_s):
            raise UnansweredNameError
        if self._fault is not None:
            raise self._fault
        return self._found
