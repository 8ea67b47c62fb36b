"""Fresh names: time-ordered ids that may be shown, and secrets that may not."""

import re
import secrets
import time
from collections.abc import Callable
from threading import Lock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LETTERS = 26
_RANDOM_BITS = 80
_TICK_NS = 4_000
_TICK_BITS = _LETTERS * 5 - _RANDOM_BITS
_PREFIX = re.compile(r"[a-z]{2,8}")


class TimeOrderedIds:
    """Makes ids of 50 bits of time (4 microseconds, good until 2112) and 80 fresh random bits.

    Shape: strictly growing within a process, because a tick is never given twice; processes may interleave.
    """

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._last = 0
        self._lock = Lock()

    def new(self, prefix: str) -> str:
        """Return `<prefix>_` and 26 time-ordered characters. Raises: ValueError for an odd prefix."""
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"{prefix!r} is not a prefix of 2 to 8 small letters")
        with self._lock:
            tick = self._last = max(self._last + 1, self._now_ns() // _TICK_NS)
        number = (tick % (1 << _TICK_BITS)) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        letters = "".join([_ALPHABET[number >> shift & 31] for shift in range((_LETTERS - 1) * 5, -1, -5)])
        return f"{prefix}_{letters}"

    def token(self) -> str:
        """Return an unguessable URL-safe secret of 256 bits."""
        return secrets.token_urlsafe(32)
