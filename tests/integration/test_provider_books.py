"""Rows 30 to 32 of the catalogue in what the invented provider itself made: meters, taxes and prorations."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.adapters.fake_stripe.book import Document
from console.adapters.stripe.provider import StripeProvider
from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind, Price, Subscription
from console.domain.entitlements import Inputs, Usage
from console.domain.errors import OutsideError
from console.domain.ids import TenantId
from console.domain.reconciling.books import ClosedSet, Link, TenantBooks, UsageEvent, side_of
from console.domain.reconciling.catalogue import KINDS
from console.domain.reconciling.detecting import detect_tenant
from console.domain.tenancy import TenantStatus
from tests.integration.provider_worlds import EURO_PRICE, NOON, ProviderWorld, world_in_process
from tests.integration.test_invented_provider import taxed

ROWS = {30, 31, 32}
FEATURE = "api_calls"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ProviderWorld]:
    with world_in_process(tmp_path / "provider.sqlite3") as made:
        made.pass_by(days=1)  # a month that begins on the 1st is as long as the one before it
        yield made


def kinds(
    world: ProviderWorld,
    customer: str,
    *events: UsageEvent,
    usage: Sequence[Usage] = (),
    closed: Sequence[ClosedSet] = (),
) -> list[str]:
    """Return which of rows 30 to 32 are found where the mirror says what the provider says."""
    provider, now = StripeProvider(world.calls, clock=world.clock, is_live=True), world.clock.now()
    side = side_of(
        tuple(each.thing for kind in OF_CUSTOMERS for each in provider.page(kind, customer=customer).items)
    )  # fmt: skip
    prices = [each.thing for each in provider.page(ObjectKind.PRICE).items]
    links = (Link(customer=customer, linked_at=NOON),)
    books = TenantBooks(
        tenant=TenantId("ten_1"), now=now, window_from=now - timedelta(days=400), provider=side, mirror=side,
        mirrored_at={}, prices={each.id: each for each in prices if isinstance(each, Price)}, links=links, plan=None,
        status=TenantStatus.ACTIVE, entitlement_version=1, inputs=Inputs(features=(), grants=()), computed=(),
        stored=None, usage_events=events, usage=tuple(usage), closed=tuple(closed),
    )  # fmt: skip
    return [each.kind for each in detect_tenant(books) if KINDS[each.kind].number in ROWS]


def altered(world: ProviderWorld, kind: str, change: Callable[[Document], Document]) -> None:
    """Change every document of a kind behind the provider's back."""
    for (name,) in world.fake.book.rows("SELECT id FROM object WHERE type = ?", (kind,)):
        found = world.fake.book.get(kind, name)
        assert found is not None
        world.fake.book.put({**found, **change(found)})


def metered(world: ProviderWorld) -> tuple[str, str, list[UsageEvent]]:
    """Let a customer use something on two days of a month that is over: the meter, the customer and the raw events."""
    aggregation = {"display_name": "Calls", "event_name": FEATURE, "default_aggregation": {"formula": "sum"}}
    meter = world.calls.post("/v1/billing/meters", aggregation, key=world.key())["id"]
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
    params = {"currency": "eur", "unit_amount": EURO_PRICE, "recurring": recurring, "metadata": {"feature": FEATURE}}
    price, customer = world.calls.post("/v1/prices", params, key=world.key())["id"], world.customer()["id"]
    world.calls.post("/v1/subscriptions", {"customer": customer, "items": [{"price": price}]}, key=world.key())
    events = []
    for number, value in enumerate((7, 5)):
        world.pass_by(days=3)
        at = world.clock.now()
        payload = {"stripe_customer_id": customer, "value": str(value)}
        told = {"event_name": FEATURE, "payload": payload, "identifier": f"e{number}", "timestamp": int(at.timestamp())}
        world.calls.post("/v1/billing/meter_events", told, key=world.key())
        events.append(UsageEvent(id=f"e{number}", feature=FEATURE, quantity=value, at=at, received_at=at))
    world.pass_by(days=25)
    return meter, customer, events


def counted(world: ProviderWorld, meter: str, customer: str) -> Usage:
    """Return the count of February as the provider's meter has it."""
    start, until = datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
    bounds = {"customer": customer, "start_time": int(start.timestamp()), "end_time": int(until.timestamp())}
    found = world.calls.found(f"/v1/billing/meters/{meter}/event_summaries", bounds)
    assert found is not None
    (summary,) = found["data"]
    return Usage(feature=FEATURE, used=summary["aggregated_value"], as_of=until, starts_at=start, until=until)


def test_a_quantity_that_was_not_used_is_found(world: ProviderWorld) -> None:
    _, customer, events = metered(world)
    assert kinds(world, customer, *events) == []
    assert kinds(world, customer, events[0]) == ["usage_billed_quantity_mismatch"]


def test_a_count_that_is_not_what_came_in_is_found(world: ProviderWorld) -> None:
    meter, customer, events = metered(world)
    count = counted(world, meter, customer)
    assert kinds(world, customer, *events, usage=[count]) == []
    # The meter heard of something that never came here: the count misses it, and the invoice bills it.
    lost = kinds(world, customer, events[0], usage=[count])
    assert sorted(lost) == ["usage_billed_quantity_mismatch", "usage_missing"]
    # Delivered twice and counted twice here; the provider takes one identifier once.
    with pytest.raises(OutsideError, match="already exists"):
        world.calls.post(
            "/v1/billing/meter_events",
            {"event_name": FEATURE, "identifier": "e1", "payload": {"stripe_customer_id": customer, "value": "5"}},
            key=world.key(),
        )
    twice = replace(count, used=count.used + events[1].quantity)
    assert kinds(world, customer, *events, events[1], usage=[twice]) == ["usage_duplicate"]


def test_use_that_comes_after_its_month_was_closed_is_found_and_billed_to_nobody(world: ProviderWorld) -> None:
    meter, customer, events = metered(world)
    closed = ClosedSet(period="2027-02", closed_at=datetime(2027, 3, 2, tzinfo=UTC), invoices={})
    late = replace(events[1], id="e9", received_at=datetime(2027, 3, 2, 1, tzinfo=UTC))
    count = counted(world, meter, customer)
    assert kinds(world, customer, *events, usage=[count], closed=[closed]) == []
    assert kinds(world, customer, *events, late, usage=[count], closed=[closed]) == ["usage_late"]


def test_a_tax_that_is_not_what_its_rate_gives_is_found(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    world.subscription(customer, default_tax_rates=[taxed(world)])
    assert kinds(world, customer) == []
    altered(world, "tax_rate", lambda _rate: {"percentage": 7.0})
    assert kinds(world, customer) == ["tax_mismatch"]
    altered(world, "tax_rate", lambda _rate: {"percentage": None})
    assert kinds(world, customer) == ["tax_missing"]


@pytest.mark.parametrize(("off_by", "found"), [(0, []), (1, ["rounding_difference"]), (90, ["proration_mismatch"])])
def test_a_part_of_a_period_that_costs_something_else_is_found(
    world: ProviderWorld, off_by: int, found: list[str]
) -> None:
    customer = world.customer()["id"]
    subscription = world.subscription(customer, quantity=2, default_tax_rates=[taxed(world)])
    world.pass_by(days=11)
    item = {"id": subscription["items"]["data"][0]["id"], "quantity": 5}
    world.calls.post(f"/v1/subscriptions/{subscription['id']}", {"items": [item]}, key=world.key())
    altered(world, "invoiceitem", lambda line: {"amount": line["amount"] + off_by * (line["amount"] > 0)})
    world.pass_by(days=20)
    assert kinds(world, customer) == found
    assert world.clock.now() > datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "begins", ["2029-01-28", "2029-01-29", "2029-01-30", "2027-01-31", "2028-01-29", "2028-01-30", "2028-01-31"]
)
def test_changes_in_every_month_of_a_year_are_as_they_should_be_whatever_day_it_began_on(
    tmp_path: Path, begins: str
) -> None:
    with world_in_process(tmp_path / "provider.sqlite3") as world:
        world.pass_by(days=(datetime.fromisoformat(f"{begins}T12:00+00:00") - NOON).days)
        customer = world.customer()["id"]
        subscription = world.subscription(customer, quantity=2)
        item, ends = subscription["items"]["data"][0]["id"], set[datetime]()
        for month in range(13):
            world.pass_by(days=9)
            params = {"items": [{"id": item, "quantity": 3 + month}]}
            world.calls.post(f"/v1/subscriptions/{subscription['id']}", params, key=world.key())
            found = StripeProvider(world.calls, clock=world.clock, is_live=True).fetch(
                ObjectKind.SUBSCRIPTION, subscription["id"]
            )
            assert found is not None
            assert isinstance(found.thing, Subscription)
            ends.add(found.thing.period_until)
            world.pass_by(days=(found.thing.period_until - world.clock.now()).days + 1)
        assert len(ends) == 13
        assert max(each.day for each in ends) == int(begins[-2:])  # a short month does not move the others
        assert kinds(world, customer) == []
