"""Time and fresh names, so that inner rings never read a clock or a dice."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class Ids(Protocol):
    """Makes names that nobody has used yet."""

    def new(self, prefix: str) -> str:
        """Return `<prefix>_` and 26 time-ordered characters with at least 80 random bits."""
        ...

    def token(self) -> str:
        """Return an unguessable URL-safe secret of 256 bits."""
        ...
