"""Rows 18 and 19: payments on both sides, what is left of one, and what was paid for time after the end."""

from collections.abc import Iterator

from console.domain.billing.matching import Strength, payable
from console.domain.billing.money import typed, worded
from console.domain.billing.objects import Invoice, Payment, Subscription
from console.domain.billing.states import OPEN_DISPUTE
from console.domain.billing.tie_outs import SUCCEEDED, unapplied
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import NOTHING, Reading, differing, moment

_TAKEN = OPEN_DISPUTE | {"lost"}


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield payments that the mirror holds otherwise, money that pays nothing, and money paid after the end."""
    for thing, ours, theirs in reading.pairs(Payment):
        if thing.created_at >= reading.books.window_from:
            names = differing(ours, theirs) if ours is not None and theirs is not None else ("",)
            yield reading.drift(
                "payment_not_in_mirror",
                ours,
                theirs,
                differs="status" if "status" in names else names[0],
                at_risk_minor=thing.captured_minor,
                direction=Direction.CUSTOMER_LOSES if ours is None and thing.captured_minor else Direction.NOBODY,
                happened_at=thing.paid_at or thing.created_at,
            )
    taken = {each.payment for each in reading.disputes if each.status in _TAKEN}
    for payment in reading.payments:
        if payment.status == SUCCEEDED:
            left = unapplied(payment)
            # What a bank may take back is nothing to pay an invoice with.
            if left < 0 or (left and payment.id not in taken):
                yield _left(reading, payment, left)
            late = _paid_for_after(reading, payment)
            if late is not None and payment.captured_minor > payment.refunded_minor:
                yield _after_end(reading, payment, *late, is_taken=payment.id in taken)


def _left(reading: Reading, payment: Payment, left: int) -> Candidate:
    fitting = payable(payment, left, reading.invoices) if left > 0 else None
    is_part = bool(payment.allocations)
    params = {"payment": payment.id, "amount": typed(left, payment.currency), "currency": payment.currency}
    if fitting is not None:
        params["invoice"] = fitting.id
    return Candidate(
        kind="payment_over_allocated" if left < 0 else "payment_unapplied" if is_part else "payment_without_invoice",
        tenant=reading.books.tenant,
        objects=(payment.id,),
        ours=f"applied {worded(sum(each.amount_minor for each in payment.allocations), payment.currency)}",
        theirs=f"captured {worded(payment.captured_minor, payment.currency)}",
        at_risk_minor=abs(left),
        currency=payment.currency,
        direction=Direction.CUSTOMER_LOSES if left > 0 else Direction.WE_LOSE,
        params=params if left > 0 else {},
        evidence={
            "refunded": worded(payment.refunded_minor, payment.currency),
            "invoice that would fit": NOTHING if fitting is None else fitting.number or fitting.id,
            "match": "" if fitting is None else Strength.CANDIDATE.name.lower(),
        },
        happened_at=payment.paid_at,
    )


def _paid_for_after(reading: Reading, payment: Payment) -> tuple[Invoice, Subscription] | None:
    """Return the first invoice of a payment, and its subscription, that asks for time after the subscription's end."""
    invoices = {each.id: each for each in reading.invoices}
    ended = {each.id: each for each in reading.subscriptions if each.ended_at is not None}
    for part in payment.allocations:
        invoice = invoices.get(part.invoice)
        subscription = None if invoice is None else ended.get(invoice.subscription or "")
        if invoice is None or subscription is None or subscription.ended_at is None or payment.paid_at is None:
            continue
        end = subscription.ended_at
        if payment.paid_at > end and any(line.period_until > end and line.amount_minor > 0 for line in invoice.lines):
            return invoice, subscription
    return None


def _after_end(
    reading: Reading, payment: Payment, invoice: Invoice, subscription: Subscription, *, is_taken: bool
) -> Candidate:
    """Return a finding that proposes a refund only for exactly one full and undisputed payment."""
    left = payment.captured_minor - payment.refunded_minor
    others = [
        each
        for each in reading.payments
        if each.id != payment.id and any(part.invoice == invoice.id for part in each.allocations)
    ]
    is_plain = not others and not is_taken and not payment.refunded_minor and left == invoice.paid_minor
    params = {"payment": payment.id, "amount": typed(left, payment.currency), "currency": payment.currency}
    return Candidate(
        kind="payment_after_cancellation",
        tenant=reading.books.tenant,
        objects=(payment.id, subscription.id),
        ours=f"ended {moment(subscription.ended_at)}",
        theirs=f"paid {moment(payment.paid_at)}",
        at_risk_minor=left,
        currency=payment.currency,
        direction=Direction.CUSTOMER_LOSES,
        params=params if is_plain else {},
        evidence={"invoice": invoice.number or invoice.id, "refund by hand": "no" if is_plain else "yes"},
        happened_at=payment.paid_at,
    )
