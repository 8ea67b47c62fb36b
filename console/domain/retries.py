"""When a failed attempt is made again: the schedule with its spread, and what a receiver may ask for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from console.domain.webhooks import AttemptOutcome

_SLOW = frozenset({AttemptOutcome.SLOW_DOWN, AttemptOutcome.TIMEOUT})
_OVERLOADED = frozenset({502, 504})  # said by what stands before the receiver
_LONGEST_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRules:
    """How long to wait. Units: in each name; the retries are those after a first failure, in their order."""

    retry_seconds: tuple[int, ...]
    retry_spread_percent: int
    run_retry_seconds: tuple[int, ...]
    slow_seconds: int
    retry_after_most_percent: int


def is_slow(outcome: AttemptOutcome, status: int | None) -> bool:
    """Return whether a receiver needs time, by what it said or by not answering."""
    return outcome in _SLOW or status in _OVERLOADED


def scheduled_wait(
    rules: WaitRules,
    *,
    tries: int,
    outcome: AttemptOutcome,
    retry_after_s: int | None,
    seed: str,
    status: int | None = None,
) -> timedelta | None:
    """Return the wait of the automatic schedule after `tries` failures; None when it is over.

    Shape: a receiver that is slow or asks for time gets it, within one to two times the planned wait.
    """
    return _wait(rules, rules.retry_seconds, tries, retry_after_s, is_slow=is_slow(outcome, status), seed=seed)


def run_wait(
    rules: WaitRules,
    *,
    tries: int,
    outcome: AttemptOutcome,
    retry_after_s: int | None,
    seed: str,
    status: int | None = None,
) -> timedelta | None:
    """Return the wait within a bulk replay after `tries` failures; None when it gives up."""
    return _wait(rules, rules.run_retry_seconds, tries, retry_after_s, is_slow=is_slow(outcome, status), seed=seed)


def _wait(
    rules: WaitRules,
    waits: Sequence[int],
    tries: int,
    retry_after_s: int | None,
    *,
    is_slow: bool,
    seed: str,
) -> timedelta | None:
    if tries > len(waits):
        return None
    base = waits[tries - 1]
    spread = base * (1 + rules.retry_spread_percent / 100 * (2 * fraction_of(seed) - 1))
    least = rules.slow_seconds if is_slow else 0
    if retry_after_s is not None:
        planned = max(base, least)
        least = min(max(retry_after_s, planned), planned * rules.retry_after_most_percent // 100)
    return timedelta(seconds=max(spread, least))


def fraction_of(seed: str) -> float:
    """Return a number in [0, 1) that is the same for the same seed and spread evenly over different ones."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big") / 2**48


def retry_after_of(value: str | None, *, now: datetime) -> int | None:
    """Return what a Retry-After header asks for, or None when it says nothing usable.

    Shape: seconds or an HTTP date.   Units: seconds from now, 0 or more.   Source: RFC 9110, 10.2.3.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= _LONGEST_DIGITS else 10**_LONGEST_DIGITS
    try:
        at = parsedate_to_datetime(text)
        aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return max(0, int((aware - now).total_seconds()))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def outcome_of_status(status: int) -> AttemptOutcome:
    """Return the class of an answer; only 2xx is a delivery, and a redirect is none."""
    if 200 <= status < 300:
        return AttemptOutcome.SUCCESS
    if 300 <= status < 400:
        return AttemptOutcome.REDIRECT
    if status == 410:
        return AttemptOutcome.GONE
    if status == 429:
        return AttemptOutcome.SLOW_DOWN
    return AttemptOutcome.REFUSED if 400 <= status < 500 else AttemptOutcome.SERVER_ERROR
