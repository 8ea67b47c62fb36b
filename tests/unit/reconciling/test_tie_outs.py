"""Tie-outs hold to the last minor unit, and what matches what is known by how sure it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.demo.broken import of
from console.domain.billing.matching import Match, Strength, matches, named, payable
from console.domain.billing.objects import BalanceTransaction, CreditNote, Invoice, Payment, Payout
from console.domain.billing.sealing import is_as_closed, money_digest, sealed
from console.domain.billing.states import STATUSES, unknown_word
from console.domain.billing.tie_outs import (
    RollForward,
    allocation_gap,
    due_gap,
    half_up,
    months_before,
    payout_gap,
    period_starts,
    prorated,
    proration_gap,
    refunded_gap,
    roll_forward_gap,
    split_gap,
    tax_gaps,
    tax_on,
    total_gap,
    transaction_gap,
    unapplied,
    use_gap,
)
from console.domain.ids import Digest, TenantId
from tests.unit.reconciling.worlds import NOW, clean, tenants_for

_ONE, _TWO = TenantId("ten_one"), TenantId("ten_two")


def an_invoice() -> Invoice:
    """Return a paid invoice with tax."""
    every = (each for index in range(1, 200) for each in of(Invoice, clean(index)))
    return next(each for each in every if each.status == "paid" and each.tax_minor and len(each.lines) == 1)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_rounding_is_to_the_nearest_and_the_same_for_both_signs(number: int, by: int) -> None:
    rounded = half_up(number, by)
    assert abs(2 * (number - rounded * by)) <= by
    assert half_up(-number, by) == -rounded


@pytest.mark.parametrize(
    ("amount", "rate", "tax"), [(2_900, 1_900, 551), (5, 1_000, 1), (4, 1_000, 0), (-5, 1_000, -1), (100, 0, 0)]
)
def test_tax_is_rounded_once(amount: int, rate: int, tax: int) -> None:
    assert tax_on(amount, rate) == tax


@pytest.mark.parametrize(
    ("moment", "months", "before"),
    [
        ((2026, 3, 31), 1, (2026, 2, 28)),
        ((2028, 3, 31), 1, (2028, 2, 29)),
        ((2026, 1, 15), 1, (2025, 12, 15)),
        ((2026, 5, 31), -1, (2026, 6, 30)),
        ((2028, 2, 29), 12, (2027, 2, 28)),
    ],
)
def test_a_month_before_is_the_same_day_or_the_last(
    moment: tuple[int, int, int], months: int, before: tuple[int, int, int]
) -> None:
    assert months_before(datetime(*moment, tzinfo=UTC), months) == datetime(*before, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "months", "begins"),
    [  # without the anchor: every day on which a period with that end can have begun
        ((2027, 2, 28), 1, [(2027, 1, day) for day in (28, 29, 30, 31)]),
        ((2028, 2, 28), 1, [(2028, 1, 28)]),
        ((2028, 2, 29), 1, [(2028, 1, day) for day in (29, 30, 31)]),
        ((2027, 3, 28), 1, [(2027, 2, 28)]),
        ((2027, 3, 29), 1, [(2027, 2, 28)]),
        ((2027, 3, 31), 1, [(2027, 2, 28)]),
        ((2028, 3, 31), 1, [(2028, 2, 29)]),
        ((2027, 4, 30), 1, [(2027, 3, 30), (2027, 3, 31)]),
        ((2027, 5, 30), 1, [(2027, 4, 30)]),
        ((2027, 5, 31), 1, [(2027, 4, 30)]),
        ((2027, 7, 31), 1, [(2027, 6, 30)]),
        ((2027, 8, 31), 1, [(2027, 7, 31)]),
        ((2028, 2, 29), 12, [(2027, 2, 28)]),
        ((2029, 2, 28), 12, [(2028, 2, 28), (2028, 2, 29)]),
        ((2027, 2, 28), 3, [(2026, 11, 28), (2026, 11, 29), (2026, 11, 30)]),
    ],
)
def test_a_period_that_ends_on_the_last_day_of_a_month_can_have_begun_on_several(
    end: tuple[int, int, int], months: int, begins: list[tuple[int, int, int]]
) -> None:
    assert period_starts(datetime(*end, tzinfo=UTC), months) == tuple(datetime(*day, tzinfo=UTC) for day in begins)


@pytest.mark.parametrize("anchor", [28, 29, 30, 31])
@pytest.mark.parametrize("year", [2026, 2027])  # of the two the second leads into a leap year
def test_the_anchor_says_where_a_period_began_in_every_month(anchor: int, year: int) -> None:
    anchored_at = datetime(year, 1, anchor, 12, tzinfo=UTC)
    ends = [months_before(anchored_at, -count) for count in range(26)]
    for began, end in pairwise(ends):
        assert period_starts(end, 1, anchored_at=anchored_at) == (began,)
        assert began in period_starts(end, 1)


def test_an_anchor_that_was_moved_since_says_nothing_of_earlier_periods() -> None:
    end = datetime(2027, 3, 15, tzinfo=UTC)
    moved = datetime(2027, 4, 30, tzinfo=UTC)
    assert period_starts(end, 1, anchored_at=moved) == (datetime(2027, 2, 15, tzinfo=UTC),)


def test_the_rest_of_a_period_costs_its_share() -> None:
    end = datetime(2026, 5, 1, tzinfo=UTC)
    assert prorated(3_000, 1, start=datetime(2026, 4, 16, tzinfo=UTC), end=end, interval="month") == (1_500,)
    assert prorated(3_000, 2, start=datetime(2026, 4, 1, tzinfo=UTC), end=end, interval="month") == (6_000,)
    assert prorated(3_000, 1, start=end, end=end, interval="month") == ()
    assert prorated(3_000, 1, start=datetime(2026, 4, 1, tzinfo=UTC), end=end, interval="fortnight") == ()


def test_the_last_week_of_february_costs_what_its_anchor_says() -> None:
    start, end = datetime(2027, 2, 21, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)
    # 7 of 31, 30, 29 and 28 days.
    assert prorated(3_000, 1, start=start, end=end, interval="month") == (677, 700, 724, 750)
    anchored_at = datetime(2026, 8, 31, tzinfo=UTC)
    assert prorated(3_000, 1, start=start, end=end, interval="month", anchored_at=anchored_at) == (750,)
    (line,) = an_invoice().lines
    part = replace(
        line, is_proration=True, quantity=1, unit_minor=3_000, amount_minor=-750, period_from=start, period_until=end
    )
    assert proration_gap(part, "month", anchored_at=anchored_at) == 0
    assert proration_gap(part, "month", anchored_at=anchored_at.replace(day=28)) == -73
    assert proration_gap(part, "month") == 0  # one of those that are possible
    assert proration_gap(replace(part, amount_minor=-760), "month") == -10
    assert proration_gap(replace(part, quantity=None), "month") is None


def test_the_gaps_of_an_invoice_are_told_in_minor_units() -> None:
    invoice = an_invoice()
    assert (total_gap(invoice), due_gap(invoice)) == (0, 0)
    assert total_gap(replace(invoice, total_minor=invoice.total_minor + 7)) == 7
    assert due_gap(replace(invoice, remaining_minor=3)) == -3
    (line,) = invoice.lines
    assert tax_gaps(replace(invoice, lines=(replace(line, tax_minor=line.tax_minor + 2),))) == (
        (replace(line, tax_minor=line.tax_minor + 2), 2),
    )
    assert tax_gaps(replace(invoice, lines=(replace(line, tax_basis_points=None),))) == ()
    # Half of it given away: half the tax.
    half = replace(invoice, discount_minor=line.amount_minor // 2)
    ((_, gap),) = tax_gaps(half)
    assert gap == line.tax_minor - half_up(line.amount_minor * (line.tax_basis_points or 0), 20_000)
    # A correction that only gives back is taxed as it stands.
    back = replace(line, amount_minor=-line.amount_minor, tax_minor=-line.tax_minor)
    assert [gap for _, gap in tax_gaps(replace(invoice, lines=(back,)))] == [0]


def test_what_payments_gave_is_what_was_paid() -> None:
    books = next(books for books in map(clean, range(18, 90)) if len(of(Payment, books)) > 1)
    payment = of(Payment, books)[0]
    invoice = next(each for each in of(Invoice, books) if each.id == payment.allocations[0].invoice)
    assert allocation_gap(invoice, of(Payment, books)) == 0
    assert allocation_gap(invoice, ()) == invoice.paid_minor
    assert allocation_gap(invoice, [replace(payment, status="failed")]) == invoice.paid_minor
    assert unapplied(payment) == 0
    assert unapplied(replace(payment, captured_minor=payment.captured_minor + 5)) == 5
    assert unapplied(replace(payment, captured_minor=payment.captured_minor + 5, refunded_minor=9)) == 0
    assert unapplied(replace(payment, captured_minor=payment.captured_minor - 5, refunded_minor=9)) == -5
    assert refunded_gap(replace(payment, refunded_minor=4), ()) == 4


def test_the_parts_of_a_credit_note_are_its_total() -> None:
    (_, books) = next(tenants_for("credit_note_does_not_add_up", wanted=1))
    note = of(CreditNote, books)[-1]
    assert (split_gap(note), use_gap(note)) == (0, 100)
    assert split_gap(replace(note, pre_payment_minor=5)) == -5


def test_a_payout_is_the_net_of_what_is_in_it() -> None:
    moved = BalanceTransaction(
        id="txn_1",
        category="charge",
        source="pi_1",
        payout="po_1",
        currency="EUR",
        amount_minor=1_000,
        fee_minor=30,
        net_minor=970,
        created_at=NOW,
        is_live=True,
    )
    payout = Payout(
        id="po_1",
        status="paid",
        currency="EUR",
        amount_minor=970,
        is_automatic=True,
        created_at=NOW,
        arrives_at=NOW,
        is_live=True,
    )
    own = replace(moved, id="txn_2", category="payout", source="po_1", amount_minor=-970, fee_minor=0, net_minor=-970)
    assert payout_gap(payout, [moved, own]) == 0
    assert payout_gap(replace(payout, amount_minor=971), [moved]) == 1
    assert transaction_gap(moved) == 0
    assert transaction_gap(replace(moved, net_minor=969)) == -1


@given(st.tuples(*[st.integers(0, 10**9)] * 6))
def test_receivables_roll_forward_exactly(moved: tuple[int, ...]) -> None:
    opening, invoiced, credited, paid, back, lost = moved
    roll = RollForward(
        opening_minor=opening,
        invoiced_minor=invoiced,
        credited_minor=credited,
        paid_minor=paid,
        reversed_minor=back,
        written_off_minor=lost,
        closing_minor=opening + invoiced - credited - paid + back - lost,
    )
    assert roll_forward_gap(roll) == 0
    assert roll_forward_gap(replace(roll, closing_minor=roll.closing_minor + 1)) == 1


def test_a_closed_invoice_may_be_paid_but_not_changed() -> None:
    invoice = an_invoice()
    closed = money_digest(
        replace(invoice, status="open", paid_minor=0, remaining_minor=invoice.due_minor, paid_at=None)
    )
    assert is_as_closed(invoice, closed)
    assert is_as_closed(invoice, money_digest(invoice))
    assert not is_as_closed(replace(invoice, total_minor=invoice.total_minor + 1), closed)
    assert not is_as_closed(invoice, Digest("0" * 64))
    assert sealed(sealed(invoice)) == sealed(invoice)


def test_every_kind_that_has_a_state_has_its_words() -> None:
    for thing in clean(30).provider:
        assert unknown_word(thing) is None
        assert not hasattr(thing, "status") or thing.status in STATUSES[next(k for k in STATUSES if k == _kind(thing))]


def _kind(thing: object) -> str:
    return {"CreditNote": "credit_note"}.get(type(thing).__name__, type(thing).__name__.lower())


# --- matching -----------------------------------------------------------------------------------------------------


def test_only_ids_metadata_and_chains_are_sure_enough_to_link() -> None:
    assert [each for each in Strength if each.may_link] == [Strength.PROVIDER_ID, Strength.METADATA, Strength.CHAIN]


def test_the_strongest_match_comes_first_and_a_guess_names_nobody() -> None:
    found = matches([(_TWO, "name"), (_ONE, "metadata"), (_TWO, "hunch")])
    assert found[0] == Match(Strength.METADATA, "metadata", _ONE)
    assert named(found) == _ONE
    assert named(matches([(_ONE, "email"), (_TWO, "name")])) is None
    assert named(matches([(_ONE, "metadata"), (_TWO, "metadata")])) is None


def test_a_payment_fits_an_open_invoice_only_where_there_is_one() -> None:
    books = next(books for books in map(clean, range(18, 300)) if _open(books.provider))
    owed = _open(books.provider)[0]
    payment = replace(
        next(each for each in of(Payment, books)), currency=owed.currency, captured_minor=owed.remaining_minor
    )
    assert payable(payment, owed.remaining_minor, [owed]) == owed
    assert payable(payment, owed.remaining_minor, [owed, replace(owed, id="in_twin")]) is None
    assert payable(payment, owed.remaining_minor + 1, [owed]) is None
    assert payable(replace(payment, currency="CHF"), owed.remaining_minor, [owed]) is None


def _open(things: tuple[object, ...]) -> list[Invoice]:
    return [each for each in things if isinstance(each, Invoice) and each.status == "open"]


def test_a_due_date_lies_after_the_invoice() -> None:
    assert all(
        each.due_at is not None and each.due_at - each.issued_at >= timedelta(days=13)
        for index in range(40)
        for each in of(Invoice, clean(index))
    )
