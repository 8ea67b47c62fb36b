"""Mutators of rows 16 to 24: money that does not add up, did not arrive, or went back."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from console.adapters.demo.books import DemoBooks
from console.adapters.demo.broken import (
    Mutator,
    both,
    chosen,
    customer,
    decided_by,
    here,
    invoice_of,
    live,
    not_here,
    nowhere,
    of,
    untouched,
)
from console.domain.billing.objects import Allocation, CreditNote, Dispute, Invoice, Payment, Refund
from console.domain.reconciling.books import Hold

_DAY = timedelta(days=1)
_PART = 100
_ASKED = frozenset({"open", "paid", "uncollectible"})


def _does_not_add_up(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen((each for each in of(Invoice, books) if each.status in _ASKED), dice)
    return None if mine is None else both(books, replace(mine, total_minor=mine.total_minor + _PART))


def _paid_without_payment(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    return None if mine is None else nowhere(books, mine)


def _paid_other_than_allocated(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    if mine is None:
        return None
    less = mine.captured_minor - _PART
    parts = (Allocation(invoice=mine.allocations[0].invoice, amount_minor=less),)
    return both(books, replace(mine, amount_minor=less, captured_minor=less, allocations=parts))


def _payment_not_in_mirror(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Payment, books), dice)
    return None if mine is None else not_here(books, mine)


def _payment_without_invoice(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    return None if mine is None else both(books, replace(mine, id=f"{mine.id}b", allocations=()))


def _payment_unapplied(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    if mine is None:
        return None
    more = mine.captured_minor + _PART
    return both(books, replace(mine, amount_minor=more, captured_minor=more))


def _payment_over_allocated(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    return None if mine is None else both(books, replace(mine, captured_minor=mine.captured_minor - _PART))


def _payment_after_cancellation(books: DemoBooks, dice: Random) -> DemoBooks | None:
    paid = [each for each in of(Payment, books) if each.paid_at is not None]
    last, mine = max(paid, key=lambda each: each.created_at, default=None), live(books)
    if last is None or mine is None or last not in untouched(books) or customer(books).balance_minor:
        return None
    over = replace(mine, status="canceled", ended_at=last.created_at - timedelta(minutes=1), ends_at_period_end=False)
    if any(each.ended_at and each.ended_at < each.started_at for each in (over,)):
        return None
    ended = replace(books, subscription=replace(books.subscription, status="canceled"))
    return decided_by(both(ended, over), replace(books.inputs, subscription="canceled"))


def _refunded(payment: Payment, amount: int, *, status: str = "succeeded") -> Refund:
    return Refund(
        id=f"re_{payment.id}",
        payment=payment.id,
        customer=payment.customer,
        status=status,
        currency=payment.currency,
        amount_minor=amount,
        reason=None,
        created_at=payment.created_at + timedelta(hours=1),
        is_live=True,
    )


def _refund_not_in_mirror(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    if mine is None:
        return None
    back = _refunded(mine, _PART)
    return not_here(both(books, replace(mine, refunded_minor=_PART), back), back)


def _refund_failed(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    return None if mine is None else both(books, _refunded(mine, _PART, status="failed"))


def _is_running(books: DemoBooks, payment: Payment) -> bool:
    return any(line.period_until > books.now for line in invoice_of(books, payment).lines)


def _refund_exceeds(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen((each for each in untouched(books) if not _is_running(books, each)), dice)
    if mine is None:
        return None
    over = mine.captured_minor + _PART
    return both(books, replace(mine, refunded_minor=over), _refunded(mine, over))


def _refund_total_mismatch(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(untouched(books), dice)
    return None if mine is None else both(books, replace(mine, refunded_minor=_PART))


def _refund_full_but_access_kept(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen((each for each in untouched(books) if _is_running(books, each)), dice)
    is_granted = books.subscription.status == "active" and not books.inputs.contracts and not books.inputs.conditions
    if mine is None or live(books) is None or not is_granted:
        return None
    return both(books, replace(mine, refunded_minor=mine.captured_minor), _refunded(mine, mine.captured_minor))


def _disputed(books: DemoBooks, dice: Random, status: str, **noted: object) -> tuple[DemoBooks, Dispute] | None:
    """Return the books with a dispute on both sides, and a hold unless nothing is said of one."""
    mine = chosen(untouched(books), dice)
    if mine is None:
        return None
    is_over = status in {"won", "lost"}
    dispute = Dispute(
        id=f"dp_{mine.id}",
        payment=mine.id,
        customer=mine.customer,
        status=status,
        currency=mine.currency,
        amount_minor=mine.captured_minor,
        opened_at=mine.created_at + timedelta(hours=1),
        closed_at=mine.created_at + timedelta(hours=2) if is_over else None,
        is_live=True,
    )
    if not noted:
        return both(books, dispute), dispute
    hold = Hold(
        dispute=dispute.id,
        payment=mine.id,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        opened_at=dispute.opened_at,
        outcome=None,
        reversals=0,
        plan_at_purchase=books.subscription.plan,
        plan_used=None,
    )
    return both(replace(books, holds=(*books.holds, replace(hold, **noted))), dispute), dispute  # type: ignore[arg-type]


def _dispute_not_in_mirror(books: DemoBooks, dice: Random) -> DemoBooks | None:
    made = _disputed(books, dice, "needs_response", outcome=None)
    return None if made is None else not_here(*made)


def _dispute_open(books: DemoBooks, dice: Random) -> DemoBooks | None:
    noted = {"reversals": 1} if dice.random() < 0.5 else {}
    made = _disputed(books, dice, "needs_response", **noted)
    return None if made is None else made[0]


def _dispute_lost(books: DemoBooks, dice: Random) -> DemoBooks | None:
    noted = {"outcome": "lost", "reversals": 2} if dice.random() < 0.5 else {"outcome": None}
    made = _disputed(books, dice, "lost", **noted)
    return None if made is None else made[0]


def _dispute_won(books: DemoBooks, dice: Random) -> DemoBooks | None:
    made = _disputed(books, dice, "won", outcome=None)
    return None if made is None else made[0]


def _judged_by_today(books: DemoBooks, dice: Random) -> DemoBooks | None:
    made = _disputed(books, dice, "lost", outcome="lost", reversals=1, plan_at_purchase="starter", plan_used="business")
    return None if made is None else made[0]


def _note(invoice: Invoice, number: int, total: int, *, spent: int, credited: int = 0) -> CreditNote:
    return CreditNote(
        id=f"cn_{invoice.id}_{number}",
        number=None,
        customer=invoice.customer,
        invoice=invoice.id,
        status="issued",
        currency=invoice.currency,
        total_minor=total,
        pre_payment_minor=0,
        post_payment_minor=total,
        refunded_minor=0,
        credited_minor=credited,
        out_of_band_minor=spent,
        reason=None,
        issued_at=invoice.issued_at + timedelta(hours=1),
        is_live=True,
    )


def _paid_invoice(books: DemoBooks, dice: Random) -> Invoice | None:
    mine = chosen(untouched(books), dice)
    return None if mine is None else invoice_of(books, mine)


def _credit_note_not_in_mirror(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = _paid_invoice(books, dice)
    if mine is None:
        return None
    note = _note(mine, 1, _PART, spent=_PART)
    return not_here(both(books, note), note)


def _credit_note_does_not_add_up(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = _paid_invoice(books, dice)
    return None if mine is None else both(books, _note(mine, 1, 3 * _PART, spent=2 * _PART))


def _credit_applied_twice(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = _paid_invoice(books, dice)
    if mine is None:
        return None
    total = mine.total_minor
    return both(books, *(_note(mine, number, total, spent=total) for number in (1, 2)))


def _credit_balance_mismatch(books: DemoBooks, dice: Random) -> DemoBooks:
    mine = customer(books)
    return here(books, replace(mine, balance_minor=mine.balance_minor - 5 * _PART))


def _credit_balance_unexplained(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = customer(books)
    if mine.created_at < books.now - 390 * _DAY:
        return None
    return both(books, replace(mine, balance_minor=mine.balance_minor - 7 * _PART))


def _credit_balance_stranded(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine, invoice = customer(books), _paid_invoice(books, dice)
    if live(books) is not None or invoice is None or mine.balance_minor:
        return None
    note = _note(invoice, 1, 7 * _PART, spent=0, credited=7 * _PART)
    return both(books, replace(mine, balance_minor=-7 * _PART), note)


MUTATORS: dict[str, Mutator] = {
    "invoice_lines_do_not_add_up": _does_not_add_up,
    "paid_without_payment": _paid_without_payment,
    "paid_other_than_allocated": _paid_other_than_allocated,
    "payment_not_in_mirror": _payment_not_in_mirror,
    "payment_without_invoice": _payment_without_invoice,
    "payment_unapplied": _payment_unapplied,
    "payment_over_allocated": _payment_over_allocated,
    "payment_after_cancellation": _payment_after_cancellation,
    "refund_not_in_mirror": _refund_not_in_mirror,
    "refund_failed": _refund_failed,
    "refund_exceeds": _refund_exceeds,
    "refund_total_mismatch": _refund_total_mismatch,
    "refund_full_but_access_kept": _refund_full_but_access_kept,
    "dispute_not_in_mirror": _dispute_not_in_mirror,
    "dispute_open": _dispute_open,
    "dispute_lost": _dispute_lost,
    "dispute_won": _dispute_won,
    "dispute_effect_used_current_product_state": _judged_by_today,
    "credit_note_not_in_mirror": _credit_note_not_in_mirror,
    "credit_note_does_not_add_up": _credit_note_does_not_add_up,
    "credit_applied_twice": _credit_applied_twice,
    "credit_balance_mismatch": _credit_balance_mismatch,
    "credit_balance_unexplained": _credit_balance_unexplained,
    "credit_balance_stranded": _credit_balance_stranded,
}
