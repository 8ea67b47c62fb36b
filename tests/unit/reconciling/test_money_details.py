"""What tells one kind of subscription, invoice, payment or payout from its neighbours."""

from dataclasses import replace
from typing import Any

from console.adapters.demo.books import PRICES_BY_ID
from console.adapters.demo.broken import both, here, live, of, there
from console.adapters.demo.charges import price_id
from console.adapters.demo.drift_account import account_books
from console.domain.billing.objects import CreditNote, Dispute, Invoice, ObjectKind, Payment, Refund
from console.domain.reconciling.books import AccountBooks
from console.domain.reconciling.detecting import detect_account, detect_tenant
from console.domain.reconciling.findings import Direction
from tests.unit.reconciling.test_details import _LONG_AGO, first, only
from tests.unit.reconciling.test_laws import kinds_of, payer
from tests.unit.reconciling.worlds import NOW, clean


def test_one_subscription_gives_one_finding_the_most_telling() -> None:
    books = payer()
    mine = live(books)
    assert mine is not None
    late = replace(mine, status="past_due", period_until=NOW, ends_at_period_end=True)
    found = only(here(books, late))
    assert (found.kind, found.differs) == ("sub_status_drift", "status")
    assert {"status", "period_until", "ends_at_period_end"} <= set(found.evidence)
    moved = replace(mine, customer="cus_other")
    assert only(here(books, moved)).direction is Direction.NOBODY


def test_items_that_differ_by_id_alone_are_told_as_a_plan() -> None:
    books = payer()
    mine = live(books)
    assert mine is not None
    other = replace(mine, items=(replace(mine.items[0], id="si_other"), *mine.items[1:]))
    found = only(here(books, other))
    assert (found.kind, found.direction) == ("sub_plan_drift", Direction.NOBODY)


def test_a_second_subscription_without_a_plan_is_no_second_plan() -> None:
    books = payer()
    mine = live(books)
    assert mine is not None
    add_on = replace(mine.items[0], id="si_add", plan=None, price=price_id("seats_10", mine.currency, "month"))
    assert kinds_of(both(books, replace(mine, id="sub_add", items=(add_on,)))) == []


def test_a_subscription_in_another_currency_than_its_price_is_told_once() -> None:
    books = payer()
    mine = live(books)
    assert mine is not None
    other = "JPY" if mine.currency != "JPY" else "EUR"
    items = tuple(replace(each, price=price_id("pro", other, "month")) for each in mine.items)
    found = only(both(books, replace(mine, items=items)))
    assert (found.kind, found.objects) == ("currency_mismatch", (mine.id,))
    record = replace(books.subscription, currency=other)
    found = only(replace(books, subscription=record))
    assert (found.kind, found.objects) == ("currency_mismatch", (f"plan:{record.plan}",))


def test_what_is_older_than_the_window_is_not_compared() -> None:
    cases: tuple[tuple[str, Any, str], ...] = (
        ("payment_not_in_mirror", Payment, "created_at"),
        ("refund_not_in_mirror", Refund, "created_at"),
        ("credit_note_not_in_mirror", CreditNote, "issued_at"),
    )
    for kind, cls, name in cases:
        books = first(kind)
        mine = next(each for each in of(cls, books) if each not in books.mirror)
        old = replace(mine, **{name: _LONG_AGO})
        assert kind not in kinds_of(there(books, old))
    books = payer()
    old_invoice = replace(of(Invoice, books)[0], id="in_old", issued_at=_LONG_AGO)
    assert kinds_of(both(books, old_invoice)) == []
    assert kinds_of(both(books, replace(of(Payment, books)[0], created_at=_LONG_AGO, refunded_minor=5))) == []


def test_an_object_that_differs_is_told_by_its_state_first() -> None:
    cases: tuple[tuple[str, Any], ...] = (
        ("payment_not_in_mirror", Payment),
        ("refund_not_in_mirror", Refund),
        ("credit_note_not_in_mirror", CreditNote),
        ("dispute_not_in_mirror", Dispute),
    )
    for kind, cls in cases:
        books = first(kind)
        mine = next(each for each in of(cls, books) if each not in books.mirror)
        words = {"credit_note": "void", "dispute": "under_review"}
        state = next((word for name, word in words.items() if kind.startswith(name)), "pending")
        found = [
            each for each in detect_tenant(here(books, replace(mine, status=state)).compared()) if each.kind == kind
        ]
        assert [each.differs for each in found] == ["status"]
        other = replace(mine, is_live=mine.is_live, currency=mine.currency, customer="cus_other")
        found = [each for each in detect_tenant(here(books, other).compared()) if each.kind == kind]
        assert [each.differs for each in found] == ["customer"]


def test_a_void_credit_note_credits_nothing() -> None:
    books = first("credit_applied_twice")
    notes = [replace(each, status="void") for each in of(CreditNote, books)]
    assert kinds_of(both(books, *notes)) == []


def test_proration_of_an_unknown_interval_is_not_judged() -> None:
    books = first("proration_mismatch")
    part = next(line for each in of(Invoice, books) for line in each.lines if line.is_proration)
    odd = {**PRICES_BY_ID, part.price or "": replace(PRICES_BY_ID[part.price or ""], interval="fortnight")}
    rest = detect_tenant(replace(books.compared(), prices=odd))
    assert {each.objects[1] for each in rest if each.kind == "proration_mismatch"} <= {
        line.id for each in of(Invoice, books) for line in each.lines if line.price != part.price
    }


def test_a_proration_off_by_one_is_rounding() -> None:
    books = first("proration_mismatch")
    start = next(each for each in map(clean, range(400)) if each.tenant == books.tenant)
    invoice = next(each for each in of(Invoice, start) if any(line.is_proration for line in each.lines))
    lines = tuple(
        replace(line, amount_minor=line.amount_minor + (line.is_proration and line.amount_minor > 0))
        for line in invoice.lines
    )
    odd = replace(invoice, lines=lines, total_minor=invoice.total_minor + 1, due_minor=invoice.due_minor + 1)
    found = only(both(start, replace(odd, remaining_minor=invoice.remaining_minor + 1)))
    assert found.kind == "rounding_difference"


def test_disputed_money_is_not_offered_to_an_invoice_but_too_much_is_told() -> None:
    books = first("dispute_not_in_mirror")
    books = both(books, *of(Dispute, books))
    name = of(Dispute, books)[-1].payment
    payment = next(each for each in of(Payment, books) if each.id == name)
    more = replace(payment, captured_minor=payment.captured_minor + 9, amount_minor=payment.amount_minor + 9)
    assert kinds_of(both(books, more)) == []
    less = replace(payment, captured_minor=payment.captured_minor - 9)
    assert kinds_of(both(books, less)) == ["payment_over_allocated"]


def test_money_without_an_invoice_names_the_only_invoice_that_fits() -> None:
    books = next(each for each in map(clean, range(18, 300)) if [i for i in of(Invoice, each) if i.status == "open"])
    owed = next(each for each in of(Invoice, books) if each.status == "open")
    paid = next(each for each in of(Payment, books) if each.paid_at is not None)
    stray = replace(
        paid, id="pi_stray", allocations=(), amount_minor=owed.remaining_minor, captured_minor=owed.remaining_minor
    )
    one = [
        each for each in of(Invoice, books) if each.status == "open" and each.remaining_minor == owed.remaining_minor
    ]
    found = only(both(books, stray))
    assert found.kind == "payment_without_invoice"
    assert found.params.get("invoice") == (owed.id if len(one) == 1 else None)
    assert found.evidence["match"] == ("candidate" if len(one) == 1 else "")


def test_a_refund_by_rule_needs_one_full_undisputed_payment() -> None:
    books = first("payment_after_cancellation")
    found = only(books)
    assert found.params["payment"] == found.objects[0]
    payment = next(each for each in of(Payment, books) if each.id == found.objects[0])
    twin = replace(payment, id="pi_twin", captured_minor=0, amount_minor=0, status="failed")
    assert only(both(books, twin)).params == {}


def test_a_dispute_that_ended_without_effect_needs_no_note() -> None:
    books = first("dispute_won")
    dispute = of(Dispute, books)[-1]
    quiet = both(replace(books, holds=()), replace(dispute, status="warning_closed"))
    assert kinds_of(quiet) == []
    assert kinds_of(both(books, replace(dispute, status="warning_closed"))) == ["dispute_won"]


def test_an_account_without_anything_is_no_error() -> None:
    assert detect_account(AccountBooks(now=NOW)) == ()


def test_a_payout_that_holds_another_currency_is_told_as_that() -> None:
    start = account_books((clean(index) for index in range(1, 40)), now=NOW)
    payout = next(each for each in start.payouts if start.transactions[each.id])
    inside = start.transactions[payout.id]
    for odd in ("CHF", "ZZZ"):
        moved = {**start.transactions, payout.id: (*inside[:-1], replace(inside[-1], currency=odd))}
        (found,) = detect_account(replace(start, transactions=moved))
        assert (found.kind, found.objects) == ("currency_mismatch", (payout.id,))
    broken_net = (*inside[:-1], replace(inside[-1], net_minor=inside[-1].net_minor - 1))
    (found,) = detect_account(replace(start, transactions={**start.transactions, payout.id: broken_net}))
    assert (found.kind, found.differs) == ("payout_mismatch", inside[-1].id)
    failed = replace(payout, status="failed", amount_minor=payout.amount_minor + 1)
    assert detect_account(replace(start, payouts=(failed,))) == ()


def test_an_unreadable_payout_is_told() -> None:
    (found,) = detect_account(AccountBooks(now=NOW, unreadable={(ObjectKind.PAYOUT, "po_1"): "no amount"}))
    assert (found.kind, found.tenant, found.theirs) == ("unreadable_object", None, "no amount")


def test_a_sealed_file_may_keep_its_digest_and_lose_its_totals() -> None:
    start = account_books((), now=NOW)
    moved = tuple(replace(each, totals_found={"EUR": 100_00}) for each in start.exports)
    (found,) = detect_account(replace(start, exports=moved))
    assert (found.kind, found.differs, found.at_risk_minor, found.currency) == (
        "export_mismatch",
        "totals",
        90_00,
        "EUR",
    )
