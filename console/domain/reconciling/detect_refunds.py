"""Rows 20, 21 and 24: what went back, what access did not follow, credit notes and the credit balance."""

from collections import defaultdict
from collections.abc import Iterator

from console.domain.billing.money import typed, worded
from console.domain.billing.objects import CreditNote, Customer, Invoice, ObjectKind, Payment, Refund
from console.domain.billing.states import PASSING, is_live
from console.domain.billing.tie_outs import ISSUED, SUCCEEDED, balance_gap, refunded_gap, split_gap, use_gap
from console.domain.reconciling.detect_access import grants_plan
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import Reading, differing

_FAILED = "failed"
_MONEY = (ObjectKind.REFUND, ObjectKind.PAYMENT)
_BALANCE = (ObjectKind.INVOICE, ObjectKind.CREDIT_NOTE, ObjectKind.CUSTOMER, ObjectKind.SUBSCRIPTION)


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield what is wrong with refunds, with credit notes and with the balance of customers."""
    yield from _unlike(reading)
    yield from _failed(reading)
    if all(map(reading.is_readable, _MONEY)):
        yield from _sums(reading)
        yield from _kept(reading)
    broken = {each.objects[0]: each for each in _broken_notes(reading)}
    yield from broken.values()
    yield from _twice(reading)
    if reading.is_whole(*_BALANCE) and not broken:
        yield from _balances(reading)


def _unlike(reading: Reading) -> Iterator[Candidate]:
    since = reading.books.window_from
    for refund, ours, theirs in reading.pairs(Refund):
        if refund.created_at >= since:
            names = differing(ours, theirs) if ours is not None and theirs is not None else ("",)
            yield reading.drift(
                "refund_not_in_mirror",
                ours,
                theirs,
                differs="status" if "status" in names else names[0],
                at_risk_minor=refund.amount_minor,
                direction=Direction.WE_LOSE if ours is None else Direction.NOBODY,
                happened_at=refund.created_at,
            )
    for note, mine, other in reading.pairs(CreditNote):
        if note.issued_at >= since:
            names = differing(mine, other) if mine is not None and other is not None else ("",)
            yield reading.drift(
                "credit_note_not_in_mirror",
                mine,
                other,
                differs="status" if "status" in names else names[0],
                at_risk_minor=note.total_minor,
                direction=Direction.CUSTOMER_LOSES if mine is None else Direction.NOBODY,
                happened_at=note.issued_at,
            )


def _failed(reading: Reading) -> Iterator[Candidate]:
    """Yield refunds that failed and were not made good by another of the same payment."""
    for refund in reading.refunds:
        if refund.status != _FAILED:
            continue
        is_made_good = any(
            each.payment == refund.payment
            and each.created_at >= refund.created_at
            and (each.status == SUCCEEDED or each.status in PASSING)
            and each.amount_minor >= refund.amount_minor
            for each in reading.refunds
        )
        if not is_made_good:
            amount = worded(refund.amount_minor, refund.currency)
            yield Candidate(
                kind="refund_failed",
                tenant=reading.books.tenant,
                objects=(refund.id,),
                ours=f"{amount} promised",
                theirs=_FAILED,
                at_risk_minor=refund.amount_minor,
                currency=refund.currency,
                direction=Direction.CUSTOMER_LOSES,
                params={
                    "payment": refund.payment,
                    "amount": typed(refund.amount_minor, refund.currency),
                    "currency": refund.currency,
                },
                evidence={"payment": refund.payment, "reason": refund.reason or ""},
                happened_at=refund.created_at,
            )


def _sums(reading: Reading) -> Iterator[Candidate]:
    """Yield payments of this window whose refunds are too much, or not what the payment says."""
    doubtful = {each.payment for each in reading.doubted(Refund)}
    for payment in reading.payments:
        if payment.created_at < reading.books.window_from or payment.id in doubtful:
            continue
        gap = refunded_gap(payment, reading.refunds)
        # A refund on its way may be counted already or not yet.
        is_passing = bool(gap) and not refunded_gap(payment, reading.refunds, passing=PASSING)
        back = max(payment.refunded_minor, payment.refunded_minor - gap)
        over = back - payment.captured_minor
        if over > 0 or (gap and not is_passing):
            yield Candidate(
                kind="refund_exceeds" if over > 0 else "refund_total_mismatch",
                tenant=reading.books.tenant,
                objects=(payment.id,),
                ours=f"captured {worded(payment.captured_minor, payment.currency)}"
                if over > 0
                else f"refunds {worded(payment.refunded_minor - gap, payment.currency)}",
                theirs=f"refunded {worded(back if over > 0 else payment.refunded_minor, payment.currency)}",
                at_risk_minor=over if over > 0 else abs(gap),
                currency=payment.currency,
                direction=Direction.WE_LOSE if over > 0 or gap < 0 else Direction.CUSTOMER_LOSES,
                evidence={"payment": payment.id},
                happened_at=payment.paid_at,
            )


def _kept(reading: Reading) -> Iterator[Candidate]:
    """Yield running periods that were paid back in full while access goes on."""
    now = reading.books.now
    live = {each.id for each in reading.live}
    doubtful = {part.invoice for each in reading.doubted(Payment) for part in each.allocations}
    for invoice in reading.invoices:
        runs = any(line.period_from <= now < line.period_until and line.amount_minor > 0 for line in invoice.lines)
        if not runs or invoice.subscription not in live or invoice.paid_minor <= 0 or invoice.id in doubtful:
            continue
        paid_by = [each for each in reading.payments if any(part.invoice == invoice.id for part in each.allocations)]
        is_all_back = paid_by and all(each.refunded_minor >= each.captured_minor > 0 for each in paid_by)
        if is_all_back and grants_plan(reading.books):
            yield _access_kept(reading, invoice, paid_by)


def _access_kept(reading: Reading, invoice: Invoice, paid_by: list[Payment]) -> Candidate:
    paid = {each.id for each in paid_by}
    back = max(
        (each for each in reading.refunds if each.payment in paid), key=lambda each: each.created_at, default=None
    )
    return Candidate(
        kind="refund_full_but_access_kept",
        tenant=reading.books.tenant,
        objects=(invoice.id,),
        ours="access granted",
        theirs=f"{worded(invoice.paid_minor, invoice.currency)} refunded",
        at_risk_minor=invoice.paid_minor,
        currency=invoice.currency,
        direction=Direction.WE_LOSE,
        params={} if back is None else {"refund": back.id},
        evidence={"invoice": invoice.number or invoice.id, "payments": ", ".join(each.id for each in paid_by)},
        happened_at=invoice.paid_at,
    )


def _broken_notes(reading: Reading) -> Iterator[Candidate]:
    for note in reading.credit_notes:
        which, gap = next(
            ((name, gap) for name, gap in (("total", split_gap(note)), ("use", use_gap(note))) if gap), ("", 0)
        )
        if gap:
            yield Candidate(
                kind="credit_note_does_not_add_up",
                tenant=reading.books.tenant,
                objects=(note.id,),
                differs=which,
                ours=f"parts {worded(note.total_minor - gap, note.currency)}",
                theirs=worded(note.total_minor, note.currency),
                at_risk_minor=abs(gap),
                currency=note.currency,
                direction=Direction.CUSTOMER_LOSES if gap > 0 else Direction.WE_LOSE,
                params={"invoice": note.invoice},
                evidence={"credit note": note.number or note.id, "invoice": note.invoice},
                happened_at=note.issued_at,
            )


def _twice(reading: Reading) -> Iterator[Candidate]:
    """Yield invoices of which more was credited than they asked for."""
    credited: dict[str, list[CreditNote]] = defaultdict(list)
    for note in reading.credit_notes:
        if note.status == ISSUED:
            credited[note.invoice].append(note)
    for invoice in reading.invoices:
        over = sum(note.total_minor for note in credited[invoice.id]) - invoice.total_minor
        if credited[invoice.id] and over > 0:
            yield Candidate(
                kind="credit_applied_twice",
                tenant=reading.books.tenant,
                objects=(invoice.id,),
                ours=f"invoice {worded(invoice.total_minor, invoice.currency)}",
                theirs=f"credited {worded(invoice.total_minor + over, invoice.currency)}",
                at_risk_minor=over,
                currency=invoice.currency,
                direction=Direction.WE_LOSE,
                evidence={f"credit note {number}": note.id for number, note in enumerate(credited[invoice.id], 1)},
                happened_at=invoice.issued_at,
            )


def _balances(reading: Reading) -> Iterator[Candidate]:
    """Yield balances that their history does not explain, or that nothing will ever use."""
    sides = reading.books.mirror, reading.books.provider
    served = {each.customer for side in sides for each in side.subscriptions() if is_live(each)}
    # What only the mirror has is a finding of its own, and a part of the history that is missing here.
    is_missing = any(kind in _BALANCE for kind, _ in sides[0].objects.keys() - sides[1].objects.keys())
    for customer in reading.customers:
        gap = balance_gap(customer, reading.invoices, reading.credit_notes)
        is_known_whole = customer.created_at >= reading.books.window_from and not is_missing
        if customer.currency is None:
            continue
        if gap and is_known_whole:
            yield _balance(reading, "credit_balance_unexplained", customer, gap)
        elif customer.balance_minor and customer.id not in served:
            yield _balance(reading, "credit_balance_stranded", customer, customer.balance_minor)


def _balance(reading: Reading, kind: str, customer: Customer, gap: int) -> Candidate:
    currency = customer.currency or ""
    return Candidate(
        kind=kind,
        tenant=reading.books.tenant,
        objects=(customer.id,),
        ours=worded(customer.balance_minor - gap, currency),
        theirs=worded(customer.balance_minor, currency),
        at_risk_minor=abs(gap),
        currency=currency,
        direction=Direction.CUSTOMER_LOSES if (gap < 0) is (kind == "credit_balance_stranded") else Direction.WE_LOSE,
        evidence={"customer": customer.id},
    )
