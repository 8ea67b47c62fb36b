"""The values that reconciliation is made of: money, canonical documents, sides, and the life of a finding."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.demo.broken import of
from console.domain.billing.canonical_form import (
    MalformedObjectError,
    Snapshot,
    customer_of,
    document,
    kind_of,
    restored,
)
from console.domain.billing.money import CurrencyError, Money, exponent, totals, worded
from console.domain.billing.objects import Invoice, ObjectKind, Payout
from console.domain.canonical import digest_hex
from console.domain.reconciling.books import belongs_to, side_of
from console.domain.reconciling.detecting import detect_tenant
from console.domain.reconciling.findings import (
    Finding,
    FindingEvent,
    FindingState,
    ReconciliationId,
    after,
    digest_of,
)
from tests.unit.reconciling.worlds import NOW, clean, tenants_for


def a_finding() -> Finding:
    """Return a finding as a run would store it."""
    (_, books) = next(tenants_for("invoice_status_drift", wanted=1))
    (seen,) = detect_tenant(books.compared())
    run = ReconciliationId("rec_1")
    return Finding(
        id=seen.id,
        kind=seen.kind,
        tenant=seen.tenant,
        objects=seen.objects,
        differs=seen.differs,
        ours=seen.ours,
        theirs=seen.theirs,
        at_risk_minor=seen.at_risk_minor,
        currency=seen.currency,
        direction=seen.direction,
        params=seen.params,
        evidence=seen.evidence,
        state=FindingState.OPEN,
        version=1,
        first_seen_at=NOW,
        last_seen_at=NOW,
        first_run=run,
        last_run=run,
    )


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (123_450, "EUR", "1,234.50 EUR"),
        (-5, "USD", "-0.05 USD"),
        (1_235, "JPY", "1,235 JPY"),
        (-7, "KWD", "-0.007 KWD"),
    ],
)
def test_money_is_told_with_the_digits_of_its_currency(minor: int, currency: str, said: str) -> None:
    assert worded(minor, currency) == said


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.sampled_from(["EUR", "JPY", "KWD"]))))
def test_totals_never_cross_a_currency(amounts: list[tuple[int, str]]) -> None:
    summed = totals(Money(minor, currency) for minor, currency in amounts)
    assert summed == {code: sum(m for m, c in amounts if c == code) for code in sorted({c for _, c in amounts})}


def test_two_currencies_are_never_added_and_no_word_is_a_currency() -> None:
    assert Money(1, "EUR").plus(Money(2, "EUR")) == Money(3, "EUR")
    with pytest.raises(CurrencyError):
        Money(1, "EUR").plus(Money(1, "USD"))
    for odd in ("eur", "EURO", "", "E1R"):
        with pytest.raises(CurrencyError):
            Money(1, odd)
    assert [exponent(code) for code in ("JPY", "EUR", "KWD", "CLF")] == [0, 2, 3, 4]


def test_a_stored_document_that_does_not_fit_is_refused() -> None:
    thing = next(each for each in clean(30).provider if isinstance(each, Invoice))
    plain = document(thing)
    for name, odd in (("total_minor", "5"), ("lines", {}), ("lines", [1]), ("issued_at", None), ("is_live", 1)):
        with pytest.raises(MalformedObjectError):
            restored(ObjectKind.INVOICE, {**plain, name: odd})
    with pytest.raises(MalformedObjectError):
        restored(ObjectKind.INVOICE, {})
    assert restored(ObjectKind.INVOICE, plain) == thing
    assert Snapshot(thing=thing, raw={}, api_version="1", fetched_at=NOW).kind is ObjectKind.INVOICE


def test_a_side_knows_its_objects_by_kind_and_id() -> None:
    things = clean(30).provider
    side = side_of(things)
    assert side == side_of({(kind_of(each), each.id): each for each in things})
    invoice = of(Invoice, clean(30))[0]
    assert side.get(ObjectKind.INVOICE, invoice.id) == invoice
    assert side.get(ObjectKind.PAYMENT, invoice.id) is None
    assert belongs_to(invoice, frozenset({invoice.customer}))
    assert not belongs_to(invoice, frozenset({"cus_other"}))


def test_a_payout_belongs_to_nobody() -> None:
    payout = Payout(
        id="po_1",
        status="paid",
        currency="EUR",
        amount_minor=1,
        is_automatic=True,
        created_at=NOW,
        arrives_at=NOW,
        is_live=True,
    )
    assert customer_of(payout) is None
    assert not belongs_to(payout, frozenset({""}))


def test_a_finding_moves_only_as_its_life_allows() -> None:
    moves = {(state, event): after(state, event) for state, event in product(FindingState, FindingEvent)}
    assert moves[FindingState.RESOLVED, FindingEvent.SEEN] is FindingState.OPEN
    assert moves[FindingState.WAIVED, FindingEvent.SEEN] is FindingState.WAIVED
    assert moves[FindingState.WAIVED, FindingEvent.LAPSE] is FindingState.OPEN
    assert moves[FindingState.RESOLVED, FindingEvent.WAIVE] is None
    assert moves[FindingState.OPEN, FindingEvent.LEAVE] is None
    assert all(
        moves[state, FindingEvent.GONE] is FindingState.RESOLVED for state in FindingState if state != "resolved"
    )


def test_the_digest_of_a_finding_is_what_it_says_and_not_how_old_it_is() -> None:
    finding = a_finding()
    older = replace(finding, last_seen_at=NOW + timedelta(days=3), version=9, state=FindingState.IN_PROGRESS)
    assert digest_of(older) == digest_of(finding)
    assert digest_of(replace(finding, theirs="void")) != digest_of(finding)
    assert digest_of(replace(finding, at_risk_minor=1)) != digest_of(finding)
    assert (
        finding.id == f"fnd_{digest_hex([finding.kind, finding.tenant, list(finding.objects), finding.differs])[:32]}"
    )
