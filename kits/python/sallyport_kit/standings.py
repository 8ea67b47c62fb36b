"""How an impersonation stands: asked of the console, believed for a second, and refused when nobody answers."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sallyport_kit.bounded import Bounded
from sallyport_kit.console import Console
from sallyport_kit.errors import ConsoleSilentError
from sallyport_kit.settings import KitSettings
from sallyport_kit.tokens import Claims

_PAUSE_S = 1.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the console said. Units: `not_after` and `idle_until` are Unix seconds.

    Shape: `is_wider` when it approved writing since the token was made; the next token will say so.
    """

    is_active: bool
    ended_by: str = ""
    sentence: str = ""
    mode: str = "read"
    is_wider: bool = False
    not_after: int = 0
    idle_until: int = 0
    reason_code: str = ""
    reference: str = ""
    leave: str = ""


@dataclass(slots=True)
class _Known:
    lock: Lock = field(default_factory=Lock)
    standing: Standing | None = None
    asked_at: float = float("-inf")
    is_activity: bool = False


class Standings:
    """Asks once for all who want to know the same; while the console is silent nobody waits for it again and again."""

    def __init__(
        self,
        settings: KitSettings,
        console: Console,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know nothing yet."""
        self._settings = settings
        self._console = console
        self._clock = clock
        self._monotonic = monotonic
        self._known: Bounded[_Known] = Bounded(settings.most_sessions)
        self._silent_at = float("-inf")

    def of(self, token: str, claims: Claims, *, is_activity: bool) -> Standing:
        """Return how the impersonation of a token stands, not older than the cache.

        Shape: `is_activity` is true for what a person did, which alone postpones the idle end.
        Raises: ConsoleSilentError when the console does not answer and the last good answer no longer counts.
        """
        known = self._known.at(token, _Known)
        fresh = self._fresh(known, is_activity=is_activity)
        if fresh is not None:
            return fresh
        with known.lock:
            fresh = self._fresh(known, is_activity=is_activity)
            return fresh or self._asked(known, token, claims, is_activity=is_activity)

    def is_known(self, token: str, *, is_activity: bool) -> bool:
        """Return whether an answer is at hand, so that nobody has to wait."""
        known = self._known.get(token)
        return known is not None and self._fresh(known, is_activity=is_activity) is not None

    def forget(self, token: str) -> None:
        """Believe nothing about a token until the console is asked again."""
        self._known.drop(token)

    def forget_all(self) -> None:
        """Believe nothing that was said before now."""
        self._known = Bounded(self._settings.most_sessions)

    def _fresh(self, known: _Known, *, is_activity: bool) -> Standing | None:
        found = known.standing
        if found is None or self._monotonic() - known.asked_at > self._settings.cache_s:
            return None
        if is_activity and not known.is_activity and found.is_active:
            return None
        if found.is_active and self._clock() >= min(found.not_after, found.idle_until):
            return None
        return found

    def _asked(self, known: _Known, token: str, claims: Claims, *, is_activity: bool) -> Standing:
        now = self._monotonic()
        try:
            standing = _standing(self._told(token, is_activity=is_activity), claims)
        except ConsoleSilentError as silent:
            if now - self._silent_at >= _PAUSE_S:
                self._silent_at = self._monotonic()
                _LOG.warning("An impersonation cannot be confirmed: %s", silent)
            last, age = known.standing, now - known.asked_at
            if last is not None and self._still_counts(last, age):
                return last
            raise
        known.standing, known.asked_at, known.is_activity = standing, now, is_activity
        return standing

    def _told(self, token: str, *, is_activity: bool) -> Mapping[str, Any]:
        if self._monotonic() - self._silent_at < _PAUSE_S:
            raise ConsoleSilentError("The console did not answer a moment ago.")
        return self._console.introspect(token, is_activity=is_activity)

    def _still_counts(self, last: Standing, age: float) -> bool:
        if self._settings.grace_s == 0 or age > self._settings.cache_s + self._settings.grace_s:
            return False
        return last.is_active and self._clock() < min(last.not_after, last.idle_until)


def _standing(told: Mapping[str, Any], claims: Claims) -> Standing:
    """Read an answer; one about another token than the one that was asked about is none."""
    if not told["active"]:
        return Standing(is_active=False, ended_by=_word(told, "ended_by"), sentence=_word(told, "sentence"))
    actor = told.get("act")
    staff = actor.get("sub") if isinstance(actor, dict) else None
    about = (told.get("sid"), told.get("sub"), told.get("tenant"), staff)
    if about != claims.who or told.get("mode") not in {"read", "write"}:
        raise ConsoleSilentError("The console answered about something else.")
    not_after, idle_until = told.get("not_after"), told.get("idle_until")
    if not isinstance(not_after, int) or not isinstance(idle_until, int):
        raise ConsoleSilentError("The console did not say until when.")
    return Standing(
        is_active=True,
        mode="write" if told["mode"] == "write" and claims.may_write else "read",
        is_wider=told["mode"] == "write" and not claims.may_write,
        not_after=not_after,
        idle_until=idle_until,
        reason_code=_word(told, "reason_code"),
        reference=_word(told, "reference"),
        leave=_word(told, "leave"),
    )


def _word(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    return "".join(letter for letter in found if letter.isprintable())[:400] if isinstance(found, str) else ""
