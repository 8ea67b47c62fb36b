"""Rows 32 and 33: tax, proration and rounding of invoices, and whether everything names one currency."""

from collections.abc import Iterator

from console.domain.billing.canonical_form import customer_of, kind_of
from console.domain.billing.money import typed, worded
from console.domain.billing.objects import BillingObject, Invoice, InvoiceLine, ObjectKind, Subscription
from console.domain.billing.tie_outs import due_gap, line_tax_gap, proration_gap, tax_gaps, total_gap
from console.domain.reconciling.books import TenantBooks
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import Reading, amount_of

_ROUNDING = "rounding_difference"
_ASKED = frozenset({"open", "paid", "uncollectible"})
_COMPARED = frozenset(
    {
        ObjectKind.SUBSCRIPTION,
        ObjectKind.INVOICE,
        ObjectKind.PAYMENT,
        ObjectKind.REFUND,
        ObjectKind.CREDIT_NOTE,
        ObjectKind.DISPUTE,
    }
)


def mixed(books: TenantBooks, doubtful: frozenset[str]) -> Iterator[Candidate]:
    """Yield what names another currency than its customer: such an object must not be compared any further."""
    wanted = {each.id: each.currency for each in books.provider.customers() if each.currency is not None}
    for ref, theirs in sorted(books.provider.objects.items(), key=lambda pair: pair[0]):
        if ref[1] in doubtful:
            continue
        ours = books.mirror.objects.get(ref)
        currency, mirrored = getattr(theirs, "currency", None), getattr(ours, "currency", None)
        expected = wanted.get(customer_of(theirs) or "")
        if ref[0] in _COMPARED and expected is not None and currency != expected:
            yield _mixed(books, theirs, ours=f"customer pays in {expected}", theirs=f"{ref[0].value} in {currency}")
        elif mirrored is not None and currency is not None and mirrored != currency:
            yield _mixed(books, theirs, ours=f"mirror says {mirrored}", theirs=f"provider says {currency}")
        elif isinstance(theirs, Subscription):
            yield from _prices(books, theirs)
    plan = books.plan
    expected = None if plan is None else wanted.get(plan.customer)
    if plan is not None and plan.is_paid and expected is not None and plan.currency != expected:
        yield Candidate(
            kind="currency_mismatch",
            tenant=books.tenant,
            objects=(f"plan:{plan.key}",),
            differs="currency",
            ours=f"plan in {plan.currency}",
            theirs=f"customer pays in {expected}",
            at_risk_minor=plan.amount_minor,
            currency=plan.currency,
        )


def find(reading: Reading) -> Iterator[Candidate]:
    """Yield what is wrong with the tax or the proration of an invoice that adds up: one finding for an invoice."""
    for invoice in reading.invoices:
        if invoice.status in _ASKED and not adds_up_not(invoice):
            found = next(_wrong(reading, invoice), None)
            if found is not None:
                yield found


def adds_up_not(invoice: Invoice) -> tuple[str, int] | None:
    """Return which tie-out of an invoice fails, and by how much; the taxes of lines may be off by one unit a line."""
    if gap := total_gap(invoice):
        return "total", gap
    if gap := due_gap(invoice):
        return "due", gap
    gap = line_tax_gap(invoice)
    return ("tax", gap) if abs(gap) > len(invoice.lines) else None


def _mixed(books: TenantBooks, thing: BillingObject, *, ours: str, theirs: str) -> Candidate:
    return Candidate(
        kind="currency_mismatch",
        tenant=books.tenant,
        objects=(thing.id,),
        differs="currency",
        ours=ours,
        theirs=theirs,
        at_risk_minor=amount_of(thing),
        currency=getattr(thing, "currency", None),
        evidence={"object": thing.id, "kind": kind_of(thing).value},
    )


def _prices(books: TenantBooks, subscription: Subscription) -> Iterator[Candidate]:
    for item in subscription.items:
        price = books.prices.get(item.price)
        if price is not None and price.currency != subscription.currency:
            yield _mixed(
                books,
                subscription,
                ours=f"subscription in {subscription.currency}",
                theirs=f"price {price.id} in {price.currency}",
            )
            return


def _wrong(reading: Reading, invoice: Invoice) -> Iterator[Candidate]:
    """Yield what is wrong, the gravest first."""
    for line in invoice.lines:
        if line.jurisdiction is not None and line.tax_basis_points is None and line.amount_minor > 0:
            yield _of_line(reading, "tax_missing", invoice, line, ours="a rate", theirs="no rate")
    taxes = [(line, gap) for line, gap in tax_gaps(invoice) if gap]
    for line, gap in taxes:
        if abs(gap) > 1:
            yield _of_gap(reading, "tax_mismatch", invoice, line, line.tax_minor, gap)
    parts = [(line, gap) for line, gap in _proration_gaps(reading, invoice) if gap]
    for line, gap in parts:
        if abs(gap) > 1:
            yield _of_gap(reading, "proration_mismatch", invoice, line, line.amount_minor, gap)
    for line, gap in [*taxes, *parts]:
        yield _of_gap(reading, _ROUNDING, invoice, line, line.amount_minor, gap)
    if gap := line_tax_gap(invoice):
        yield _of_gap(reading, _ROUNDING, invoice, invoice.lines[0], invoice.tax_minor, gap)


def _proration_gaps(reading: Reading, invoice: Invoice) -> Iterator[tuple[InvoiceLine, int]]:
    anchors = {each.id: each.anchored_at for each in reading.subscriptions}
    for line in invoice.lines:
        price = reading.books.prices.get(line.price or "")
        if not line.is_proration or price is None:
            continue
        gap = proration_gap(line, price.interval, anchored_at=anchors.get(invoice.subscription or ""))
        if gap is not None:
            yield line, gap


def _of_gap(reading: Reading, kind: str, invoice: Invoice, line: InvoiceLine, told: int, gap: int) -> Candidate:
    ours, theirs = worded(told - gap, invoice.currency), worded(told, invoice.currency)
    return _of_line(reading, kind, invoice, line, ours=ours, theirs=theirs, gap=gap)


def _of_line(
    reading: Reading, kind: str, invoice: Invoice, line: InvoiceLine, *, ours: str, theirs: str, gap: int = 0
) -> Candidate:
    is_owed = gap > 0 and kind != _ROUNDING
    return Candidate(
        kind=kind,
        tenant=reading.books.tenant,
        objects=(invoice.id, line.id),
        ours=ours,
        theirs=theirs,
        at_risk_minor=abs(gap),
        currency=invoice.currency,
        direction=Direction.CUSTOMER_LOSES if gap > 0 else Direction.WE_LOSE if gap < 0 else Direction.NOBODY,
        params={"invoice": invoice.id, "amount": typed(gap, invoice.currency), "currency": invoice.currency}
        if is_owed
        else {},
        evidence={"invoice": invoice.number or invoice.id, "line": line.text, "jurisdiction": line.jurisdiction or ""},
        happened_at=invoice.issued_at,
    )
