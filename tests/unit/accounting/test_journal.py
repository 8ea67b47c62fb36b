"""Worked postings: what each billing object does to the books, to the cent, and what does nothing to them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from console.domain.accounting.journal import Account, Cause, Event, UnbalancedError, events_of, totals
from console.domain.accounting.period_books import period_books
from console.domain.billing.objects import BalanceTransaction, BillingObject, Payout
from console.domain.periods import PeriodId
from tests.billing import (
    A_CREDIT_NOTE,
    A_CUSTOMER,
    A_DISPUTE,
    A_PAYMENT,
    A_REFUND,
    A_SUBSCRIPTION,
    AN_INVOICE,
    DAY,
    NOON,
    PAID,
)

LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
A_MOVEMENT = BalanceTransaction(
    id="txn_1", category="charge", source="pi_1", payout="po_1", currency="EUR", amount_minor=9_900, fee_minor=174,
    net_minor=9_726, created_at=NOON, is_live=True,
)  # fmt: skip
A_PAYOUT = Payout(
    id="po_1", status="paid", currency="EUR", amount_minor=9_726, is_automatic=True, created_at=NOON,
    arrives_at=NOON + 2 * DAY, is_live=True,
)  # fmt: skip
BY_HAND = replace(PAID, is_paid_out_of_band=True)
FROM_BALANCE = replace(AN_INVOICE, balance_applied_minor=900)
SOLD = {Account.RECEIVABLE: 9_900, Account.REVENUE: -9_900}
HELD = {Account.DISPUTED: 9_900, Account.CLEARING: -9_900}

BOOKED: dict[str, tuple[BillingObject, list[Mapping[Account, int]]]] = {
    "an invoice that credit of the customer settles in part": (
        FROM_BALANCE, [SOLD, {Account.BALANCES: 900, Account.RECEIVABLE: -900}],
    ),
    "an invoice that was paid past the provider": (
        BY_HAND, [SOLD, {Account.OUT_OF_BAND: 9_900, Account.RECEIVABLE: -9_900}],
    ),
    "an invoice that was paid past the provider, nobody says when": (replace(BY_HAND, paid_at=None), [SOLD]),
    "a dispute that goes on": (A_DISPUTE, [HELD]),
    "a dispute that was lost": (
        replace(A_DISPUTE, status="lost", closed_at=NOON), [HELD, {Account.LOSSES: 9_900, Account.DISPUTED: -9_900}],
    ),
    "a dispute that was lost, nobody says when": (
        replace(A_DISPUTE, status="lost"), [HELD, {Account.LOSSES: 9_900, Account.DISPUTED: -9_900}],
    ),
    "a dispute that was won, whose money is not back yet": (replace(A_DISPUTE, status="won"), [HELD]),
    "a dispute that was won": (
        replace(A_DISPUTE, status="won", closed_at=NOON), [HELD, {Account.CLEARING: 9_900, Account.DISPUTED: -9_900}],
    ),
    "a dispute that ended by a word that we do not know": (replace(A_DISPUTE, status="odd", closed_at=NOON), [HELD]),
    "a movement with a fee": (A_MOVEMENT, [{Account.FEES: 174, Account.CLEARING: -174}]),
    "a payout that arrived": (A_PAYOUT, [{Account.BANK: 9_726, Account.CLEARING: -9_726}]),
    "a customer": (A_CUSTOMER, []),
    "a subscription": (A_SUBSCRIPTION, []),
    "a payment that failed": (replace(A_PAYMENT, status="failed"), []),
    "a payment that is not there yet": (replace(A_PAYMENT, paid_at=None), []),
    "a refund that is on its way": (replace(A_REFUND, status="pending"), []),
    "a credit note that was taken back": (replace(A_CREDIT_NOTE, status="void"), []),
    "a question of the bank that is no dispute yet": (replace(A_DISPUTE, status="warning_needs_response"), []),
    "a movement without a fee": (replace(A_MOVEMENT, fee_minor=0), []),
    "a payout that is on its way": (replace(A_PAYOUT, status="in_transit"), []),
}  # fmt: skip


def events(thing: BillingObject) -> list[Event]:
    return list(events_of(thing, since=LONG_AGO, until=FAR_AHEAD))


@pytest.mark.parametrize("name", BOOKED)
def test_it_books_what_happened_and_nothing_else(name: str) -> None:
    thing, wanted = BOOKED[name]
    assert [{each.account: each.minor for each in event.postings} for event in events(thing)] == wanted


@pytest.mark.parametrize(
    ("thing", "cause", "at"),
    [
        (FROM_BALANCE, Cause.BALANCE, FROM_BALANCE.issued_at),
        (BY_HAND, Cause.OUT_OF_BAND, BY_HAND.paid_at),
        (A_MOVEMENT, Cause.NONE, NOON),
        (A_PAYOUT, Cause.NONE, NOON + 2 * DAY),
    ],
)
def test_it_says_when_it_counts_and_what_it_does_to_receivables(
    thing: BillingObject, cause: Cause, at: datetime
) -> None:  # fmt: skip
    last = events(thing)[-1]
    assert (last.cause, last.at) == (cause, at)


def test_a_credit_note_whose_parts_are_not_its_total_is_not_booked() -> None:
    with pytest.raises(UnbalancedError) as broken:
        events(replace(A_CREDIT_NOTE, total_minor=901))
    assert broken.value.facts == {"thing": "cn_1", "gap": 1}


def test_a_dispute_that_is_lost_after_its_month_was_closed_is_a_loss_of_the_month_in_which_that_is_known() -> None:
    october, november, december = (PeriodId(f"2026-{month}") for month in (10, 11, 12))
    opened = replace(A_DISPUTE, opened_at=datetime(2026, 10, 20, tzinfo=UTC))
    lost = replace(opened, status="lost")
    first = period_books(october, [opened], earlier=(), is_first=True, now=FAR_AHEAD)
    second = period_books(november, [lost], earlier=[first.held], is_first=False, now=FAR_AHEAD)
    third = period_books(december, [lost], earlier=[first.held, second.held], is_first=False, now=FAR_AHEAD)
    booked = [[(event.at.month, event.text) for event in books.events] for books in (first, second, third)]
    assert booked == [[(10, "Dispute dp_1 opened")], [(11, "Dispute dp_1 lost (late)")], []]
    assert {account: minor for (_eur, account), minor in totals([*first.events, *second.events]).items() if minor} == {
        Account.CLEARING: -9_900, Account.LOSSES: 9_900,
    }  # fmt: skip
