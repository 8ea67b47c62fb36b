"""A memory of bounded size that forgets what was not used for the longest time."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Bounded(Generic[Value]):
    """Keeps at most so many values by text; safe among threads."""

    def __init__(self, most: int) -> None:
        """Begin empty."""
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[str, Value] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def __contains__(self, key: object) -> bool:
        """Return whether something is kept under a key."""
        return key in self._kept

    def get(self, key: str) -> Value | None:
        """Return a value, which is now the newest; None when it is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: str, value: Value) -> None:
        """Keep a value in the place of an earlier one."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def at(self, key: str, make: Callable[[], Value]) -> Value:
        """Return the kept value, or keep what `make` returns: two threads get the same one."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                found = self._kept[key] = make()
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
            return found

    def drop(self, key: str) -> None:
        """Forget a value."""
        with self._lock:
            self._kept.pop(key, None)
