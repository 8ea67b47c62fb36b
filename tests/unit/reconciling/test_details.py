"""What tells one kind of access and use from its neighbours, and how values are told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.adapters.demo.books import DemoBooks
from console.adapters.demo.broken import both, customer, decided_by, live, not_here, not_there, of, there
from console.adapters.demo.drift import broken
from console.domain.billing.objects import Invoice, ObjectKind, Payment, Subscription
from console.domain.entitlements import Access
from console.domain.reconciling.books import StoredRow
from console.domain.reconciling.detecting import detect_tenant
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
