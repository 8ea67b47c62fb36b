"""Nothing is found where nothing is wrong, and the demo's books are the story that its records tell."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from console.adapters.demo import histories
from console.adapters.demo.books import DemoBooks, PayoutLedger, demo_books
from console.adapters.demo.charges import CURRENCIES, prices
from console.adapters.demo.drift_account import account_books
from console.adapters.demo.generator import DEFAULT_SEED
from console.adapters.demo.sketches import sketched
from console.domain.billing.canonical_form import digest, document, kind_of, restored
from console.domain.billing.money import Money, totals
from console.domain.billing.objects import Invoice, Payment, Payout, Subscription
from console.domain.effective_set import effective
from console.domain.reconciling.detecting import detect_account, detect_tenant
from tests.unit.reconciling.worlds import NOW, clean

_MOMENTS = (
    datetime(2026, 11, 1, 0, 10, tzinfo=UTC),
    datetime(2026, 3, 1, 6, 30, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 59, 59, 123_456, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
)


def test_it_finds_nothing_in_clean_tenants() -> None:
    assert [found for index in range(1, 250) for found in detect_tenant(clean(index).compared())] == []


@pytest.mark.parametrize("now", _MOMENTS, ids=str)
def test_it_finds_nothing_at_awkward_moments_and_for_another_seed(now: datetime) -> None:
    for index in range(1, 60):
        books = demo_books(sketched(now.month, index, now=now), now=now)
        assert detect_tenant(books.compared()) == (), index


@pytest.mark.slow
def test_it_finds_nothing_in_ten_thousand_clean_tenants() -> None:
    ledger, found = PayoutLedger(), Counter[str]()
    for index in range(1, 10_001):
        books = demo_books(sketched(DEFAULT_SEED, index, now=NOW), now=NOW)
        ledger.add(books.transactions)
        found.update(each.kind for each in detect_tenant(books.compared()))
    print(f"10,000 clean tenants: {found.total()} findings")  # noqa: T201  a figure of the report
    assert found == {}


def test_it_finds_nothing_in_a_clean_account() -> None:
    books = account_books((clean(index) for index in range(1, 120)), now=NOW)
    assert books.payouts
    assert detect_account(books) == ()


def test_acme_is_behind_its_provider_in_exactly_its_own_story() -> None:
    found = sorted(each.kind for each in detect_tenant(clean(0).compared()))
    assert found == ["invoice_status_drift", "payment_not_in_mirror", "sub_status_drift"]


def test_the_same_tenant_has_the_same_books() -> None:
    again = demo_books(sketched(DEFAULT_SEED, 77, now=NOW), now=NOW)
    assert again == clean(77)
    assert [digest(each) for each in again.provider] == [digest(each) for each in clean(77).provider]


def test_every_object_survives_its_canonical_form() -> None:
    for index in range(40):
        for thing in clean(index).provider:
            assert restored(kind_of(thing), document(thing)) == thing


@pytest.mark.parametrize("index", range(1, 120))
def test_the_mirror_says_what_the_records_of_an_import_say(index: int) -> None:
    sketch = sketched(DEFAULT_SEED, index, now=NOW)
    mirrored = {each.number: each for each in clean(index).mirror if isinstance(each, Invoice)}
    for record in histories.invoices(sketch, now=NOW):
        invoice = mirrored[record.number]
        assert (invoice.total_minor, invoice.currency) == (record.amount_minor, record.currency)
        assert invoice.status == ("open" if record.status == "past_due" else record.status)
        assert (invoice.issued_at, invoice.due_at, invoice.paid_at) == (record.issued_at, record.due_at, record.paid_at)
    (subscription,) = (each for each in clean(index).mirror if isinstance(each, Subscription))
    told = clean(index).subscription
    assert (subscription.status, subscription.currency) == (told.status, told.currency)
    assert (subscription.period_until, subscription.items[0].plan) == (told.renews_at, told.plan)
    assert subscription.items[0].quantity == told.seats


def test_the_world_has_every_trap_that_could_raise_a_false_alarm() -> None:
    seen = Counter[str]()
    for index in range(1, 400):
        books = clean(index)
        seen.update(_traits(books))
        named = {str(each.currency) for each in books.provider if not isinstance(each, Payout)}
        assert len(named) == 1, "one tenant, one currency"
        seen[named.pop()] += 1
    assert set(CURRENCIES) <= set(seen)
    assert {"year", "month", "trialing", "canceled", "paused", "past_due", "proration", "given away"} <= set(seen)
    assert {"from the balance", "out of band", "credit left", "failed attempt", "lost", "won", "failed"} <= set(seen)


def test_money_of_payouts_is_what_moved() -> None:
    books, ledger = [clean(index) for index in range(1, 80)], PayoutLedger()
    for each in books:
        ledger.add(each.transactions)
    moved = totals(Money(each.net_minor, each.currency) for one in books for each in one.transactions if each.payout)
    assert totals(Money(each.amount_minor, each.currency) for each in ledger.payouts(now=NOW)) == moved


def test_what_is_stored_is_what_is_computed() -> None:
    for index in range(1, 80):
        books = clean(index)
        assert books.stored is not None
        assert [row.value for row in books.stored.rows] == [row.value for row in effective(books.inputs, NOW)]


def _traits(books: DemoBooks) -> list[str]:
    intervals = {each.id: each.interval for each in prices()}
    found = [str(getattr(each, "status", "")) for each in books.provider]
    for thing in books.provider:
        match thing:
            case Subscription():
                found.append(intervals[thing.items[0].price])
            case Invoice():
                found += ["proration"] if any(line.is_proration for line in thing.lines) else []
                found += ["given away"] if thing.discount_minor and not thing.total_minor else []
                found += ["from the balance"] if thing.balance_applied_minor else []
                found += ["out of band"] if thing.is_paid_out_of_band else []
                assert thing.paid_at is None or thing.paid_at < NOW + timedelta(days=1)
            case Payment():
                found += ["failed attempt"] if not thing.captured_minor else []
            case _:
                found += ["credit left"] if getattr(thing, "balance_minor", 0) < 0 else []
    return found
