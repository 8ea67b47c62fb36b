"""What a period holds of one tenant: what happened in it, what came too late for the one before, what was corrected."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from console.domain.accounting.journal import Event, corrections_of, events_of, moment_of
from console.domain.accounting.receivables import RollForward, aged, rolled_forward
from console.domain.billing.canonical_form import digest, kind_of
from console.domain.billing.objects import BillingObject, Invoice, ObjectKind
from console.domain.billing.sealing import money_digest
from console.domain.ids import Digest
from console.domain.periods import FrozenObject, FrozenSet, PeriodId, bounds
from console.domain.reconciling.books import ClosedSet

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NO_STATUS = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodBooks:
    """One tenant's part of a period.

    Shape: `objects` are those that count in it, late ones too; `events` in order of time; `ageing` as of its end.
    """

    held: FrozenSet
    objects: tuple[BillingObject, ...]
    events: tuple[Event, ...]
    rolled: tuple[RollForward, ...]
    ageing: Mapping[str, Mapping[str, int]]


def name_of(thing: BillingObject) -> str:
    """Return how an object is named among those that a period holds."""
    return f"{kind_of(thing).value}:{thing.id}"


def booked_before(earlier: Sequence[FrozenSet]) -> dict[str, FrozenObject]:
    """Return every object of earlier periods as it was booked last. Shape: `earlier` from old to new."""
    booked: dict[str, FrozenObject] = {}
    for each in earlier:
        booked.update(each.objects)
    return booked


def period_books(
    period: PeriodId,
    things: Iterable[BillingObject],
    *,
    earlier: Sequence[FrozenSet],
    is_first: bool,
    now: datetime,
) -> PeriodBooks:
    """Return what a period holds of one tenant's objects.

    1 what earlier periods hold · 2 what happened in this one · 3 what came late · 4 what was booked otherwise
    Shape: in the first period of all, what lies before is the opening; `earlier` is from old to new.
    """
    since, until = bounds(period)
    # 1
    booked = booked_before(earlier)
    held: dict[str, FrozenObject] = {}
    objects: list[BillingObject] = []
    events: list[Event] = []
    before: list[Event] = []
    every = sorted(things, key=name_of)
    for thing in every:
        name, moment = name_of(thing), moment_of(thing)
        if moment is None or moment >= until:
            continue
        # 2
        mine = list(events_of(thing, since=since, until=until))
        past = list(events_of(thing, since=_BEGINNING, until=since))
        if is_first:
            before += past
        # 3
        elif name not in booked:
            mine += [replace(event, at=since, text=f"{event.text} (late)") for event in past]
        # 4
        else:
            mine += corrections_of(thing, booked=booked[name].status, at=since)
        is_new = is_first or name not in booked
        if mine or is_new:
            held[name] = FrozenObject(digest=_digest(thing), status=_status(thing))
        if mine or (moment >= since and is_new) or (is_new and not is_first):
            objects.append(thing)
        events += mine
    opening = _opening(before) if is_first else dict(earlier[-1].closing) if earlier else {}
    rolled = rolled_forward(opening, events)
    return PeriodBooks(
        held=FrozenSet(
            period=period,
            objects=held,
            closing={each.currency: each.closing for each in rolled if each.closing},
            frozen_at=now,
        ),
        objects=tuple(objects),
        events=tuple(sorted(events, key=lambda event: (event.at, event.thing, event.text))),
        rolled=rolled,
        ageing=aged(_issued(every, until), at=until),
    )


def closed_set(held: FrozenSet, *, closed_at: datetime) -> ClosedSet:
    """Return what reconciliation compares of a closed period: its invoices."""
    mark = f"{ObjectKind.INVOICE.value}:"
    invoices = {name.removeprefix(mark): each.digest for name, each in held.objects.items() if name.startswith(mark)}
    return ClosedSet(period=held.period, closed_at=closed_at, invoices=invoices)


def _digest(thing: BillingObject) -> Digest:
    """Return the digest of what is booked: of an invoice its money, for it is paid later without being another."""
    return money_digest(thing) if isinstance(thing, Invoice) else digest(thing)


def _status(thing: BillingObject) -> str:
    return str(getattr(thing, "status", _NO_STATUS))


def _opening(before: Iterable[Event]) -> dict[str, int]:
    return {each.currency: each.closing for each in rolled_forward({}, before) if each.closing}


def _issued(things: Iterable[BillingObject], until: datetime) -> Iterator[Invoice]:
    return (each for each in things if isinstance(each, Invoice) and each.issued_at < until)
