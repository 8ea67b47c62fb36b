"""The journal: each billing event as postings that balance, in minor units of one currency.

A positive amount is a debit, a negative one a credit. What an invoice or a payment became after a period that held it
was closed is posted as a correction in the next one, never by changing what was closed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import (
    BalanceTransaction,
    BillingObject,
    CreditNote,
    Dispute,
    Invoice,
    Payment,
    Payout,
    Refund,
)
from console.domain.errors import ConsoleError


class UnbalancedError(ConsoleError):
    """Postings of one event do not add up to nothing."""

    code = "journal_unbalanced"


class Account(StrEnum):
    """The chart of accounts, as it is named in the journal."""

    RECEIVABLE = "Assets:Receivable"
    CLEARING = "Assets:ProviderClearing"
    BANK = "Assets:Bank"
    DISPUTED = "Assets:DisputedFunds"
    BALANCES = "Liabilities:CustomerBalances"
    UNAPPLIED = "Liabilities:UnappliedPayments"
    REFUNDS = "Liabilities:RefundsPayable"
    OUT_OF_BAND = "Liabilities:OutOfBandSettlement"
    TAX = "Liabilities:TaxPayable"
    REVENUE = "Income:Revenue"
    CREDITS = "Income:CreditNotes"
    FEES = "Expenses:ProviderFees"
    BAD_DEBT = "Expenses:BadDebt"
    LOSSES = "Expenses:DisputeLosses"


class Cause(StrEnum):
    """What an event does to receivables, as the roll-forward names it."""

    INVOICED = "invoiced"
    CREDITED = "credit_notes"
    PAID = "payments"
    BALANCE = "balance_applied"
    OUT_OF_BAND = "paid_out_of_band"
    REVERSED = "payment_reversals"
    VOIDED = "voided"
    WRITTEN_OFF = "write_offs"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One line of an event. Units: minor units; debits are positive."""

    account: Account
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, when, and its postings; they add up to nothing."""

    at: datetime
    text: str
    thing: str
    currency: str
    cause: Cause
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        """Refuse what does not balance. Raises: UnbalancedError."""
        gap = sum(each.minor for each in self.postings)
        if gap:
            message = "Debits and credits differ."
            raise UnbalancedError(message, thing=self.thing, gap=gap)

    @property
    def receivable(self) -> int:
        """Return what the event adds to receivables."""
        return sum(each.minor for each in self.postings if each.account is Account.RECEIVABLE)


_UNISSUED = frozenset({"draft", "void"})
_RECEIVED = frozenset({"succeeded"})
_LOST, _WON = "lost", "won"
_WARNINGS = "warning_"
_PAID = "paid"
_VOID = "void"
_UNCOLLECTIBLE = "uncollectible"


def events_of(thing: BillingObject, *, since: datetime, until: datetime) -> Iterator[Event]:
    """Yield what an object did to the books within [since, until)."""
    make = _MAKERS.get(type(thing))
    if make is not None:
        yield from (event for event in make(thing) if event.postings and since <= event.at < until)


def corrections_of(thing: BillingObject, *, booked: str, at: datetime) -> Iterator[Event]:
    """Yield what makes good, at `at`, a change of state since a closed period booked an object as `booked`.

    Shape: what the state of today would have posted before `at` and that of then did not, and the other way round
    turned; an invoice that was written off and then paid takes its loss back.
    """
    make = _MAKERS.get(type(thing))
    if make is None or getattr(thing, "status", booked) == booked:
        return
    then = [event for event in make(replace(cast("Any", thing), status=booked)) if event.postings and event.at < at]
    now = [event for event in make(thing) if event.postings and event.at < at]
    yield from (_turned(event, at, _CAUSES_TURNED.get(type(thing), Cause.NONE)) for event in then if event not in now)
    yield from (replace(event, at=at, text=f"{event.text} (late)") for event in now if event not in then)
    if isinstance(thing, Invoice) and booked == _UNCOLLECTIBLE and thing.paid_minor:
        found = {Account.RECEIVABLE: thing.paid_minor, Account.BAD_DEBT: -thing.paid_minor}
        yield _event(thing, at, f"{_named(thing)} paid after all", thing.currency, Cause.WRITTEN_OFF, found)


def totals(events: Iterable[Event]) -> dict[tuple[str, Account], int]:
    """Return the balance of every account by currency; over one currency they add up to nothing."""
    sums: dict[tuple[str, Account], int] = defaultdict(int)
    for event in events:
        for posting in event.postings:
            sums[event.currency, posting.account] += posting.minor
    return dict(sorted(sums.items()))


def _event(
    thing: BillingObject, at: datetime, text: str, currency: str, cause: Cause, postings: Mapping[Account, int]
) -> Event:
    return Event(
        at=at,
        text=text,
        thing=thing.id,
        currency=currency,
        cause=cause,
        postings=tuple(Posting(account=account, minor=minor) for account, minor in postings.items() if minor),
    )


def _invoice(invoice: Invoice) -> Iterator[Event]:
    if invoice.status in _UNISSUED:
        return
    name = _named(invoice)
    sold = invoice.total_minor - invoice.tax_minor
    booked = {Account.RECEIVABLE: invoice.total_minor, Account.REVENUE: -sold, Account.TAX: -invoice.tax_minor}
    yield _event(invoice, invoice.issued_at, name, invoice.currency, Cause.INVOICED, booked)
    yield from _settled_without_payment(invoice, name)
    if invoice.status == _UNCOLLECTIBLE:
        lost = {Account.BAD_DEBT: invoice.remaining_minor, Account.RECEIVABLE: -invoice.remaining_minor}
        yield _event(invoice, invoice.issued_at, f"{name} written off", invoice.currency, Cause.WRITTEN_OFF, lost)


def _named(invoice: Invoice) -> str:
    return f"Invoice {invoice.number or invoice.id}"


def _settled_without_payment(invoice: Invoice, name: str) -> Iterator[Event]:
    applied = invoice.balance_applied_minor
    if applied:
        used = {Account.BALANCES: applied, Account.RECEIVABLE: -applied}
        text = f"{name} settled from the customer's balance"
        yield _event(invoice, invoice.issued_at, text, invoice.currency, Cause.BALANCE, used)
    if invoice.status == _PAID and invoice.is_paid_out_of_band and invoice.paid_at is not None and invoice.paid_minor:
        paid = {Account.OUT_OF_BAND: invoice.paid_minor, Account.RECEIVABLE: -invoice.paid_minor}
        text = f"{name} paid out of band"
        yield _event(invoice, invoice.paid_at, text, invoice.currency, Cause.OUT_OF_BAND, paid)


def _payment(payment: Payment) -> Iterator[Event]:
    if payment.paid_at is None or payment.status not in _RECEIVED:
        return
    applied = sum(each.amount_minor for each in payment.allocations)
    booked = {
        Account.CLEARING: payment.captured_minor,
        Account.RECEIVABLE: -applied,
        Account.UNAPPLIED: applied - payment.captured_minor,
    }
    yield _event(payment, payment.paid_at, f"Payment {payment.id}", payment.currency, Cause.PAID, booked)


def _refund(refund: Refund) -> Iterator[Event]:
    if refund.status in _RECEIVED:
        back = {Account.REFUNDS: refund.amount_minor, Account.CLEARING: -refund.amount_minor}
        yield _event(refund, refund.created_at, f"Refund {refund.id}", refund.currency, Cause.NONE, back)


def _credit_note(note: CreditNote) -> Iterator[Event]:
    if note.status == _VOID:
        return
    name = f"Credit note {note.number or note.id}"
    booked = {
        Account.CREDITS: note.total_minor,
        Account.RECEIVABLE: -note.pre_payment_minor,
        Account.REFUNDS: -note.refunded_minor,
        Account.BALANCES: -note.credited_minor,
        Account.OUT_OF_BAND: -note.out_of_band_minor,
    }
    yield _event(note, note.issued_at, name, note.currency, Cause.CREDITED, booked)


def _dispute(dispute: Dispute) -> Iterator[Event]:
    if dispute.status.startswith(_WARNINGS):
        return
    amount, name = dispute.amount_minor, f"Dispute {dispute.id}"
    held = {Account.DISPUTED: amount, Account.CLEARING: -amount}
    yield _event(dispute, dispute.opened_at, f"{name} opened", dispute.currency, Cause.NONE, held)
    if dispute.status == _LOST:  # where no money comes back, the provider may not say when it ended
        lost = {Account.LOSSES: amount, Account.DISPUTED: -amount}
        ended_at = dispute.closed_at or dispute.opened_at
        yield _event(dispute, ended_at, f"{name} lost", dispute.currency, Cause.NONE, lost)
    elif dispute.status == _WON and dispute.closed_at is not None:
        back = {Account.CLEARING: amount, Account.DISPUTED: -amount}
        yield _event(dispute, dispute.closed_at, f"{name} won", dispute.currency, Cause.NONE, back)


def _movement(moved: BalanceTransaction) -> Iterator[Event]:
    if moved.fee_minor:
        cost = {Account.FEES: moved.fee_minor, Account.CLEARING: -moved.fee_minor}
        text = f"Fee of {moved.source or moved.id}"
        yield _event(moved, moved.created_at, text, moved.currency, Cause.NONE, cost)


def _payout(payout: Payout) -> Iterator[Event]:
    if payout.status == _PAID:
        sent = {Account.BANK: payout.amount_minor, Account.CLEARING: -payout.amount_minor}
        yield _event(payout, payout.arrives_at, f"Payout {payout.id}", payout.currency, Cause.NONE, sent)


def _turned(event: Event, at: datetime, cause: Cause) -> Event:
    turned = tuple(Posting(account=each.account, minor=-each.minor) for each in event.postings)
    return replace(event, at=at, text=f"{event.text} taken back", cause=cause, postings=turned)


_CAUSES_TURNED = {Invoice: Cause.VOIDED, Payment: Cause.REVERSED, CreditNote: Cause.CREDITED}
_MAKERS: Mapping[type, Callable[..., Iterator[Event]]] = {
    Invoice: _invoice,
    Payment: _payment,
    Refund: _refund,
    CreditNote: _credit_note,
    Dispute: _dispute,
    BalanceTransaction: _movement,
    Payout: _payout,
}


def moment_of(thing: BillingObject) -> datetime | None:
    """Return when an object counts for the books; None where it never does."""
    if isinstance(thing, Invoice):
        moment = None if thing.status == "draft" else thing.issued_at
    elif isinstance(thing, Payment):
        moment = thing.paid_at
    else:
        name = _MOMENTS.get(kind_of(thing).value)
        moment = None if name is None else getattr(thing, name)
    return moment


_MOMENTS = {
    "refund": "created_at",
    "credit_note": "issued_at",
    "dispute": "opened_at",
    "balance_transaction": "created_at",
    "payout": "arrives_at",
}
