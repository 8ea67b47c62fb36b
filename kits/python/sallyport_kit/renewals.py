"""Keeps tokens short: each is exchanged for the next one shortly before its end, once for all who hold it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from sallyport_kit.bounded import Bounded
from sallyport_kit.console import Console
from sallyport_kit.errors import ConsoleRefusedError, ConsoleSilentError, TokenRefusedError
from sallyport_kit.tokens import LONGEST_LIFE_S, Claims, TokenReader

_BEFORE_S = 60
_TRY_AGAIN_S = 5.0


@dataclass(slots=True)
class _Newest:
    lock: Lock = field(default_factory=Lock)
    token: str = ""
    claims: Claims | None = None
    tried_at: float = float("-inf")


class Renewals:
    """Knows the newest token of each impersonation; several browsers' tabs arrive with an older one for a while."""

    def __init__(
        self,
        console: Console,
        reader: TokenReader,
        *,
        most: int,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know none yet."""
        self._console = console
        self._reader = reader
        self._clock = clock
        self._monotonic = monotonic
        self._newest: Bounded[_Newest] = Bounded(most)

    def current(self, token: str) -> tuple[str, Claims]:
        """Return the token that holds now, with its claims.

        Raises: TokenRefusedError; ConsoleRefusedError when an expired one is not renewed; ConsoleSilentError.
        """
        claims = self._reader.read(token, late_s=LONGEST_LIFE_S)
        leeway = self._reader.settings.leeway_s
        if claims.expires + (claims.expires - claims.issued) + leeway <= self._clock():
            raise TokenRefusedError("it has expired for longer than it lived")
        newest = self._newest.get(claims.sid)
        if newest is not None:
            token, claims = _later(newest, token, claims)
        if not self._is_due(claims):
            return token, claims
        newest = self._newest.at(claims.sid, _Newest)
        with newest.lock:
            token, claims = _later(newest, token, claims)
            return self._renewed(newest, token, claims) if self._is_due(claims) else (token, claims)

    def widened(self, token: str, claims: Claims) -> tuple[str, Claims]:
        """Return the next token before its time, because the console approved more than this one says."""
        newest = self._newest.at(claims.sid, _Newest)
        with newest.lock:
            token, claims = _later(newest, token, claims)
            return (token, claims) if claims.may_write else self._renewed(newest, token, claims)

    def needs_console(self, token: str) -> bool:
        """Return whether finding the current token may have to wait for the console."""
        try:
            claims = self._reader.read(token) if token in self._reader.checked else None
        except TokenRefusedError:
            return True
        return claims is None or self._is_due(claims)

    def _is_due(self, claims: Claims) -> bool:
        life = claims.expires - claims.issued
        return claims.expires - self._clock() <= min(_BEFORE_S, life / 3)

    def _renewed(self, newest: _Newest, token: str, claims: Claims) -> tuple[str, Claims]:
        has_expired = claims.expires <= self._clock()
        now = self._monotonic()
        if not has_expired and now - newest.tried_at < _TRY_AGAIN_S:
            return token, claims
        newest.tried_at = now
        try:
            renewed = self._console.renew(token)
            found = self._reader.read(renewed)
        except (ConsoleRefusedError, ConsoleSilentError):
            if has_expired:
                raise
            return token, claims
        if found.who != claims.who:
            raise TokenRefusedError("its successor is about somebody else")
        newest.token, newest.claims = renewed, found
        return renewed, found


def _later(newest: _Newest, token: str, claims: Claims) -> tuple[str, Claims]:
    found = newest.claims
    if found is None or found.who != claims.who or (found.expires, found.issued) < (claims.expires, claims.issued):
        return token, claims
    return newest.token, found
