"""All discrepancies of one tenant, or of the provider's account as a whole: a pure function of the books.

Precedence, so that one discrepancy is one finding: 0 what belongs to a customer that is not linked is told of the
customer alone · 1 what is doubtful (mode, unknown words, impossible values) and
2 what names another currency silence everything else about that object, and every sum that it would be part of ·
3 provider against mirror gives one finding for each object, of its most telling field · 4 the provider's own tie-outs
look at the provider alone, so that a lost webhook is not also a payment that is missing · 5 what the product reads is
held against what it ought to read, and against billing only where provider and mirror agree.
"""

from collections.abc import Iterable, Iterator

from console.domain.reconciling import (
    detect_access,
    detect_customers,
    detect_disputes,
    detect_events,
    detect_hygiene,
    detect_invoices,
    detect_money,
    detect_overrides,
    detect_payments,
    detect_payouts,
    detect_periods,
    detect_refunds,
    detect_subscriptions,
    detect_usage,
)
from console.domain.reconciling.books import AccountBooks, TenantBooks
from console.domain.reconciling.findings import Candidate
from console.domain.reconciling.reading import Reading, linked_only, reading_of

_OF_TENANTS = (
    detect_hygiene,
    detect_money,
    detect_customers,
    detect_subscriptions,
    detect_invoices,
    detect_payments,
    detect_refunds,
    detect_disputes,
    detect_access,
    detect_overrides,
    detect_usage,
    detect_periods,
)


def detect_tenant(books: TenantBooks) -> tuple[Candidate, ...]:
    """Return what is wrong with one tenant, in order of identity."""
    mine = linked_only(books)
    doubts = tuple(detect_hygiene.doubts(mine))
    doubtful = frozenset(each.objects[0] for each in doubts)
    mixed = tuple(detect_money.mixed(mine, doubtful))
    reading = reading_of(mine, doubtful | {each.objects[0] for each in mixed}, whole=books)
    return _ordered((*doubts, *mixed, *_found(reading)))


def detect_account(books: AccountBooks) -> tuple[Candidate, ...]:
    """Return what is wrong with what belongs to no one tenant, in order of identity."""
    return _ordered(
        (
            *detect_customers.find_unmapped(books),
            *detect_payouts.find(books),
            *detect_events.find(books),
            *detect_periods.find_exports(books),
        )
    )


def _found(reading: Reading) -> Iterator[Candidate]:
    for detector in _OF_TENANTS:
        yield from detector.find(reading)


def _ordered(found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return candidates in order of identity, each identity once."""
    return tuple(each for _, each in sorted({each.id: each for each in found}.items()))
