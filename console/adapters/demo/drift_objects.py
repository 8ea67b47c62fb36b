"""Mutators of rows 1 to 15 and 37: customers, subscriptions and invoices that two sides tell otherwise, or oddly."""

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
    not_there,
    of,
    there,
    untouched,
)
from console.adapters.demo.charges import price_id
from console.domain.billing.objects import Invoice, ObjectKind, Payment, Subscription
from console.domain.billing.sealing import money_digest
from console.domain.billing.tie_outs import tax_on
from console.domain.ids import TenantId
from console.domain.reconciling.books import ClosedSet, Link
from console.domain.tenancy import TenantStatus

_DAY = timedelta(days=1)
_OTHER = TenantId("ten_00000000000000000000000000")
_PART = 100


def _customer_drift(books: DemoBooks, dice: Random) -> DemoBooks:
    mine = customer(books)
    return not_here(books, mine) if dice.random() < 0.3 else here(books, replace(mine, email="old@former.example"))


def _customer_duplicate(books: DemoBooks, dice: Random) -> DemoBooks:
    mine, paid = customer(books), live(books)
    twin = replace(mine, id=f"{mine.id}b", balance_minor=0, created_at=mine.created_at + _DAY)
    linked = replace(books, links=(*books.links, Link(customer=twin.id, linked_at=books.now - _DAY)))
    if paid is None or dice.random() < 0.5:
        return both(linked, twin)
    return both(linked, twin, replace(paid, id=f"{paid.id}b", customer=twin.id))


def _mapping_conflict(books: DemoBooks, dice: Random) -> DemoBooks:
    if dice.random() < 0.5:
        return both(books, replace(customer(books), tenant=_OTHER))
    return replace(books, links=tuple(replace(link, also=(_OTHER,)) for link in books.links))


def _tenant_without_customer(books: DemoBooks, dice: Random) -> DemoBooks | None:
    is_asked = books.subscription.status == "active" and books.subscription.amount_minor and not books.inputs.contracts
    if not is_asked or books.status is not TenantStatus.ACTIVE:
        return None
    return replace(books, provider=(), mirror=(), mirrored_at={}, links=(), holds=(), transactions=())


def _sub_missing_local(books: DemoBooks, dice: Random) -> DemoBooks:
    return not_here(books, *of(Subscription, books))


def _sub_missing_remote(books: DemoBooks, dice: Random) -> DemoBooks:
    return not_there(books, *of(Subscription, books))


def _sub_status_drift(books: DemoBooks, dice: Random) -> DemoBooks:
    mine = of(Subscription, books)[0]
    return here(books, replace(mine, status="past_due" if mine.status != "past_due" else "active"))


def _items(books: DemoBooks, *, is_both: bool = False, **changes: object) -> DemoBooks | None:
    """Return the books with the first item of the live subscription changed."""
    mine = live(books)
    if mine is None:
        return None
    changed = replace(mine, items=(replace(mine.items[0], **changes), *mine.items[1:]))  # type: ignore[arg-type]
    return both(books, changed) if is_both else here(books, changed)


def _sub_plan_drift(books: DemoBooks, dice: Random) -> DemoBooks | None:
    plan = "starter" if books.subscription.plan != "starter" else "pro"
    return _items(books, plan=plan, price=price_id(plan, books.subscription.currency, "month"))


def _sub_price_drift(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _items(books, price=price_id("pro", books.subscription.currency, "old"))


def _sub_quantity_drift(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _items(books, quantity=books.subscription.seats + 1 + dice.randrange(20))


def _sub_price_unknown(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _items(books, is_both=True, price="price_nobody_knows")


def _deleted_price_in_use(books: DemoBooks, dice: Random) -> DemoBooks | None:
    return _items(books, is_both=True, price=price_id("pro", books.subscription.currency, "old"))


def _sub_period_drift(books: DemoBooks, dice: Random) -> DemoBooks:
    mine = of(Subscription, books)[0]
    field = dice.choice(("period_until", "period_from", "anchored_at"))
    return here(books, replace(mine, **{field: getattr(mine, field) - 3 * _DAY}))


def _sub_multiple_active(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = live(books)
    if mine is None or not books.subscription.amount_minor:
        return None
    return both(books, replace(mine, id=f"{mine.id}b", started_at=mine.started_at + _DAY))


def _cancel_flag_drift(books: DemoBooks, dice: Random) -> DemoBooks:
    mine = of(Subscription, books)[0]
    return here(books, replace(mine, ends_at_period_end=not mine.ends_at_period_end))


def _invoice_missing_local(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Invoice, books), dice)
    return None if mine is None else not_here(books, mine)


def _invoice_missing_remote(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Invoice, books), dice)
    return None if mine is None else not_there(books, mine)


def _invoice_amount_drift(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Invoice, books), dice)
    if mine is None:
        return None
    lines = (replace(mine.lines[0], amount_minor=mine.lines[0].amount_minor + _PART), *mine.lines[1:])
    dearer = replace(mine, lines=lines, total_minor=mine.total_minor + _PART, due_minor=mine.due_minor + _PART)
    return here(books, replace(dearer, remaining_minor=mine.remaining_minor + _PART))


def _split(invoice: Invoice) -> Invoice | None:
    """Return an invoice that still adds up, but whose last line of the plan has become two."""
    mine = [line for line in invoice.lines if line.amount_minor > _PART and not line.is_proration]
    if not mine or invoice.discount_minor:
        return None
    rate = mine[0].tax_basis_points or 0
    part = replace(mine[0], id=f"{mine[0].id}b", amount_minor=_PART, tax_minor=tax_on(_PART, rate))
    rest = replace(
        mine[0], amount_minor=mine[0].amount_minor - _PART, tax_minor=mine[0].tax_minor - part.tax_minor, quantity=None
    )
    return replace(invoice, lines=(*(rest if line is mine[0] else line for line in invoice.lines), part))


def closed(books: DemoBooks, invoice: Invoice) -> DemoBooks | None:
    """Return the books with the invoice's month closed, as it is now; None where the month is not over."""
    at = (invoice.issued_at.replace(day=1, hour=0) + 35 * _DAY).replace(day=4)
    if at + _DAY > books.now:
        return None
    period = ClosedSet(period=f"{invoice.issued_at:%Y-%m}", closed_at=at, invoices={invoice.id: money_digest(invoice)})
    return replace(books, closed=(*books.closed, period))


def _invoice_amount_drift_closed(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Invoice, books), dice)
    sealed, other = (None, None) if mine is None else (closed(books, mine), _split(mine))
    return None if sealed is None or other is None else there(sealed, other)


def _closed_period_changed(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Invoice, books), dice)
    sealed, other = (None, None) if mine is None else (closed(books, mine), _split(mine))
    return None if sealed is None or other is None else both(sealed, other)


def _invoice_status_drift(books: DemoBooks, dice: Random) -> DemoBooks | None:
    """Let the mirror miss that an invoice was paid, or how far the provider has come with collecting it."""
    owed = chosen((each for each in of(Invoice, books) if each.status == "open"), dice)
    if owed is not None and dice.random() < 0.5:
        again = dice.choice((None, books.now + 3 * _DAY))
        return here(books, replace(owed, attempts=owed.attempts + 1, next_attempt_at=again))
    mine = chosen((each for each in of(Invoice, books) if each.paid_at is not None), dice)
    if mine is None:
        return None
    return here(books, replace(mine, status="open", paid_minor=0, remaining_minor=mine.due_minor, paid_at=None))


def _test_mode_mix(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Invoice, books), dice)
    return None if mine is None else there(books, replace(mine, is_live=False))


def _unknown_enum(books: DemoBooks, dice: Random) -> DemoBooks | None:
    if dice.random() < 0.5:
        odd = both(books, replace(of(Subscription, books)[0], status="dormant"))
        return decided_by(odd, replace(books.inputs, subscription="dormant"))  # nor does it cover anything
    mine = chosen(of(Payment, books), dice)
    return None if mine is None else there(books, replace(mine, currency="ZZZ"))


def _unreadable_object(books: DemoBooks, dice: Random) -> DemoBooks | None:
    mine = chosen(of(Invoice, books), dice)
    if mine is None:
        return None
    why = {(ObjectKind.INVOICE, mine.id): "the invoice has no currency"}
    return replace(not_there(books, mine), unreadable=why)


def _currency_mismatch(books: DemoBooks, dice: Random) -> DemoBooks | None:
    other = "CHF"
    mine = chosen(untouched(books), dice)
    if mine is None:
        return None
    which = dice.randrange(3)
    if which == 0:
        return both(books, replace(invoice_of(books, mine), currency=other))
    return here(books, replace(mine, currency=other)) if which == 1 else both(books, replace(mine, currency=other))


MUTATORS: dict[str, Mutator] = {
    "customer_drift": _customer_drift,
    "customer_duplicate": _customer_duplicate,
    "mapping_conflict": _mapping_conflict,
    "tenant_without_customer": _tenant_without_customer,
    "sub_missing_local": _sub_missing_local,
    "sub_missing_remote": _sub_missing_remote,
    "sub_status_drift": _sub_status_drift,
    "sub_plan_drift": _sub_plan_drift,
    "sub_price_drift": _sub_price_drift,
    "sub_quantity_drift": _sub_quantity_drift,
    "sub_price_unknown": _sub_price_unknown,
    "sub_period_drift": _sub_period_drift,
    "sub_multiple_active": _sub_multiple_active,
    "cancel_flag_drift": _cancel_flag_drift,
    "invoice_missing_local": _invoice_missing_local,
    "invoice_missing_remote": _invoice_missing_remote,
    "invoice_amount_drift": _invoice_amount_drift,
    "invoice_amount_drift_closed": _invoice_amount_drift_closed,
    "invoice_status_drift": _invoice_status_drift,
    "closed_period_changed": _closed_period_changed,
    "test_mode_mix": _test_mode_mix,
    "deleted_price_in_use": _deleted_price_in_use,
    "unknown_enum": _unknown_enum,
    "unreadable_object": _unreadable_object,
    "currency_mismatch": _currency_mismatch,
}
