"""Book what belongs to no tenant: payouts and movements of our balance at the provider, month by month."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from console.domain.accounting.journal import Event, corrections_of, events_of, moment_of
from console.domain.accounting.ledger_files import neutral
from console.domain.accounting.period_books import PeriodBooks
from console.domain.billing.objects import BillingObject, ObjectKind, Payout
from console.domain.periods import FrozenSet, Period
from console.ports.billing import NO_PROVIDER
from console.usecases.house import House
from console.usecases.job_outcomes import JobRefusedError

_PAGE = 100
# How long after it was made an object of our own account may count for the books: a payout, when it arrives.
_ON_ITS_WAY = {ObjectKind.BALANCE_TRANSACTION: timedelta(0), ObjectKind.PAYOUT: timedelta(days=31)}
_UNDERWAY = frozenset({"pending", "in_transit"})
_PAYOUTS = "payouts.csv"


def account_books(house: House, period: Period, *, earlier: Period | None) -> Iterator[PeriodBooks]:
    """Yield the books of one object after another. Raises: OutsideError, JobRefusedError.

    1 what counts in this month · 2 what the month before sealed otherwise than it is today, or did not know of
    Shape: none where no provider is connected; a payout that is still on its way is told again, for the month after.
    """
    if house.provider.name == NO_PROVIDER:
        return
    booked = {} if earlier is None else _sealed_payouts(house, earlier)
    # 1
    for thing in _listed(house, period):
        status = booked.pop(neutral(thing.id), None) if isinstance(thing, Payout) else None
        books = _books(thing, period, earlier=earlier, booked=status)
        if books is not None:
            yield books
    # 2
    for name in sorted(name for name, status in booked.items() if status in _UNDERWAY):
        told = house.provider.fetch(ObjectKind.PAYOUT, name)
        books = None if told is None else _books(told.thing, period, earlier=earlier, booked=booked[name])
        if books is not None:
            yield books


def _listed(house: House, period: Period) -> Iterator[BillingObject]:
    """Yield what the provider lists by when it was made; what counts in the month may be made in the one before."""
    for kind, longest in _ON_ITS_WAY.items():
        cursor: str | None = None
        while True:
            page = house.provider.page(
                kind, since=period.since - longest, until=period.until, after=cursor, limit=_PAGE
            )
            yield from (each.thing for each in page.items)
            cursor = page.after
            if cursor is None:
                break


def _sealed_payouts(house: House, earlier: Period) -> dict[str, str]:
    """Return in which state the month before sealed each payout. Raises: JobRefusedError, OutsideError."""
    sealed = {each.name: each.sha256 for each in earlier.files}
    if house.ledgers.found(earlier.id, _PAYOUTS) != sealed.get(_PAYOUTS):
        raise JobRefusedError(
            f"The payouts of {earlier.id} are missing or no longer what was sealed. "
            "Put the file back, or reopen that month and prepare it again."
        )
    lines = b"".join(house.ledgers.read(earlier.id, _PAYOUTS)).decode().splitlines()
    return {row["id"]: row["status"] for row in csv.DictReader(lines)}


def _books(thing: BillingObject, period: Period, *, earlier: Period | None, booked: str | None) -> PeriodBooks | None:
    """Return an object's part of the month; None where it has none in it."""
    moment = moment_of(thing) or period.until  # nothing of our own account is without one
    events = [*_corrected(thing, period, earlier=earlier, booked=booked)]
    is_mine = period.since <= moment < period.until
    if is_mine and (booked is None or booked in _UNDERWAY):
        events += events_of(thing, since=period.since, until=period.until)
    waits_on = booked in _UNDERWAY and (getattr(thing, "status", None) in _UNDERWAY or moment >= period.until)
    if not (events or is_mine or waits_on):
        return None
    held = FrozenSet(period=period.id, objects={}, closing={}, frozen_at=period.since)
    return PeriodBooks(held=held, objects=(thing,), events=tuple(events), rolled=(), ageing={})


def _corrected(thing: BillingObject, period: Period, *, earlier: Period | None, booked: str | None) -> Iterator[Event]:
    """Yield what makes good, on the month's first day, what the month before did not seal as it is today."""
    since = period.since
    if booked is not None:
        yield from corrections_of(thing, booked=booked, at=since)
    elif earlier is not None and isinstance(thing, Payout):
        late = events_of(thing, since=earlier.since, until=since)
        yield from (replace(event, at=since, text=f"{event.text} (late)") for event in late)
