"""Rows 30 and 31: raw events of use against the counts, the invoice lines and the limits made from them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from console.domain.billing.objects import Invoice, InvoiceLine, ObjectKind, Subscription
from console.domain.entitlements import Entitlement, Grant, GrantSource, Usage
from console.domain.reconciling.books import TenantBooks, UsageEvent
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import Reading

SEATS = "seats"
_ASKED = frozenset({"open", "paid", "uncollectible"})


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield counts and invoice lines that raw events do not add up to, and seats that are not as they are billed."""
    books = reading.books
    events: dict[str, list[UsageEvent]] = defaultdict(list)
    for event in books.usage_events:
        if event.id not in reading.doubtful:
            events[event.feature].append(event)
    late = {each.id: period for period, each in _late(books)}
    for feature, mine in sorted(events.items()):
        for count in books.usage:
            # Of a count that began before the window, the first events are not here.
            if count.feature == feature and count.starts_at >= books.window_from:
                yield from _counted(reading, count, mine)
    yield from _came_late(reading, late)
    for invoice in reading.invoices:
        if invoice.status in _ASKED:
            for line in invoice.lines:
                yield from _billed(reading, invoice, line, events.get(line.feature or "", []), late)
    yield from _seats(reading)
    yield from _seats_one_by_one(reading)


def _within(events: Sequence[UsageEvent], start: datetime, until: datetime | None) -> list[UsageEvent]:
    return [each for each in events if start <= each.at and (until is None or each.at < until)]


def _once(events: Sequence[UsageEvent]) -> int:
    """Return the sum of events, each counted once."""
    return sum({each.id: each.quantity for each in events}.values())


def _counted(reading: Reading, count: Usage, events: Sequence[UsageEvent]) -> Iterator[Candidate]:
    """Yield that a count is not the sum of what had come in when it was made."""
    upto = max(count.as_of, count.starts_at)
    mine = [each for each in _within(events, count.starts_at, count.until) if each.received_at <= upto]
    total = _once(mine)
    if total == count.used:
        return
    twice = sorted(name for name, times in Counter(each.id for each in mine).items() if times > 1)
    is_twice = bool(twice) and sum(each.quantity for each in mine) == count.used
    yield Candidate(
        kind="usage_duplicate" if is_twice else "usage_missing",
        tenant=reading.books.tenant,
        objects=(count.feature, count.starts_at.isoformat()),
        ours=f"counted {count.used:,}",
        theirs=f"events {total:,}",
        direction=Direction.WE_LOSE if count.used < total else Direction.CUSTOMER_LOSES,
        evidence={"events": str(len(mine)), "twice": ", ".join(twice[:5]), "counted until": upto.isoformat()},
        happened_at=count.as_of,
    )


def _late(books: TenantBooks) -> Iterator[tuple[str, UsageEvent]]:
    """Yield events of a closed month that came in after its close, with the month."""
    closed = {each.period: each.closed_at for each in books.closed}
    for event in books.usage_events:
        period = f"{event.at:%Y-%m}"
        if period in closed and event.received_at > closed[period]:
            yield period, event


def _came_late(reading: Reading, late: dict[str, str]) -> Iterator[Candidate]:
    for event in sorted({each.id: each for each in reading.books.usage_events if each.id in late}.values(), key=_by_id):
        yield Candidate(
            kind="usage_late",
            tenant=reading.books.tenant,
            objects=(event.id,),
            ours=f"{late[event.id]} is closed",
            theirs=f"{event.quantity:,} of {event.feature}",
            direction=Direction.WE_LOSE,
            evidence={"used": event.at.isoformat(), "received": event.received_at.isoformat()},
            happened_at=event.at,
        )


def _by_id(event: UsageEvent) -> str:
    return event.id


def _billed(
    reading: Reading, invoice: Invoice, line: InvoiceLine, events: Sequence[UsageEvent], late: dict[str, str]
) -> Iterator[Candidate]:
    """Yield a metered line whose quantity is not what was used; what came late belongs to the next period."""
    price = reading.books.prices.get(line.price or "")
    is_metered = price is not None and price.is_metered and line.quantity is not None
    if not is_metered or not events or line.period_from < reading.books.window_from:
        return
    mine = [each for each in _within(events, line.period_from, line.period_until) if each.id not in late]
    used, billed = _once(mine), line.quantity or 0
    if used != billed:
        yield Candidate(
            kind="usage_billed_quantity_mismatch",
            tenant=reading.books.tenant,
            objects=(invoice.id, line.id),
            ours=f"used {used:,}",
            theirs=f"billed {billed:,}",
            at_risk_minor=abs(used - billed) * (line.unit_minor or 0),
            currency=invoice.currency,
            direction=Direction.WE_LOSE if used > billed else Direction.CUSTOMER_LOSES,
            evidence={"feature": line.feature or "", "invoice": invoice.number or invoice.id},
            happened_at=invoice.issued_at,
        )


def _of_plan(row: Entitlement) -> Iterator[Grant]:
    """Yield what plan and contract give of a feature, whether it decides or not."""
    for grant in (*row.winners, *(lost.grant for lost in row.losers)):
        if grant.source in {GrantSource.PLAN, GrantSource.CONTRACT}:
            yield grant


def _seats(reading: Reading) -> Iterator[Candidate]:
    """Yield seats that are paid for other than plan or contract give, and other than they are granted."""
    books, plan = reading.books, reading.books.plan
    row = next((each for each in books.computed if each.feature.key == SEATS), None)
    given = [] if row is None else [grant.value for grant in _of_plan(row) if grant.is_live(books.now)]
    is_same = all(_is_mirrored(books, each) for each in reading.live)
    if plan is None or row is None or not given or not is_same:
        return
    if plan.seats and plan.seats not in {*given, row.value}:
        yield Candidate(
            kind="limit_mismatch",
            tenant=books.tenant,
            objects=(SEATS,),
            ours=f"plan gives {max(given):,}",
            theirs=f"subscribed {plan.seats:,}",
            direction=Direction.CUSTOMER_LOSES if plan.seats > max(given) else Direction.WE_LOSE,
            evidence={"plan": plan.key, "effective": f"{row.value:,}"},
        )


def _is_mirrored(books: TenantBooks, theirs: Subscription) -> bool:
    """Return whether the mirror has a subscription as the provider does; its anchor says nothing of seats."""
    ours = books.mirror.get(ObjectKind.SUBSCRIPTION, theirs.id)
    return isinstance(ours, Subscription) and replace(ours, anchored_at=theirs.anchored_at) == theirs


def _seats_one_by_one(reading: Reading) -> Iterator[Candidate]:
    """Yield seats that are billed one by one, but not for as many members as are active."""
    books = reading.books
    for subscription in reading.live:
        for item in subscription.items:
            price = books.prices.get(item.price)
            is_of_seats = price is not None and price.feature == SEATS and not price.is_metered
            if is_of_seats and item.quantity not in (None, books.active_members):
                yield Candidate(
                    kind="seat_count_mismatch",
                    tenant=books.tenant,
                    objects=(subscription.id, item.id),
                    ours=f"{books.active_members:,} active members",
                    theirs=f"{item.quantity:,} seats billed",
                    currency=subscription.currency,
                    direction=Direction.WE_LOSE
                    if books.active_members > (item.quantity or 0)
                    else Direction.CUSTOMER_LOSES,
                    evidence={"price": item.price},
                )
