"""What must hold exactly of amounts: each function returns the gap in minor units, 0 where the books tie out.

Gaps are what is written minus what it should be. Nothing here adds two currencies: who calls sees to that.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from console.domain.billing.objects import (
    BalanceTransaction,
    CreditNote,
    Customer,
    Invoice,
    InvoiceLine,
    Payment,
    Payout,
    Refund,
)

_WHOLE = 10_000  # basis points
_LONGEST_MONTH = 31
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
SUCCEEDED = "succeeded"
ISSUED = "issued"


def half_up(numerator: int, denominator: int) -> int:
    """Return a quotient rounded to whole units, halves away from zero. Shape: `denominator` > 0."""
    whole, rest = divmod(abs(numerator), denominator)
    rounded = whole + (2 * rest >= denominator)
    return -rounded if numerator < 0 else rounded


def tax_on(amount_minor: int, basis_points: int) -> int:
    """Return exclusive tax on an amount. Units: minor units; basis points, 1,900 is 19 %."""
    return half_up(amount_minor * basis_points, _WHOLE)


def total_gap(invoice: Invoice) -> int:
    """Return total - (lines - discount + tax)."""
    lines = sum(line.amount_minor for line in invoice.lines)
    return invoice.total_minor - (lines - invoice.discount_minor + invoice.tax_minor)


def due_gap(invoice: Invoice) -> int:
    """Return due - (paid + remaining)."""
    return invoice.due_minor - (invoice.paid_minor + invoice.remaining_minor)


def line_tax_gap(invoice: Invoice) -> int:
    """Return the tax of the invoice - the taxes of its lines."""
    return invoice.tax_minor - sum(line.tax_minor for line in invoice.lines)


def tax_gaps(invoice: Invoice) -> tuple[tuple[InvoiceLine, int], ...]:
    """Return for each line with a rate its tax - what the rate gives; a discount lowers all lines alike."""
    before = sum(line.amount_minor for line in invoice.lines)
    after = before - invoice.discount_minor
    found = []
    for line in invoice.lines:
        if line.tax_basis_points is None:
            continue
        share = line.amount_minor * line.tax_basis_points
        gap = line.tax_minor - (half_up(share * after, _WHOLE * before) if before > 0 else half_up(share, _WHOLE))
        found.append((line, gap))
    return tuple(found)


def months_before(moment: datetime, months: int) -> datetime:
    """Return the same day and time so many months before, or the last day of a shorter month."""
    count = moment.year * 12 + moment.month - 1 - months
    year, month = count // 12, count % 12 + 1
    day = moment.day
    while True:
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            day -= 1


def period_starts(end: datetime, months: int, *, anchored_at: datetime | None = None) -> tuple[datetime, ...]:
    """Return when a period that ends then can have begun: at one moment, or at several where the anchor is not known.

    A period begins on the day of its anchor, or on the last day of a month that has no such day. So one that ends on
    the last day of a month may be anchored on any later day too. An anchor that cannot have led to it says nothing.
    """
    is_last = end.day == monthrange(end.year, end.month)[1]
    days = range(end.day, (_LONGEST_MONTH if is_last else end.day) + 1)
    if anchored_at is not None and anchored_at.day in days:
        days = range(anchored_at.day, anchored_at.day + 1)
    before = months_before(end.replace(day=1), months)
    longest = monthrange(before.year, before.month)[1]
    return tuple(dict.fromkeys(before.replace(day=min(day, longest)) for day in days))


def prorated(
    unit_minor: int,
    quantity: int,
    *,
    start: datetime,
    end: datetime,
    interval: str,
    anchored_at: datetime | None = None,
) -> tuple[int, ...]:
    """Return what the rest of a period can cost, from `start` to its end, for each moment at which it can have begun.

    Shape: one amount where the anchor is known or does not matter; none for an interval that nobody knows.
    """
    months = _MONTHS.get(interval)
    if months is None or start >= end:
        return ()
    used, price = int((end - start).total_seconds()), unit_minor * quantity
    wholes = (end - began for began in period_starts(end, months, anchored_at=anchored_at))
    return tuple(dict.fromkeys(half_up(price * used, int(whole.total_seconds())) for whole in wholes))


def proration_gap(line: InvoiceLine, interval: str, *, anchored_at: datetime | None = None) -> int | None:
    """Return the amount of a line for part of a period - what that part costs; None where nobody can tell.

    Shape: the smallest gap of all that are possible where the anchor of the subscription is not known.
    """
    if line.quantity is None or line.unit_minor is None:
        return None
    costs = prorated(
        line.unit_minor, line.quantity, start=line.period_from, end=line.period_until, interval=interval,
        anchored_at=anchored_at,
    )  # fmt: skip
    gaps = (line.amount_minor - (-cost if line.amount_minor < 0 else cost) for cost in costs)
    return min(gaps, key=abs, default=None)


def allocated(invoice: str, payments: Iterable[Payment]) -> int:
    """Return what succeeded payments gave to an invoice."""
    parts = (part for payment in payments if payment.status == SUCCEEDED for part in payment.allocations)
    return sum(part.amount_minor for part in parts if part.invoice == invoice)


def allocation_gap(invoice: Invoice, payments: Iterable[Payment]) -> int:
    """Return what the invoice says was paid - what payments gave to it."""
    return invoice.paid_minor - allocated(invoice.id, payments)


def unapplied(payment: Payment) -> int:
    """Return what is left of a payment: captured - allocated, less what went back already; negative is too much."""
    left = payment.captured_minor - sum(part.amount_minor for part in payment.allocations)
    return left if left < 0 else max(left - payment.refunded_minor, 0)


def refunded_gap(payment: Payment, refunds: Iterable[Refund], *, passing: Iterable[str] = ()) -> int:
    """Return what the payment says was refunded - its refunds that succeeded, or are about to (`passing`)."""
    counted = {SUCCEEDED, *passing}
    mine = (each for each in refunds if each.payment == payment.id and each.status in counted)
    return payment.refunded_minor - sum(each.amount_minor for each in mine)


def split_gap(note: CreditNote) -> int:
    """Return total - (before payment + after payment)."""
    return note.total_minor - (note.pre_payment_minor + note.post_payment_minor)


def use_gap(note: CreditNote) -> int:
    """Return the part after payment - (refunded + credited + out of band)."""
    return note.post_payment_minor - (note.refunded_minor + note.credited_minor + note.out_of_band_minor)


def balance_gap(customer: Customer, invoices: Iterable[Invoice], notes: Iterable[CreditNote]) -> int:
    """Return the balance - what credit notes and invoices made of it; both must be all that there ever were."""
    credited = sum(each.credited_minor for each in notes if each.customer == customer.id and each.status == ISSUED)
    applied = sum(each.balance_applied_minor for each in invoices if each.customer == customer.id)
    return customer.balance_minor - (applied - credited)


def transaction_gap(transaction: BalanceTransaction) -> int:
    """Return net - (amount - fee)."""
    return transaction.net_minor - (transaction.amount_minor - transaction.fee_minor)


def payout_gap(payout: Payout, transactions: Iterable[BalanceTransaction]) -> int:
    """Return the payout - the net of what is in it; the payout's own transaction is not."""
    return payout.amount_minor - sum(each.net_minor for each in transactions if each.source != payout.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollForward:
    """Receivables of one tenant in one currency over a period. Units: minor units."""

    opening_minor: int
    invoiced_minor: int
    credited_minor: int
    paid_minor: int
    reversed_minor: int
    written_off_minor: int
    closing_minor: int


def roll_forward_gap(roll: RollForward) -> int:
    """Return closing - (opening + invoiced - credit notes - payments + payment reversals - write-offs)."""
    moved = roll.invoiced_minor - roll.credited_minor - roll.paid_minor + roll.reversed_minor
    return roll.closing_minor - (roll.opening_minor + moved - roll.written_off_minor)
