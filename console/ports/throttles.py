"""Counters in the database that slow guessing and browsing, shared by all workers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class Throttles(Protocol):
    """Counts events per key inside one unit of work."""

    def count(self, bucket: str, key: str, *, since: datetime) -> int:
        """Return how often `hit` was called for the key since a moment."""
        ...

    def hit(self, bucket: str, key: str, *, at: datetime) -> None:
        """Count one event."""
        ...

    def take_back(self, bucket: str, key: str, *, at: datetime) -> None:
        """Forget one event that was counted at that moment, with the key locked."""
        ...

    def lock(self, bucket: str, key: str) -> None:
        """Let nobody else count this key until the unit ends, so that a burst cannot pass a limit."""
        ...

    def take(self, bucket: str, *, before: datetime) -> Mapping[str, int]:
        """Return how many events each key of a bucket has from before a moment, and forget them."""
        ...

    def sweep(self, *, now: datetime, limit: int) -> int:
        """Forget the oldest events that are beyond every window, of whatever key; return how many."""
        ...

    def clear(self, bucket: str, key: str) -> None:
        """Forget the events of a key."""
        ...
