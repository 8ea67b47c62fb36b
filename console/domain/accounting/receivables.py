"""Receivables: rolled forward by cause from opening to closing, and what is still owed by age."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from console.domain.accounting.journal import Cause, Event
from console.domain.billing.objects import Invoice

_OWING = frozenset({"open", "past_due"})
_BUCKETS = ((0, "not_due"), (30, "1_30"), (60, "31_60"), (90, "61_90"))
_OLDEST = "over_90"
BUCKETS = (*(name for _, name in _BUCKETS), _OLDEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollForward:
    """Receivables of one tenant in one currency. Units: minor units; movements bear their sign."""

    currency: str
    opening: int
    moved: Mapping[Cause, int] = field(default_factory=dict)

    @property
    def closing(self) -> int:
        """Return what is owed at the end."""
        return self.opening + sum(self.moved.values())


def rolled_forward(opening: Mapping[str, int], events: Iterable[Event]) -> tuple[RollForward, ...]:
    """Return one roll-forward for each currency that had an opening or a movement, by code."""
    moved: dict[str, dict[Cause, int]] = defaultdict(lambda: defaultdict(int))
    for event in events:
        if event.receivable:
            moved[event.currency][event.cause] += event.receivable
    return tuple(
        RollForward(currency=currency, opening=opening.get(currency, 0), moved=dict(sorted(moved[currency].items())))
        for currency in sorted({*opening, *moved})
    )


def aged(invoices: Iterable[Invoice], *, at: datetime) -> dict[str, dict[str, int]]:
    """Return what open invoices still owe, by currency and days past due. Shape: every bucket is named."""
    owed: dict[str, dict[str, int]] = {}
    for invoice in invoices:
        if invoice.status in _OWING and invoice.remaining_minor:
            row = owed.setdefault(invoice.currency, dict.fromkeys(BUCKETS, 0))
            row[bucket(invoice, at=at)] += invoice.remaining_minor
    return dict(sorted(owed.items()))


def bucket(invoice: Invoice, *, at: datetime) -> str:
    """Return how old a debt is: not due, or how many days past due."""
    late = at - (invoice.due_at or invoice.issued_at)
    return next((name for days, name in _BUCKETS if late <= timedelta(days=days)), _OLDEST)
