"""Rows 12 to 17: invoices on both sides, whether one adds up, and what paid it."""

from collections.abc import Iterator
from dataclasses import replace

from console.domain.billing.money import typed, worded
from console.domain.billing.objects import Invoice, ObjectKind, Payment
from console.domain.billing.sealing import is_as_closed
from console.domain.billing.tie_outs import allocated, due_gap
from console.domain.reconciling.detect_money import adds_up_not
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import Reading, differing

_AMOUNTS = ("lines", "discount_minor", "tax_minor", "total_minor")
_STATE = ("status", "paid_minor", "remaining_minor", "due_minor", "paid_at")
_DUNNING = frozenset({"attempts", "next_attempt_at"})
_DRAFT, _PAID = "draft", "paid"
_COLLECTED = frozenset({_PAID, "open", "uncollectible"})


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield at most one difference of each invoice, and what the provider's own books say against it."""
    for thing, ours, theirs in reading.pairs(Invoice):
        if thing.issued_at < reading.books.window_from:
            continue
        if ours is None or theirs is None:
            yield from _one_sided(reading, ours, theirs)
        else:
            yield _drift(reading, ours, theirs)
    for invoice in reading.invoices:
        wrong = adds_up_not(invoice)
        if wrong is not None and invoice.status != _DRAFT:
            yield _broken(reading, invoice, *wrong)
    if reading.is_readable(ObjectKind.PAYMENT):
        yield from _unexplained(reading)


def _one_sided(reading: Reading, ours: Invoice | None, theirs: Invoice | None) -> Iterator[Candidate]:
    """Yield that one side lacks an invoice; a draft may come and go at the provider."""
    if theirs is not None and theirs.status != _DRAFT:
        yield reading.drift(
            "invoice_missing_local",
            ours,
            theirs,
            at_risk_minor=theirs.total_minor,
            direction=Direction.CUSTOMER_LOSES if theirs.status == _PAID else Direction.WE_LOSE,
            happened_at=theirs.issued_at,
        )
    elif ours is not None:
        yield reading.drift(
            "invoice_status_drift" if ours.status == _DRAFT else "invoice_missing_remote",
            ours,
            theirs,
            at_risk_minor=0 if ours.status == _DRAFT else abs(ours.total_minor),
            direction=Direction.NOBODY if ours.status == _DRAFT else Direction.WE_LOSE,
            happened_at=ours.issued_at,
        )


def _loser(*, is_late: bool, is_dunning: bool) -> Direction:
    if is_dunning:
        return Direction.NOBODY
    return Direction.CUSTOMER_LOSES if is_late else Direction.WE_LOSE


def _drift(reading: Reading, ours: Invoice, theirs: Invoice) -> Candidate:
    """Return the most telling difference: amounts, which a closed period must keep, before the state."""
    names = differing(ours, theirs)
    amounts = [name for name in reversed(_AMOUNTS) if name in names]
    gap = theirs.total_minor - ours.total_minor
    if not amounts:
        state = next((name for name in _STATE if name in names), names[0])
        is_late = theirs.status == _PAID and ours.status != _PAID
        is_dunning = _DUNNING.issuperset(names)
        return reading.drift(
            "invoice_status_drift",
            ours,
            theirs,
            differs=state,
            at_risk_minor=0 if is_dunning else abs(theirs.total_minor),
            direction=_loser(is_late=is_late, is_dunning=is_dunning),
            happened_at=theirs.paid_at or theirs.issued_at,
        )
    found = reading.drift(
        "invoice_amount_drift",
        ours,
        theirs,
        differs=amounts[0],
        at_risk_minor=abs(gap),
        direction=Direction.CUSTOMER_LOSES if gap > 0 else Direction.WE_LOSE if gap < 0 else Direction.NOBODY,
        happened_at=theirs.issued_at,
    )
    period = _closed_otherwise(reading, theirs)
    if period is None:
        return found
    params = {"invoice": theirs.id, "amount": typed(abs(gap), theirs.currency), "currency": theirs.currency}
    evidence = {**found.evidence, "closed": period}
    return replace(found, kind="invoice_amount_drift_closed", params=params, evidence=evidence)


def _closed_otherwise(reading: Reading, theirs: Invoice) -> str | None:
    """Return the closed period whose invoice the provider tells otherwise now; where it does not, only we are wrong."""
    return next(
        (
            each.period
            for each in reading.books.closed
            if theirs.id in each.invoices and not is_as_closed(theirs, each.invoices[theirs.id])
        ),
        None,
    )


def _broken(reading: Reading, invoice: Invoice, which: str, gap: int) -> Candidate:
    return Candidate(
        kind="invoice_lines_do_not_add_up",
        tenant=reading.books.tenant,
        objects=(invoice.id,),
        differs=which,
        ours=f"should be {worded(_told(invoice, which) - gap, invoice.currency)}",
        theirs=worded(_told(invoice, which), invoice.currency),
        at_risk_minor=abs(gap),
        currency=invoice.currency,
        direction=Direction.CUSTOMER_LOSES if gap > 0 else Direction.WE_LOSE,
        evidence={"invoice": invoice.number or invoice.id, "lines": str(len(invoice.lines))},
        happened_at=invoice.issued_at,
    )


def _told(invoice: Invoice, which: str) -> int:
    return {"total": invoice.total_minor, "due": invoice.due_minor, "tax": invoice.tax_minor}[which]


def _unexplained(reading: Reading) -> Iterator[Candidate]:
    """Yield invoices whose payment nothing accounts for; credit balance, discount and out-of-band do."""
    doubtful = {part.invoice for each in reading.doubted(Payment) for part in each.allocations}
    for invoice in reading.invoices:
        is_asked = invoice.status in _COLLECTED and not invoice.is_paid_out_of_band and not due_gap(invoice)
        if not is_asked or invoice.issued_at < reading.books.window_from or invoice.id in doubtful:
            continue
        given = allocated(invoice.id, reading.payments)
        gap = invoice.paid_minor - given
        if gap:
            yield Candidate(
                kind="paid_other_than_allocated" if given else "paid_without_payment",
                tenant=reading.books.tenant,
                objects=(invoice.id,),
                ours=f"payments gave {worded(given, invoice.currency)}",
                theirs=f"paid {worded(invoice.paid_minor, invoice.currency)}",
                at_risk_minor=abs(gap),
                currency=invoice.currency,
                direction=Direction.WE_LOSE if gap > 0 else Direction.CUSTOMER_LOSES,
                evidence={"invoice": invoice.number or invoice.id, "status": invoice.status},
                happened_at=invoice.paid_at,
            )
