"""The machine's clock, read in UTC."""

from collections.abc import Callable
from datetime import UTC, datetime


def _machine() -> datetime:
    return datetime.now(UTC)


class SystemClock:
    """Tells the time from a source, which is the machine unless a test says otherwise."""

    def __init__(self, source: Callable[[], datetime] = _machine) -> None:
        self._source = source

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC.

        Raises: ValueError when the source gives a moment without a zone: comparing it would fail much later.
        """
        moment = self._source()
        if moment.utcoffset() is None:
            raise ValueError("a moment without a zone is not a time")
        return moment.astimezone(UTC)
