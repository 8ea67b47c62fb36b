"""Signals inside a unit of work, and how far the trail was watched."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import StaffId
from console.domain.signals import Signal, SignalId, SignalKey, State


class SignalBook(Protocol):
    """Reads and writes signals inside one unit of work."""

    def watched(self) -> int:
        """Return the position of the last entry that was looked at, -1 before the first."""
        ...

    def advance(self, before: int, after: int) -> bool:
        """Move on by one conditional update; False when somebody else has looked at these entries."""
        ...

    def raise_(self, signal: Signal) -> bool:
        """Store a signal; where one of its rule and subject is open, add to that one and return False."""
        ...

    def open_of(self, rule: SignalKey, subject: str) -> Signal | None:
        """Return the open signal of a rule about somebody or something."""
        ...

    def get(self, signal: SignalId) -> Signal | None:
        """Return one signal."""
        ...

    def page(self, *, is_open: bool, before: SignalId | None, limit: int, beside: StaffId | None) -> Sequence[Signal]:
        """Return signals that are open, or settled, newest first; `before` is exclusive.

        Shape: those about `beside` are left out, None leaves none out.
        """
        ...

    def open_count(self, *, most: int, beside: StaffId | None) -> int:
        """Return how many are open and not about `beside`, counted no further than `most`."""
        ...

    def settle(self, signal: SignalId, state: State, *, by: StaffId, at: datetime, note: str) -> bool:
        """Say what an open signal was, by one conditional update; False when somebody was faster."""
        ...
