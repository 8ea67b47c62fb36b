"""Mutators of rows 31 and 32: lines of an invoice whose tax, share of a month or quantity is wrong."""

from dataclasses import replace
from random import Random

from console.adapters.demo.books import DemoBooks
from console.adapters.demo.broken import Mutator, both, chosen, of
from console.domain.billing.objects import Invoice, InvoiceLine
from console.domain.billing.tie_outs import tax_on

_PART = 100
_ASKED = frozenset({"open", "paid", "uncollectible"})


def _line(invoice: Invoice, line: InvoiceLine, **changes: object) -> Invoice:
    return replace(
        invoice,
        lines=tuple(replace(each, **changes) if each.id == line.id else each for each in invoice.lines),  # type: ignore[arg-type]
    )


def _priced(books: DemoBooks, dice: Random) -> tuple[Invoice, InvoiceLine] | None:
    """Return an invoice that asks for money, and its line of the plan."""
    asked = [each for each in of(Invoice, books) if each.status in _ASKED and not each.discount_minor]
    mine = chosen(asked, dice)
    if mine is None:
        return None
    return mine, next(line for line in mine.lines if line.amount_minor > 0 and not line.is_proration)


def _tax_mismatch(books: DemoBooks, dice: Random) -> DemoBooks | None:
    found = _priced(books, dice)
    return (
        None if found is None else both(books, _line(*found, tax_basis_points=(found[1].tax_basis_points or 0) + 700))
    )


def _tax_missing(books: DemoBooks, dice: Random) -> DemoBooks | None:
    found = _priced(books, dice)
    return None if found is None else both(books, _line(*found, tax_basis_points=None))


def _rounding_difference(books: DemoBooks, dice: Random) -> DemoBooks | None:
    found = _priced(books, dice)
    return None if found is None else both(books, _line(*found, tax_minor=found[1].tax_minor + dice.choice((-1, 1))))


def _proration_mismatch(books: DemoBooks, dice: Random) -> DemoBooks | None:
    """Return the books with money moved from a full line to one for a part of a month; the total stays."""
    for invoice in of(Invoice, books):
        part = next((line for line in invoice.lines if line.is_proration and line.amount_minor > 0), None)
        if part is None or invoice.status not in _ASKED:
            continue
        whole = next(line for line in invoice.lines if line.amount_minor > 0 and not line.is_proration)
        moved, tax = 5 * _PART, tax_on(5 * _PART, part.tax_basis_points or 0)
        dearer = _line(invoice, part, amount_minor=part.amount_minor + moved, tax_minor=part.tax_minor + tax)
        return both(
            books, _line(dearer, whole, amount_minor=whole.amount_minor - moved, tax_minor=whole.tax_minor - tax)
        )
    return None


def _usage_billed_quantity_mismatch(books: DemoBooks, dice: Random) -> DemoBooks | None:
    for invoice in of(Invoice, books):
        line = next((line for line in invoice.lines if line.feature is not None), None)
        if line is not None and invoice.status in _ASKED:
            return both(books, _line(invoice, line, quantity=(line.quantity or 0) + 10))
    return None


MUTATORS: dict[str, Mutator] = {
    "tax_mismatch": _tax_mismatch,
    "tax_missing": _tax_missing,
    "rounding_difference": _rounding_difference,
    "proration_mismatch": _proration_mismatch,
    "usage_billed_quantity_mismatch": _usage_billed_quantity_mismatch,
}
