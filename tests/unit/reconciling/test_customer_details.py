"""What tells one kind of customer from its neighbours: who pays elsewhere, who is gone, whose it is."""

from dataclasses import replace
from datetime import timedelta

from console.adapters.demo.broken import both, customer, decided_by, here, live, of, there
from console.adapters.demo.drift import broken_account
from console.adapters.demo.drift_account import account_books
from console.domain.billing.objects import Invoice
from console.domain.entitlements import Contract
from console.domain.reconciling.books import AccountBooks
from console.domain.reconciling.detecting import detect_account
from console.domain.reconciling.findings import Direction
from tests.unit.reconciling.test_details import _LONG_AGO, first, only
from tests.unit.reconciling.test_laws import kinds_of, payer
from tests.unit.reconciling.worlds import NOW, clean


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
