"""Laws of the books: every event balances, receivables roll forward exactly, nothing is booked twice or lost."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.accounting.journal import Account, Cause, corrections_of, events_of, totals
from console.domain.accounting.period_books import PeriodBooks, closed_set, period_books
from console.domain.accounting.receivables import aged
from console.domain.billing.objects import (
    Allocation,
    BillingObject,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceLine,
    Payment,
    Refund,
)
from console.domain.billing.sealing import is_as_closed
from console.domain.periods import FrozenSet, PeriodId, following

FIRST = PeriodId("2026-01")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
CURRENCIES = ("EUR", "JPY", "KWD")
moments = st.integers(-20, 150).map(lambda day: NEW_YEAR + timedelta(days=day, hours=day % 24))


def invoice(number: int, *, net: int, tax: int, at: datetime, currency: str, status: str) -> Invoice:
    total = net + tax
    is_paid = status == "paid"
    line = InvoiceLine(
        id=f"il_{number}", text="Plan", amount_minor=net, price=None, feature=None, quantity=1, unit_minor=net,
        period_from=at, period_until=at + timedelta(days=30), is_proration=False, tax_minor=tax,
        tax_basis_points=2000, jurisdiction="DE",
    )  # fmt: skip
    return Invoice(
        id=f"in_{number}", number=f"INV-{number}", customer="cus_1", subscription=None, status=status,
        currency=currency, lines=(line,), discount_minor=0, tax_minor=tax, total_minor=total, balance_applied_minor=0,
        due_minor=total, paid_minor=total if is_paid else 0, remaining_minor=0 if is_paid else total, issued_at=at,
        due_at=at + timedelta(days=14), paid_at=None, is_paid_out_of_band=False, is_live=True,
    )  # fmt: skip


@st.composite
def stories(draw: st.DrawFn) -> list[BillingObject]:
    """Draw invoices of one tenant, and what was paid, sent back, credited and disputed of them."""
    things: list[BillingObject] = []
    for number in range(draw(st.integers(1, 6))):
        at, currency = draw(moments), draw(st.sampled_from(CURRENCIES))
        status = draw(st.sampled_from(("open", "paid", "void", "uncollectible", "draft")))
        bill = invoice(
            number, net=draw(st.integers(1, 50_000)), tax=draw(st.integers(0, 9_000)), at=at, currency=currency,
            status=status,
        )  # fmt: skip
        things.append(bill)
        if status != "paid":
            continue
        paid = at + timedelta(days=draw(st.integers(0, 40)))
        payment = Payment(
            id=f"ch_{number}", customer="cus_1", status="succeeded", currency=currency, amount_minor=bill.total_minor,
            captured_minor=bill.total_minor, refunded_minor=0,
            allocations=(Allocation(invoice=bill.id, amount_minor=bill.total_minor),), paid_at=paid, created_at=paid,
            is_live=True,
        )  # fmt: skip
        things.append(payment)
        later = paid + timedelta(days=draw(st.integers(0, 40)))
        part = draw(st.integers(1, bill.total_minor))
        if draw(st.booleans()):
            things.append(
                Refund(id=f"re_{number}", payment=payment.id, customer="cus_1", currency=currency, amount_minor=part,
                       status=draw(st.sampled_from(("succeeded", "pending", "failed"))), reason=None, created_at=later,
                       is_live=True)
            )  # fmt: skip
            things.append(
                CreditNote(id=f"cn_{number}", number=None, customer="cus_1", invoice=bill.id, status="issued",
                           currency=currency, total_minor=part, pre_payment_minor=0, post_payment_minor=part,
                           refunded_minor=part, credited_minor=0, out_of_band_minor=0, reason=None, issued_at=later,
                           is_live=True)
            )  # fmt: skip
        elif draw(st.booleans()):
            status = draw(st.sampled_from(("needs_response", "won", "lost")))
            closed = None if status == "needs_response" else later + timedelta(days=20)
            things.append(
                Dispute(id=f"du_{number}", payment=payment.id, customer="cus_1", status=status, currency=currency,
                        amount_minor=bill.total_minor, opened_at=later, closed_at=closed, is_live=True)
            )  # fmt: skip
    return things


def walked(things: Sequence[BillingObject], months: int) -> list[PeriodBooks]:
    """Close month after month over the same objects."""
    period, earlier, books = FIRST, list[FrozenSet](), list[PeriodBooks]()
    for number in range(months):
        made = period_books(period, things, earlier=earlier, is_first=number == 0, now=FAR_AHEAD)
        books.append(made)
        earlier.append(made.held)
        period = following(period)
    return books


@given(stories())
@settings(max_examples=150, deadline=None)
def test_it_balances_every_journal_in_every_currency(things: list[BillingObject]) -> None:
    events = [event for thing in things for event in events_of(thing, since=LONG_AGO, until=FAR_AHEAD)]
    by_currency: dict[str, int] = {}
    for (currency, _account), minor in totals(events).items():
        by_currency[currency] = by_currency.get(currency, 0) + minor
    assert set(by_currency.values()) <= {0}


@given(stories())
@settings(max_examples=150, deadline=None)
def test_it_rolls_receivables_forward_to_what_invoices_still_owe(things: list[BillingObject]) -> None:
    last = walked(things, 10)[-1]
    owed = aged((each for each in things if isinstance(each, Invoice)), at=FAR_AHEAD)
    assert {each.currency: each.closing for each in last.rolled if each.closing} == {
        currency: sum(buckets.values()) for currency, buckets in owed.items()
    }


@given(stories())
@settings(max_examples=100, deadline=None)
def test_it_books_everything_once_over_all_periods(things: list[BillingObject]) -> None:
    booked = [event for books in walked(things, 10) for event in books.events]
    whole = [event for thing in things for event in events_of(thing, since=NEW_YEAR, until=FAR_AHEAD)]
    assert totals(booked) == totals(whole)


@given(stories(), st.integers(0, 4))
@settings(max_examples=100, deadline=None)
def test_it_books_what_came_late_in_the_next_period(things: list[BillingObject], known: int) -> None:
    early = things[: min(known, len(things))]
    first = period_books(FIRST, early, earlier=(), is_first=True, now=FAR_AHEAD)
    earlier, period, late = [first.held], following(FIRST), list(first.events)
    for _ in range(9):
        made = period_books(period, things, earlier=earlier, is_first=False, now=FAR_AHEAD)
        late += made.events
        earlier.append(made.held)
        period = following(period)
    before = [e for thing in early for e in events_of(thing, since=LONG_AGO, until=NEW_YEAR)]
    whole = [e for thing in things for e in events_of(thing, since=LONG_AGO, until=FAR_AHEAD)]
    assert totals([*late, *before]) == totals(whole)


@given(stories(), st.sampled_from(("open", "paid", "void", "uncollectible")))
@settings(max_examples=100, deadline=None)
def test_it_makes_good_what_an_invoice_became_after_the_close(things: list[BillingObject], became: str) -> None:
    bill = next(each for each in things if isinstance(each, Invoice))
    was = invoice(0, net=1_000, tax=190, at=NEW_YEAR, currency=bill.currency, status="open")
    now = invoice(0, net=1_000, tax=190, at=NEW_YEAR, currency=bill.currency, status=became)
    then = list(events_of(was, since=LONG_AGO, until=FAR_AHEAD))
    mended = list(corrections_of(now, booked="open", at=FAR_AHEAD))
    assert {key: minor for key, minor in totals([*then, *mended]).items() if minor} == {
        key: minor for key, minor in totals(events_of(now, since=LONG_AGO, until=FAR_AHEAD)).items() if minor
    }


def test_it_takes_a_loss_back_when_a_written_off_invoice_is_paid_after_all() -> None:
    paid = invoice(1, net=1_000, tax=0, at=NEW_YEAR, currency="EUR", status="paid")
    (event,) = (e for e in corrections_of(paid, booked="uncollectible", at=FAR_AHEAD) if e.cause is Cause.WRITTEN_OFF)
    assert {each.account: each.minor for each in event.postings} == {
        Account.RECEIVABLE: 1_000,
        Account.BAD_DEBT: -1_000,
    }


def test_it_gives_reconciliation_the_money_of_closed_invoices_and_nothing_else() -> None:
    bills = [invoice(n, net=100 + n, tax=0, at=NEW_YEAR, currency="EUR", status="open") for n in range(2)]
    held = period_books(FIRST, [*bills], earlier=(), is_first=True, now=FAR_AHEAD).held
    closed = closed_set(held, closed_at=FAR_AHEAD)
    assert set(closed.invoices) == {"in_0", "in_1"}
    assert is_as_closed(replace(bills[0], status="paid", paid_minor=100, remaining_minor=0), closed.invoices["in_0"])
    assert not is_as_closed(replace(bills[0], total_minor=101), closed.invoices["in_0"])
