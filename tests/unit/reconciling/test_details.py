"""What tells one kind from its neighbours: the exemptions, the second field, the other side."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from console.adapters.demo.books import PRICES_BY_ID, DemoBooks
from console.adapters.demo.broken import both, customer, decided_by, here, live, not_here, not_there, of, there
from console.adapters.demo.charges import price_id
from console.adapters.demo.drift import broken, broken_account
from console.adapters.demo.drift_account import account_books
from console.domain.billing.objects import CreditNote, Dispute, Invoice, ObjectKind, Payment, Refund, Subscription
from console.domain.entitlements import Access, Contract
from console.domain.reconciling.books import AccountBooks, StoredRow
from console.domain.reconciling.detecting import detect_account, detect_tenant
from console.domain.reconciling.findings import Candidate, Direction
from console.domain.reconciling.reading import moment, reading_of, said
from tests.unit.reconciling.test_laws import kinds_of, payer
from tests.unit.reconciling.worlds import NOW, clean, tenants_for

_LONG_AGO = NOW - timedelta(days=500)


def first(kind: str) -> DemoBooks:
    """Return the first tenant that is broken in one way."""
    return next(tenants_for(kind, wanted=1))[1]


def only(books: DemoBooks) -> Candidate:
    """Return the one finding of a tenant."""
    (found,) = detect_tenant(books.compared())
    return found


# --- customers ----------------------------------------------------------------------------------------------------


def test_a_contract_paid_elsewhere_needs_no_customer() -> None:
    books = first("tenant_without_customer")
    until = NOW + timedelta(days=30)
    contract = Contract(id="ctr_1", label="Contract", plan="pro", version=0, starts_at=_LONG_AGO, until=until)
    signed = decided_by(books, replace(books.inputs, contracts=(contract,)))
    assert kinds_of(signed) == []
    over = replace(contract, until=NOW - timedelta(days=1))
    assert kinds_of(decided_by(books, replace(books.inputs, contracts=(over,)))) == ["tenant_without_customer"]


def test_a_customer_that_is_gone_is_told_once() -> None:
    books = payer()
    without = replace(books, provider=())
    assert "customer_drift" not in kinds_of(without)
    assert "tenant_without_customer" in kinds_of(without)
    free = replace(books, subscription=replace(books.subscription, status="canceled"))
    assert "customer_drift" in kinds_of(replace(free, provider=()))


def test_the_claim_of_another_tenant_is_not_told_twice_but_all_else_is() -> None:
    books = payer()
    claimed = replace(customer(books), tenant="ten_other")
    assert kinds_of(there(books, claimed)) == ["mapping_conflict"]
    renamed = replace(claimed, name="Another name")
    assert kinds_of(there(books, renamed)) == ["customer_drift", "mapping_conflict"]


def test_a_lost_credit_costs_whom_it_belonged_to() -> None:
    books = payer()
    mine = customer(books)
    assert only(there(books, replace(mine, balance_minor=-5))).direction is Direction.CUSTOMER_LOSES
    assert only(here(books, replace(mine, balance_minor=-5))).direction is Direction.WE_LOSE


def test_of_two_customers_the_one_that_pays_longest_stays() -> None:
    books = payer()
    mine, paid = customer(books), live(books)
    assert paid is not None
    twin = replace(mine, id="cus_twin", created_at=mine.created_at + timedelta(days=1))
    found = only(both(books, twin, replace(paid, id="sub_twin", customer=twin.id)))
    assert (found.kind, found.ours, found.params) == (
        "customer_duplicate",
        f"keep {mine.id}",
        {"keep": paid.id, "cancel": "sub_twin"},
    )
    assert found.at_risk_minor > 0


def test_a_guess_is_shown_and_never_filled_in() -> None:
    start = account_books((clean(index) for index in range(1, 5)), now=NOW)
    books = broken_account(start, "customer_unmapped")
    assert books is not None
    (found,) = detect_account(books)
    assert found.params == {"customer": "cus_stray"}
    assert any("by email" in said or "by name" in said for said in found.evidence.values())
    named = replace(books, similar={"cus_stray": (("ten_one", "metadata"),)})  # type: ignore[dict-item]
    (sure,) = detect_account(named)
    assert (sure.kind, sure.params) == ("customer_unmapped", {"customer": "cus_stray", "tenant": "ten_one"})
    (nobody,) = detect_account(replace(books, similar={}, owing={}))
    assert (nobody.direction, nobody.evidence) == (Direction.NOBODY, {})


def test_a_customer_that_only_claims_the_tenant_is_told_alone() -> None:
    books = payer()
    mine, paid = customer(books), live(books)
    assert paid is not None
    twin = replace(mine, id="cus_claims", created_at=mine.created_at + timedelta(days=1))
    found = only(there(books, twin, replace(paid, id="sub_claims", customer=twin.id, status="past_due")))
    assert (found.kind, found.objects) == ("customer_duplicate", tuple(sorted((mine.id, twin.id))))
    assert found.params == {"keep": paid.id, "cancel": "sub_claims"}
    # The same finding as the account's, which knows the tenant by the claim too.
    account = AccountBooks(
        now=NOW,
        unmapped=(twin,),
        similar={twin.id: ((books.tenant, "metadata"),)},
        linked={books.tenant: (mine.id,)},
    )
    (again,) = detect_account(account)
    assert again.id == found.id


def test_what_belonged_to_a_customer_that_is_not_linked_any_more_is_not_missed() -> None:
    books = payer()
    gone = replace(of(Invoice, books)[0], id="in_gone", customer="cus_gone")
    assert kinds_of(here(books, gone)) == []
    unlinked = replace(books, links=())
    assert kinds_of(unlinked) == []
    assert kinds_of(replace(unlinked, provider=())) == ["tenant_without_customer"]


# --- subscriptions, invoices, money -------------------------------------------------------------------------------


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


# --- access, use --------------------------------------------------------------------------------------------------


def test_a_row_of_a_feature_that_nobody_knows_counts_only_where_it_grants() -> None:
    books = payer()
    assert books.stored is not None
    for access, kinds in ((Access.DENIED, []), (Access.GRANTED, ["access_without_billing"])):
        row = StoredRow(feature="teleport", value=3, access=access.value)
        assert kinds_of(replace(books, stored=replace(books.stored, rows=(*books.stored.rows, row)))) == kinds


def test_too_little_hides_too_much_because_one_repair_ends_both() -> None:
    books = first("billing_without_access")
    assert books.stored is not None
    granted = next(row for row in books.stored.rows if row.access != Access.DENIED.value and row.feature == "projects")
    rows = tuple(replace(row, value=row.value + 9) if row is granted else row for row in books.stored.rows)
    assert kinds_of(replace(books, stored=replace(books.stored, rows=rows))) == ["billing_without_access"]


def test_a_switch_is_on_whatever_its_number() -> None:
    books = payer()
    assert books.stored is not None
    switches = {each.key for each in books.inputs.features if each.kind == "switch"}
    rows = tuple(replace(row, value=row.value * 6) if row.feature in switches else row for row in books.stored.rows)
    assert kinds_of(replace(books, stored=replace(books.stored, rows=rows))) == []


def test_a_suspension_with_a_stated_reason_is_nobodys_mistake() -> None:
    books = first("recovered_but_suspended")
    stated = tuple(replace(each, cause="Terms were broken") for each in books.inputs.conditions)
    assert kinds_of(decided_by(books, replace(books.inputs, conditions=stated))) == []


def test_an_override_that_has_ended_needs_no_owner() -> None:
    books = first("override_without_owner")
    ended = tuple(
        replace(each, ended_at=NOW - timedelta(days=1)) if not each.owner and each.source == "override" else each
        for each in books.inputs.grants
    )
    assert kinds_of(decided_by(books, replace(books.inputs, grants=ended))) == []


def test_an_override_of_a_feature_that_is_gone_changes_nothing_we_could_say() -> None:
    books = first("override_without_owner")
    odd = tuple(
        replace(each, feature="teleport") if not each.owner and each.source == "override" else each
        for each in books.inputs.grants
    )
    assert kinds_of(decided_by(books, replace(books.inputs, grants=odd))) == ["override_without_owner"]


def test_what_cannot_be_read_leaves_sums_over_it_unjudged() -> None:
    for kind, unread in (("paid_without_payment", ObjectKind.PAYMENT), ("refund_total_mismatch", ObjectKind.REFUND)):
        books = replace(first(kind), unreadable={(unread, "x_1"): "no amount"})
        assert kinds_of(books) == ["unreadable_object"]


def test_a_doubtful_payment_does_not_hide_what_another_one_lacks() -> None:
    books = payer()
    one, other, *_ = [each for each in of(Payment, books) if each.paid_at is not None]
    odd = both(books, replace(one, currency="CHF"))
    assert kinds_of(not_there(not_here(odd, other), other)) == ["currency_mismatch", "paid_without_payment"]


def test_an_invoice_whose_tax_is_one_off_its_lines_is_rounding() -> None:
    untaxed = (each for each in map(clean, range(18, 200)) for line in of(Invoice, each)[:1] if not line.tax_minor)
    books = next(each for each in untaxed if of(Invoice, each)[0].status == "paid" and of(Invoice, each)[0].total_minor)
    invoice = of(Invoice, books)[0]
    assert kinds_of(both(books, replace(invoice, tax_minor=1, discount_minor=1))) == ["rounding_difference"]


def test_a_proration_without_a_price_is_not_judged() -> None:
    books = first("proration_mismatch")
    invoice = next(each for each in of(Invoice, books) if any(line.is_proration for line in each.lines))
    lines = tuple(replace(line, price=None) if line.is_proration else line for line in invoice.lines)
    assert kinds_of(both(books, replace(invoice, lines=lines))) == []


# --- the account --------------------------------------------------------------------------------------------------


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


# --- words --------------------------------------------------------------------------------------------------------


def test_values_are_told_in_words() -> None:
    books = payer()
    invoice = of(Invoice, books)[0]
    assert said(None, "status") == "nothing"
    assert said(replace(invoice, paid_at=None), "paid_at") == "nothing"
    assert said(invoice, "is_live") == "yes"
    assert said(replace(invoice, is_live=False), "is_live") == "no"
    assert said(replace(customer(books), currency=None, balance_minor=5), "balance_minor") == "5"
    assert said(invoice, "lines").startswith(f"{len(invoice.lines)}: il_")
    assert moment(None) == "nothing"


def test_two_sides_of_nothing_do_not_differ() -> None:
    with pytest.raises(TypeError):
        reading_of(payer().compared(), ()).drift("sub_status_drift", None, None)


def test_a_mirror_without_a_subscription_that_never_began_is_told_without_harm() -> None:
    books = payer()
    mine = live(books)
    assert mine is not None
    begun = replace(mine, id="sub_begun", status="incomplete")
    found = only(there(books, begun))
    assert (found.kind, found.direction, found.at_risk_minor) == ("sub_missing_local", Direction.NOBODY, 0)
    assert isinstance(mine, Subscription)


def test_not_every_break_fits_every_tenant() -> None:
    free = next(each for each in map(clean, range(18, 90)) if each.subscription.plan == "free")
    for kind in (
        "invoice_missing_local",
        "paid_without_payment",
        "tax_missing",
        "override_without_owner",
        "refund_failed",
    ):
        assert broken(free, kind) is None
    assert kinds_of(not_here(free)) == []
