"""The files of a period: their columns, their rows, and which column each control total adds up."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from console.domain.accounting.journal import Cause
from console.domain.accounting.period_books import PeriodBooks
from console.domain.accounting.receivables import BUCKETS
from console.domain.billing.objects import (
    BalanceTransaction,
    BillingObject,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceLine,
    Payment,
    Payout,
    Refund,
)

Cell = str | int | datetime | None
Row = tuple[Cell, ...]
Rows = Callable[[str, PeriodBooks], Iterator[Row]]
_FORMULA = frozenset("=+-@＝＋－＠")  # noqa: RUF001  what spreadsheets of other scripts take for the same
_SKIPPED = frozenset("\t\r\n\x00")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFile:
    """One file. Shape: the last two columns are the amount that is totalled and its currency. Units: minor units."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Rows

    def total_of(self, row: Row) -> tuple[str, int]:
        """Return the currency of a row and what it adds to the control total."""
        return str(row[-1]), row[-2] if isinstance(row[-2], int) else 0


def neutral(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, whatever it skips before the first letter that is seen."""
    seen = next((letter for letter in text if letter.isprintable() and not letter.isspace()), "")
    return f"'{text}" if seen in _FORMULA or text[:1] in _SKIPPED else text


def _of(cls: type, make: Callable[..., Iterable[Row]]) -> Rows:
    def rows(tenant: str, books: PeriodBooks) -> Iterator[Row]:
        for thing in books.objects:
            if isinstance(thing, cls):
                yield from ((tenant, *row) for row in make(thing))

    return rows


def _invoice(it: Invoice) -> Iterable[Row]:
    yield (
        it.id, it.number, it.customer, it.subscription, it.status, it.issued_at, it.due_at, it.paid_at,
        it.discount_minor, it.tax_minor, it.paid_minor, it.remaining_minor, it.total_minor, it.currency,
    )  # fmt: skip


def _line(invoice: Invoice) -> Iterable[Row]:
    for it in invoice.lines:
        yield (
            invoice.id, invoice.number, it.id, it.text, it.price, it.quantity, it.unit_minor, it.period_from,
            it.period_until, _said(it.is_proration), it.tax_basis_points, it.tax_minor, it.amount_minor,
            invoice.currency,
        )  # fmt: skip


def _payment(it: Payment) -> Iterable[Row]:
    applied = sum(each.amount_minor for each in it.allocations)
    invoices = " ".join(each.invoice for each in it.allocations)
    yield (
        it.id,
        it.customer,
        it.status,
        it.paid_at,
        invoices,
        applied,
        it.refunded_minor,
        it.captured_minor,
        it.currency,
    )


def _refund(it: Refund) -> Iterable[Row]:
    yield (it.id, it.payment, it.status, it.reason, it.created_at, it.amount_minor, it.currency)


def _note(it: CreditNote) -> Iterable[Row]:
    yield (
        it.id, it.number, it.invoice, it.status, it.reason, it.issued_at, it.pre_payment_minor, it.refunded_minor,
        it.credited_minor, it.out_of_band_minor, it.total_minor, it.currency,
    )  # fmt: skip


def _dispute(it: Dispute) -> Iterable[Row]:
    yield (it.id, it.payment, it.status, it.opened_at, it.closed_at, it.amount_minor, it.currency)


def _movement(it: BalanceTransaction) -> Iterable[Row]:
    yield (
        it.id,
        it.category,
        it.source,
        it.payout,
        it.created_at,
        it.amount_minor,
        it.fee_minor,
        it.net_minor,
        it.currency,
    )


def _payout(it: Payout) -> Iterable[Row]:
    yield (it.id, it.status, _said(it.is_automatic), it.created_at, it.arrives_at, it.amount_minor, it.currency)


def _said(is_so: bool) -> str:  # noqa: FBT001  a cell
    return "yes" if is_so else "no"


def _tax(tenant: str, books: PeriodBooks) -> Iterator[Row]:
    """Yield tax by jurisdiction and rate; a line without either stands under its own heading, never left out."""
    sums: dict[tuple[str, int, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for invoice, line in _taxed(books.objects):
        key = (line.jurisdiction or "", line.tax_basis_points or 0, invoice.currency)
        net, tax = sums[key]
        sums[key] = (net + line.amount_minor, tax + line.tax_minor)
    for (jurisdiction, rate, currency), (net, tax) in sorted(sums.items()):
        yield (tenant, jurisdiction or "none", rate, net, tax, currency)


def _taxed(things: Iterable[BillingObject]) -> Iterator[tuple[Invoice, InvoiceLine]]:
    for thing in things:
        if isinstance(thing, Invoice) and thing.status not in {"draft", "void"}:
            yield from ((thing, line) for line in thing.lines)


def _ageing(tenant: str, books: PeriodBooks) -> Iterator[Row]:
    for currency, owed in books.ageing.items():
        yield (tenant, *(owed[name] for name in BUCKETS), sum(owed.values()), currency)


_CAUSES = tuple(cause for cause in Cause if cause is not Cause.NONE)


def _rolled(tenant: str, books: PeriodBooks) -> Iterator[Row]:
    for each in books.rolled:
        yield (tenant, each.opening, *(each.moved.get(cause, 0) for cause in _CAUSES), each.closing, each.currency)


def _journal(tenant: str, books: PeriodBooks) -> Iterator[Row]:
    for event in books.events:
        for posting in event.postings:
            yield (tenant, event.at, event.thing, event.text, posting.account.value, posting.minor, event.currency)


def _file(name: str, title: str, columns: str, rows: Rows) -> LedgerFile:
    return LedgerFile(name=name, title=title, columns=("tenant", *columns.split()), rows=rows)


FILES: Mapping[str, LedgerFile] = {
    each.name: each
    for each in (
        _file(
            "invoices",
            "Invoices",
            "id number customer subscription status issued_at due_at paid_at discount_minor tax_minor paid_minor "
            "remaining_minor total_minor currency",
            _of(Invoice, _invoice),
        ),
        _file(
            "invoice_lines",
            "Invoice lines",
            "invoice number id text price quantity unit_minor period_from period_until is_proration tax_basis_points "
            "tax_minor amount_minor currency",
            _of(Invoice, _line),
        ),
        _file(
            "payments",
            "Payments",
            "id customer status paid_at invoices applied_minor refunded_minor captured_minor currency",
            _of(Payment, _payment),
        ),
        _file("refunds", "Refunds", "id payment status reason created_at amount_minor currency", _of(Refund, _refund)),
        _file(
            "credit_notes",
            "Credit notes",
            "id number invoice status reason issued_at pre_payment_minor refunded_minor credited_minor "
            "out_of_band_minor total_minor currency",
            _of(CreditNote, _note),
        ),
        _file(
            "disputes",
            "Disputes",
            "id payment status opened_at closed_at amount_minor currency",
            _of(Dispute, _dispute),
        ),
        _file(
            "balance_transactions",
            "Balance transactions",
            "id category source payout created_at amount_minor fee_minor net_minor currency",
            _of(BalanceTransaction, _movement),
        ),
        _file(
            "payouts",
            "Payouts",
            "id status is_automatic created_at arrives_at amount_minor currency",
            _of(Payout, _payout),
        ),
        _file("tax", "Tax by jurisdiction", "jurisdiction rate_basis_points net_minor tax_minor currency", _tax),
        _file("ageing", "Receivables by age", f"{' '.join(BUCKETS)} owed_minor currency", _ageing),
        _file(
            "roll_forward",
            "Receivables rolled forward",
            f"opening_minor {' '.join(f'{cause.value}_minor' for cause in _CAUSES)} closing_minor currency",
            _rolled,
        ),
        _file("journal", "Journal", "at thing text account amount_minor currency", _journal),
    )
}
