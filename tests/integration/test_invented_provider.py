"""The invented provider behaves as the real one: periods, taxes, prorations, meters, dunning, payouts."""

import pytest

from console.domain.billing.objects import Customer, Dispute, Invoice, ObjectKind, Payout, Subscription
from console.domain.billing.tie_outs import prorated, tax_gaps, total_gap
from console.domain.errors import OutsideError
from tests.integration.contract_world import alone, paid, things, world
from tests.integration.provider_worlds import EURO_PRICE, ProviderWorld

__all__ = ["alone", "world"]


def test_a_month_brings_a_new_period_and_a_paid_invoice(world: ProviderWorld) -> None:
    subscription = world.subscription(world.customer()["id"])["id"]
    first = world.provider.fetch(ObjectKind.SUBSCRIPTION, subscription)
    world.pass_by(days=28, hours=2)
    second = world.provider.fetch(ObjectKind.SUBSCRIPTION, subscription)
    assert first is not None
    assert second is not None
    assert isinstance(first.thing, Subscription)
    assert isinstance(second.thing, Subscription)
    assert second.thing.period_from == first.thing.period_until
    assert second.thing.period_until.date().isoformat() == "2027-03-31"
    invoices = [each.thing for each in things(world, ObjectKind.INVOICE)]
    assert [getattr(each, "status", None) for each in invoices] == ["paid", "paid"]
    assert [getattr(each, "paid_minor", None) for each in invoices] == [2 * EURO_PRICE] * 2


def newest_invoice(world: ProviderWorld) -> Invoice:
    found = world.provider.page(ObjectKind.INVOICE).items[0].thing
    assert isinstance(found, Invoice)
    return found


def taxed(world: ProviderWorld, percentage: str = "19") -> str:
    """Return a rate of Germany's."""
    params = {"display_name": "USt", "percentage": percentage, "inclusive": "false", "jurisdiction": "DE"}
    return str(world.calls.post("/v1/tax_rates", params, key=world.key())["id"])


def test_it_adds_tax_line_by_line_and_the_invoice_adds_up(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    world.subscription(customer, default_tax_rates=[taxed(world, "8.1")])
    invoice = newest_invoice(world)
    (line,) = invoice.lines
    assert (line.tax_minor, line.tax_basis_points, line.jurisdiction) == (146, 810, "DE")  # 145.8
    assert (invoice.tax_minor, invoice.total_minor, invoice.paid_minor) == (146, 1_946, 1_946)
    assert total_gap(invoice) == 0
    assert [gap for _, gap in tax_gaps(invoice)] == [0]
    world.pass_by(days=29)
    assert newest_invoice(world).total_minor == 1_946


@pytest.mark.parametrize(
    "wrong", [{"percentage": "a lot"}, {"percentage": "101"}, {"percentage": "19", "inclusive": "perhaps"}], ids=str
)
def test_it_makes_no_rate_that_it_does_not_understand(alone: ProviderWorld, wrong: dict[str, str]) -> None:
    with pytest.raises(OutsideError):
        alone.calls.post("/v1/tax_rates", {"display_name": "USt", "inclusive": "false", **wrong}, key="k")


@pytest.mark.parametrize("behaviour", ["create_prorations", "always_invoice", "none"])
def test_a_change_in_the_middle_is_prorated(world: ProviderWorld, behaviour: str) -> None:
    world.pass_by(days=1)
    begun = world.clock.now()
    subscription = world.subscription(world.customer()["id"], quantity=2, default_tax_rates=[taxed(world)])
    world.pass_by(days=10)
    changed, item = world.clock.now(), subscription["items"]["data"][0]["id"]
    params = {"items": [{"id": item, "quantity": 5}], "proration_behavior": behaviour}
    world.calls.post(f"/v1/subscriptions/{subscription['id']}", params, key=world.key())
    at_once = [each for each in newest_invoice(world).lines if each.is_proration]
    assert bool(at_once) is (behaviour == "always_invoice")
    world.pass_by(days=19)
    later = newest_invoice(world)
    assert total_gap(later) == 0
    assert [gap for _, gap in tax_gaps(later) if gap] == []
    parts = at_once or [each for each in later.lines if each.is_proration]
    end = begun.replace(month=3)
    rest = {many: prorated(EURO_PRICE, many, start=changed, end=end, interval="month")[0] for many in (2, 5)}
    wanted = [] if behaviour == "none" else [(2, -rest[2], changed, end), (5, rest[5], changed, end)]
    assert [(each.quantity, each.amount_minor, each.period_from, each.period_until) for each in parts] == wanted
    assert [each.amount_minor for each in later.lines if not each.is_proration] == [5 * EURO_PRICE]
    world.pass_by(days=31)
    assert [each.is_proration for each in newest_invoice(world).lines] == [False]  # billed once


def used(world: ProviderWorld, customer: str, value: int, **more: object) -> None:
    payload = {"stripe_customer_id": customer, "value": str(value)}
    world.calls.post("/v1/billing/meter_events", {"event_name": "calls", "payload": payload, **more}, key=world.key())


def test_what_is_metered_is_counted_once_and_billed_when_its_period_is_over(world: ProviderWorld) -> None:
    aggregation = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    meter = world.calls.post("/v1/billing/meters", aggregation, key=world.key())["id"]
    price = world.price("pro", usage_type="metered", meter=meter)["id"]
    customer, other = world.customer()["id"], world.customer()["id"]
    world.calls.post("/v1/subscriptions", {"customer": customer, "items": [{"price": price}]}, key=world.key())
    begun = int(world.clock.now().timestamp())
    assert newest_invoice(world).total_minor == 0
    used(world, customer, 7, identifier="one")
    used(world, other, 50)
    with pytest.raises(OutsideError, match="already exists"):
        used(world, customer, 7, identifier="one")
    world.pass_by(days=20)
    used(world, customer, 5)
    told = world.calls.found(
        f"/v1/billing/meters/{meter}/event_summaries",
        {"customer": customer, "start_time": begun, "end_time": begun + 30 * 86_400},
    )
    assert [each["aggregated_value"] for each in (told or {})["data"]] == [12]
    world.pass_by(days=9)
    used(world, customer, 3)  # of the next period
    (line,) = newest_invoice(world).lines
    assert (line.quantity, line.unit_minor, line.amount_minor) == (12, EURO_PRICE, 12 * EURO_PRICE)
    assert (line.period_from.timestamp(), line.is_proration) == (begun, False)
    world.pass_by(days=32)
    assert [each.quantity for each in newest_invoice(world).lines] == [3]


def test_it_counts_no_use_that_it_does_not_understand(alone: ProviderWorld) -> None:
    customer = alone.customer()["id"]
    with pytest.raises(OutsideError, match="No active meter"):
        used(alone, customer, 1)
    wrong = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "median"}}
    with pytest.raises(OutsideError, match="formula"):
        alone.calls.post("/v1/billing/meters", wrong, key="k")
    good = {**wrong, "default_aggregation": {"formula": "count"}}
    alone.calls.post("/v1/billing/meters", good, key="l")
    with pytest.raises(OutsideError, match="already"):
        alone.calls.post("/v1/billing/meters", good, key="m")
    now = int(alone.clock.now().timestamp())
    for at in (now - 36 * 86_400, now + 301):
        with pytest.raises(OutsideError, match="timestamp"):
            used(alone, customer, 1, timestamp=at)


def test_a_card_that_declines_is_tried_on_the_days_of_the_schedule_and_ends_the_subscription(
    world: ProviderWorld,
) -> None:
    customer = world.customer()["id"]
    subscription = world.subscription(customer)["id"]
    world.calls.post(f"/v1/customers/{customer}", {"metadata": {"card": "declines"}}, key=world.key())

    def status() -> str:
        found = world.provider.fetch(ObjectKind.SUBSCRIPTION, subscription)
        assert found is not None
        assert isinstance(found.thing, Subscription)
        return found.thing.status

    world.pass_by(days=29)
    assert status() == "past_due"
    world.pass_by(days=4)
    assert status() == "past_due"
    world.pass_by(days=13)
    assert status() == "canceled"
    attempts = [each.thing for each in things(world, ObjectKind.PAYMENT, customer=customer)]
    assert [getattr(each, "status", None) for each in attempts].count("requires_payment_method") == 4


def test_a_dispute_that_is_won_closes_when_the_money_comes_back(world: ProviderWorld) -> None:
    _, payment, _ = paid(world)
    dispute = world.help("disputes", payment_intent=payment)["id"]
    world.pass_by(days=2)
    world.help(f"disputes/{dispute}/win")
    found = world.provider.fetch(ObjectKind.DISPUTE, dispute)
    assert found is not None
    assert isinstance(found.thing, Dispute)
    assert (found.thing.status, found.thing.closed_at) == ("won", world.clock.now())


def test_a_payout_holds_what_its_transactions_come_to(world: ProviderWorld) -> None:
    paid(world)
    world.help("payouts")
    (payout,) = [each.thing for each in things(world, ObjectKind.PAYOUT)]
    assert isinstance(payout, Payout)
    rows = [each.thing for each in things(world, ObjectKind.BALANCE_TRANSACTION)]
    inside = [each for each in rows if getattr(each, "payout", None) == payout.id]
    assert [getattr(each, "category", None) for each in inside] == ["charge"]
    assert sum(getattr(each, "net_minor", 0) for each in inside) == payout.amount_minor


def test_a_customers_claim_is_what_its_metadata_says(world: ProviderWorld) -> None:
    customer = world.customer("tnt_acme")["id"]
    found = world.provider.fetch(ObjectKind.CUSTOMER, customer)
    assert found is not None
    assert isinstance(found.thing, Customer)
    assert found.thing.tenant == "tnt_acme"
