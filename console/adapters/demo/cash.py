"""The money of demo tenants at the provider: invoices, what paid them, what went back, and where the rest went."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.adapters.demo.charges import Charge, ident, price_id, unit_of
from console.adapters.demo.histories import billed, paid_at_provider
from console.adapters.demo.price_list import PRICES, SEATS
from console.adapters.demo.sketches import Sketch
from console.domain.billing.objects import (
    Allocation,
    BalanceTransaction,
    BillingObject,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceLine,
    Payment,
    Refund,
)
from console.domain.billing.tie_outs import months_before
from console.domain.imports import InvoiceRecord

_DAY = timedelta(days=1)
_STATUSES = {"past_due": "open"}
_FEE_PER_MILLE = 29


@dataclass(frozen=True, slots=True, kw_only=True)
class Cash:
    """All money of one tenant; `records` are those that the mirror was imported from, newest first."""

    things: tuple[BillingObject, ...]
    transactions: tuple[BalanceTransaction, ...]
    records: tuple[InvoiceRecord, ...]

    @property
    def balance_minor(self) -> int:
        """Return the customer's balance: what was credited and not yet used counts against us."""
        used = sum(each.balance_applied_minor for each in self.things if isinstance(each, Invoice))
        return used - sum(each.credited_minor for each in self.things if isinstance(each, CreditNote))


def cash_of(sketch: Sketch, subscription: str, *, now: datetime) -> Cash:
    """Return the money of a tenant; each of some tenants has had one thing happen that must alarm nobody."""
    asked = list(billed(sketch, now=now))
    bills = [_bill(sketch, subscription, record, each or _of_story(sketch, record)) for record, each in reversed(asked)]
    things = tuple(_told(sketch, bills, now=now))
    return Cash(
        things=things,
        transactions=tuple(_transactions(things, now=now)),
        records=tuple(record for record, _ in asked),
    )


def paid_out_in(currency: str, at: datetime, *, now: datetime) -> tuple[str, datetime] | None:
    """Return id and moment of the weekly payout that a movement was part of; None while the week goes on."""
    monday = (at - timedelta(days=at.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    after = monday + 7 * _DAY
    return None if after > now else (f"po_{currency.lower()}_{after:%Y%m%d}", after)


def _of_story(sketch: Sketch, record: InvoiceRecord) -> Charge:
    """Return what the invoice of Acme's story asks for."""
    line = InvoiceLine(
        id=ident("il", sketch, record.number),
        text=f"{sketch.plan.capitalize()} plan",
        amount_minor=PRICES[sketch.plan],
        price=price_id(sketch.plan, record.currency, "month"),
        feature=None,
        quantity=SEATS[sketch.plan],
        unit_minor=unit_of(sketch.plan, "month"),
        period_from=record.issued_at,
        period_until=months_before(record.issued_at, -1),
        is_proration=False,
        tax_minor=0,
        tax_basis_points=0,
        jurisdiction=sketch.tongue.country,
    )
    return Charge(lines=(line,), discount_minor=0)


def _bill(sketch: Sketch, subscription: str, record: InvoiceRecord, asked: Charge) -> Invoice:
    status = _STATUSES.get(record.provider_status, record.provider_status)
    total, tax = asked.total_minor, asked.tax_minor
    paid = total if status == "paid" else 0
    return Invoice(
        id=ident("in", sketch, record.number),
        number=record.number,
        customer=sketch.customer,
        subscription=subscription,
        status=status,
        currency=record.currency,
        lines=asked.lines,
        discount_minor=asked.discount_minor,
        tax_minor=tax,
        total_minor=total,
        balance_applied_minor=0,
        due_minor=total,
        paid_minor=paid,
        remaining_minor=total - paid,
        issued_at=record.issued_at,
        due_at=record.due_at,
        paid_at=paid_at_provider(record),
        is_paid_out_of_band=False,
        is_live=True,
    )


def _told(sketch: Sketch, bills: Sequence[Invoice], *, now: datetime) -> Iterator[BillingObject]:
    """Yield invoices with what became of them; which one happening a tenant has had is drawn from its seed."""
    paid = [bill for bill in bills if bill.paid_at is not None and bill.total_minor and sketch.index > 0]
    drawn = sketch.seed % 20 if len(paid) > 2 and paid[0].lines[-1].period_until <= now else -1
    oldest, newest = (paid[0].id, paid[-1].id) if drawn >= 0 else ("", "")
    is_used = drawn == 3 and paid[0].total_minor == paid[-1].total_minor
    is_kept = drawn == 13 and sketch.status == "active"
    for bill in bills:
        if is_used and bill.id == newest:
            yield replace(bill, balance_applied_minor=bill.total_minor, due_minor=0, paid_minor=0)
            continue
        if drawn == 5 and bill.id == newest:
            yield replace(bill, is_paid_out_of_band=True)
            continue
        yield bill
        payment = _payment(sketch, bill)
        if payment is not None:
            yield from _aftermath(sketch, bill, payment, drawn if bill.id == oldest else -1, now=now)
        if (is_used or is_kept) and bill.id == oldest:
            yield _note(sketch, bill, bill.total_minor, is_credit=True)


def _payment(sketch: Sketch, bill: Invoice) -> Payment | None:
    """Return what paid an invoice, or the attempt to that failed; None where there was nothing to pay."""
    if not bill.due_minor or bill.status == "void":
        return None
    is_paid = bill.paid_at is not None
    return Payment(
        id=ident("pi", sketch, bill.number),
        customer=sketch.customer,
        status="succeeded" if is_paid else "requires_payment_method",
        currency=bill.currency,
        amount_minor=bill.due_minor,
        captured_minor=bill.due_minor if is_paid else 0,
        refunded_minor=0,
        allocations=(Allocation(invoice=bill.id, amount_minor=bill.due_minor),) if is_paid else (),
        paid_at=bill.paid_at,
        created_at=bill.paid_at or bill.issued_at + timedelta(hours=1),
        is_live=True,
    )


def _aftermath(
    sketch: Sketch, bill: Invoice, payment: Payment, drawn: int, *, now: datetime
) -> tuple[BillingObject, ...]:
    """Return a payment with what went back of it: a part with its credit note, all of it, or what a bank took."""
    at = payment.created_at + 2 * _DAY
    if drawn == 7:
        part = payment.captured_minor // 10
        back = _refund(sketch, payment, part, at, "1")
        return replace(payment, refunded_minor=part), back, _note(sketch, bill, part, is_credit=False)
    if drawn == 17:
        failed = replace(_refund(sketch, payment, payment.captured_minor, at, "1"), status="failed")
        back = _refund(sketch, payment, payment.captured_minor, at + _DAY, "2")
        return replace(payment, refunded_minor=payment.captured_minor), failed, back
    closed = at + 20 * _DAY
    if drawn not in {9, 19} or closed > now:
        return (payment,)
    dispute = Dispute(
        id=ident("dp", sketch, bill.number),
        payment=payment.id,
        customer=payment.customer,
        status="won" if drawn == 9 else "lost",
        currency=payment.currency,
        amount_minor=payment.captured_minor,
        opened_at=at,
        closed_at=closed,
        is_live=True,
    )
    return payment, dispute


def _refund(sketch: Sketch, payment: Payment, amount: int, at: datetime, number: str) -> Refund:
    return Refund(
        id=ident("re", sketch, payment.id, number),
        payment=payment.id,
        customer=payment.customer,
        status="succeeded",
        currency=payment.currency,
        amount_minor=amount,
        reason="requested_by_customer",
        created_at=at,
        is_live=True,
    )


def _note(sketch: Sketch, bill: Invoice, amount: int, *, is_credit: bool) -> CreditNote:
    return CreditNote(
        id=ident("cn", sketch, bill.number),
        number=f"CN-{(bill.number or '')[4:]}",
        customer=bill.customer,
        invoice=bill.id,
        status="issued",
        currency=bill.currency,
        total_minor=amount,
        pre_payment_minor=0,
        post_payment_minor=amount,
        refunded_minor=0 if is_credit else amount,
        credited_minor=amount if is_credit else 0,
        out_of_band_minor=0,
        reason="product_unsatisfactory",
        issued_at=(bill.paid_at or bill.issued_at) + 2 * _DAY,
        is_live=True,
    )


def _transactions(things: Sequence[BillingObject], *, now: datetime) -> Iterator[BalanceTransaction]:
    """Yield how the money moved our balance: fees stay with the provider, and a dispute costs one too."""
    for thing in things:
        match thing:
            case Payment() if thing.captured_minor:
                fee = thing.captured_minor * _FEE_PER_MILLE // 1_000
                yield _moved("charge", thing, thing.captured_minor, fee, thing.created_at, now=now)
            case Refund() if thing.status == "succeeded":
                yield _moved("refund", thing, -thing.amount_minor, 0, thing.created_at, now=now)
            case Dispute():
                yield _moved("dispute", thing, -thing.amount_minor, 1_500, thing.opened_at, now=now)
                if thing.status == "won" and thing.closed_at is not None:
                    yield _moved("dispute_reversal", thing, thing.amount_minor, 0, thing.closed_at, now=now)
            case _:
                pass


def _moved(
    category: str, thing: Payment | Refund | Dispute, amount: int, fee: int, at: datetime, *, now: datetime
) -> BalanceTransaction:
    payout = paid_out_in(thing.currency, at, now=now)
    return BalanceTransaction(
        id=f"txn_{category}_{thing.id.partition('_')[2]}",
        category=category,
        source=thing.id,
        payout=None if payout is None else payout[0],
        currency=thing.currency,
        amount_minor=amount,
        fee_minor=fee,
        net_minor=amount - fee,
        created_at=at,
        is_live=True,
    )
