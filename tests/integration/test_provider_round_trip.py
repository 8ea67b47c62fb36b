"""What is loaded into the invented provider comes back through the adapter as it was, of every kind."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.adapters.fake_stripe.app import FakeStripe
from console.domain.billing.canonical_form import digest, kind_of
from console.domain.billing.objects import (
    Allocation,
    BalanceTransaction,
    BillingObject,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    InvoiceLine,
    ObjectKind,
    Payment,
    Payout,
    Price,
    Refund,
    Subscription,
    SubscriptionItem,
)
from tests.integration.provider_worlds import ProviderWorld, world_in_process

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 200_000_000).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
MAYBE_MOMENTS = st.none() | MOMENTS
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
WORDS = st.text(min_size=1, max_size=20)
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD", "ISK", "UGX", "HUF", "TWD"])
MINOR = st.integers(-(10**12), 10**12)
FLAGS = st.booleans()
STATUSES = st.sampled_from(["active", "open", "paid", "succeeded", "won", "a_word_of_tomorrow"])


def ids(prefix: str) -> st.SearchStrategy[str]:
    return NAMES.map(lambda name: f"{prefix}_{name}")


PRICES = st.builds(
    Price, id=ids("price"), plan=st.none() | WORDS, feature=st.none() | WORDS, currency=CURRENCIES, unit_minor=MINOR,
    interval=st.sampled_from(["day", "month", "year", "3_month", "once"]), is_metered=FLAGS, is_active=FLAGS,
    is_live=FLAGS,
).filter(lambda price: price.interval != "once" or not price.is_metered)  # fmt: skip
CUSTOMERS = st.builds(
    Customer, id=ids("cus"), name=st.text(max_size=20), email=st.none() | WORDS, tenant=st.none() | WORDS,
    currency=st.none() | CURRENCIES, balance_minor=MINOR, created_at=MOMENTS, is_live=FLAGS,
)  # fmt: skip
ITEMS = st.builds(
    SubscriptionItem, id=ids("si"), price=ids("price"), plan=st.none() | WORDS, quantity=st.none() | st.integers(0, 999)
)
SUBSCRIPTIONS = st.builds(
    Subscription, id=ids("sub"), customer=ids("cus"), status=STATUSES, currency=CURRENCIES,
    items=st.lists(ITEMS, min_size=1, max_size=13, unique_by=lambda each: each.id).map(tuple), started_at=MOMENTS,
    period_from=MOMENTS, period_until=MOMENTS, trial_until=MAYBE_MOMENTS, ends_at_period_end=FLAGS,
    ended_at=MAYBE_MOMENTS, is_live=FLAGS, anchored_at=MAYBE_MOMENTS,
)  # fmt: skip
LINES = st.builds(
    InvoiceLine, id=ids("il"), text=st.text(max_size=20), amount_minor=MINOR, price=st.none() | ids("unknown_price"),
    feature=st.none() | WORDS, quantity=st.none() | st.integers(0, 999), unit_minor=st.none() | MINOR,
    period_from=MOMENTS, period_until=MOMENTS, is_proration=FLAGS, tax_minor=MINOR,
    tax_basis_points=st.none() | st.integers(0, 10_000), jurisdiction=st.none() | WORDS,
)  # fmt: skip
INVOICES = st.builds(
    Invoice, id=ids("in"), number=st.none() | WORDS, customer=ids("cus"), subscription=st.none() | ids("sub"),
    status=STATUSES, currency=CURRENCIES, lines=st.lists(LINES, max_size=13, unique_by=lambda each: each.id).map(tuple),
    discount_minor=MINOR, tax_minor=MINOR, total_minor=MINOR, balance_applied_minor=MINOR, due_minor=MINOR,
    paid_minor=st.integers(1, 10**12), remaining_minor=MINOR, issued_at=MOMENTS, due_at=MAYBE_MOMENTS,
    paid_at=MAYBE_MOMENTS, is_paid_out_of_band=FLAGS, is_live=FLAGS,
)  # fmt: skip
ALLOCATIONS = st.builds(Allocation, invoice=ids("in"), amount_minor=st.integers(1, 10**9))
PAYMENTS = st.builds(
    Payment, id=ids("pi"), customer=st.none() | ids("cus"), status=STATUSES, currency=CURRENCIES, amount_minor=MINOR,
    captured_minor=MINOR, refunded_minor=MINOR, allocations=st.lists(ALLOCATIONS, max_size=3).map(tuple),
    paid_at=MAYBE_MOMENTS, created_at=MOMENTS, is_live=FLAGS,
)  # fmt: skip
CREDIT_NOTES = st.builds(
    CreditNote, id=ids("cn"), number=st.none() | WORDS, customer=ids("cus"), invoice=ids("in"), status=STATUSES,
    currency=CURRENCIES, total_minor=MINOR, pre_payment_minor=MINOR, post_payment_minor=MINOR, refunded_minor=MINOR,
    credited_minor=MINOR, out_of_band_minor=MINOR, reason=st.none() | WORDS, issued_at=MOMENTS, is_live=FLAGS,
)  # fmt: skip


@st.composite
def of_payments(draw: st.DrawFn, payment: Payment) -> list[BillingObject]:
    """Return a payment with a refund and a dispute of it; both know their customer through it."""
    paid = replace(payment, captured_minor=payment.captured_minor or 1)
    shared: dict[str, Any] = {
        "payment": paid.id,
        "customer": paid.customer,
        "currency": paid.currency,
        "is_live": paid.is_live,
    }
    refund = Refund(id=draw(ids("re")), status=draw(STATUSES), amount_minor=draw(MINOR),
                    reason=draw(st.none() | WORDS), created_at=draw(MOMENTS), **shared)  # fmt: skip
    dispute = Dispute(id=draw(ids("du")), status=draw(STATUSES), amount_minor=draw(MINOR), opened_at=draw(MOMENTS),
                      closed_at=draw(MAYBE_MOMENTS), **shared)  # fmt: skip
    return [paid, refund, dispute]


@st.composite
def of_payouts(draw: st.DrawFn) -> list[BillingObject]:
    """Return a payout with what is in it, which was made a little before, and a movement that is in none."""
    at, currency, name = draw(MOMENTS), draw(CURRENCIES), draw(ids("po"))
    payout = Payout(id=name, status=draw(STATUSES), currency=currency, amount_minor=draw(MINOR), is_automatic=True,
                    created_at=at, arrives_at=draw(MOMENTS), is_live=draw(FLAGS))  # fmt: skip
    names = draw(st.lists(ids("txn"), max_size=4, unique=True))
    rows = [
        BalanceTransaction(id=f"{each}_{name}", category="charge", source=draw(st.none() | ids("ch")),
                           payout=None if number == 0 else name, currency=currency, amount_minor=draw(MINOR),
                           fee_minor=draw(MINOR), net_minor=draw(MINOR),
                           created_at=at - timedelta(days=draw(st.integers(0, 44))), is_live=draw(FLAGS))
        for number, each in enumerate(names)
    ]  # fmt: skip
    return [payout, *rows]


SINGLES = st.one_of(PRICES, CUSTOMERS, SUBSCRIPTIONS, INVOICES, CREDIT_NOTES, PAYMENTS).map(lambda each: [each])
WORLDS = st.lists(st.one_of(SINGLES, PAYMENTS.flatmap(of_payments), of_payouts()), max_size=12)


def told(world: ProviderWorld, kind: ObjectKind, *, limit: int) -> Iterator[BillingObject]:
    after = None
    while True:
        page = world.provider.page(kind, after=after, limit=limit)
        assert page.unreadable == ()
        yield from (each.thing for each in page.items)
        after = page.after
        if after is None:
            return


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(groups=WORLDS, limit=st.integers(1, 100))
def test_it_tells_what_was_loaded(groups: list[list[BillingObject]], limit: int) -> None:
    things = {(kind_of(each), each.id): each for group in groups for each in group}
    with TemporaryDirectory() as folder, world_in_process(Path(folder) / "provider.sqlite3") as world:
        world.fake.load(things.values())
        for kind in ObjectKind:
            wanted = {name: each for (of, name), each in things.items() if of is kind}
            found = {each.id: each for each in told(world, kind, limit=limit)}
            assert found == wanted
            assert {name: digest(each) for name, each in found.items()} == {n: digest(e) for n, e in wanted.items()}
            for name, each in wanted.items():
                alone = world.provider.fetch(kind, name)
                assert alone is not None
                assert alone.thing == each


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeStripe]:
    made = FakeStripe(tmp_path / "provider.sqlite3", api_key="key")
    yield made
    made.close()


def invoice(number: int) -> Invoice:
    line = InvoiceLine(
        id=f"il_{number}", text="Pro", amount_minor=9_900, price="price_pro", feature=None, quantity=1,
        unit_minor=9_900, period_from=BEGIN, period_until=BEGIN, is_proration=False, tax_minor=1_881,
        tax_basis_points=1_900, jurisdiction="DE",
    )  # fmt: skip
    return Invoice(
        id=f"in_{number}", number=f"INV-{number:06d}", customer=f"cus_{number % 2_000}", subscription=None,
        status="paid", currency="EUR", lines=(line,), discount_minor=0, tax_minor=1_881, total_minor=11_781,
        balance_applied_minor=0, due_minor=11_781, paid_minor=11_781, remaining_minor=0,
        issued_at=BEGIN + timedelta(minutes=number), due_at=None, paid_at=BEGIN, is_paid_out_of_band=False,
        is_live=True,
    )  # fmt: skip


def test_it_loads_in_one_go_and_pages_by_an_index(tmp_path: Path) -> None:
    said: list[str] = []
    with world_in_process(tmp_path / "provider.sqlite3") as world:
        world.fake.book._connection().set_trace_callback(said.append)
        world.fake.load(invoice(number) for number in range(400))
        assert said.count("COMMIT") == 1
        found = sum(1 for _ in told(world, ObjectKind.INVOICE, limit=100))
        plans = [
            step
            for asked in said
            if asked.startswith("SELECT") and "LIMIT" in asked
            for (*_, step) in world.fake.book.rows(f"EXPLAIN QUERY PLAN {asked}")
        ]
    assert found == 400
    assert len(plans) >= 4
    assert all(step.startswith("SEARCH object USING INDEX") for step in plans), plans


def test_it_changes_and_takes_away_untold(tmp_path: Path) -> None:
    with world_in_process(tmp_path / "provider.sqlite3") as world:
        world.fake.load([invoice(1), invoice(2)])
        world.fake.mutate(replace(invoice(1), status="void"))
        world.fake.delete(ObjectKind.INVOICE, "in_2")
        assert list(told(world, ObjectKind.INVOICE, limit=10)) == [replace(invoice(1), status="void")]
        assert world.provider.fetch(ObjectKind.INVOICE, "in_2") is None
        assert world.events.since(BEGIN, limit=10) == []


def test_it_replaces_the_allocations_of_a_payment(tmp_path: Path) -> None:
    parts = (Allocation(invoice="in_1", amount_minor=300), Allocation(invoice="in_2", amount_minor=200))
    payment = Payment(
        id="pi_1", customer="cus_1", status="succeeded", currency="EUR", amount_minor=500, captured_minor=500,
        refunded_minor=0, allocations=parts, paid_at=BEGIN, created_at=BEGIN, is_live=True,
    )  # fmt: skip
    with world_in_process(tmp_path / "provider.sqlite3") as world:
        world.fake.load([payment])
        less = replace(payment, allocations=payment.allocations[:1])
        world.fake.mutate(less)
        found = world.provider.fetch(ObjectKind.PAYMENT, "pi_1")
        assert found is not None
        assert found.thing == less


def test_it_keeps_its_file_to_itself(fake: FakeStripe, tmp_path: Path) -> None:
    fake.load([invoice(1)])
    assert (tmp_path / "provider.sqlite3").stat().st_mode & 0o077 == 0
    (row,) = fake.book.rows("SELECT doc FROM object WHERE id = 'in_1'")
    assert json.loads(row[0])["number"] == "INV-000001"
