"""Entitlements and taxes within an amount at the invented provider, by way of its addresses and of our adapter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.adapters.stripe.reading import Document
from console.domain.billing.objects import Invoice, ObjectKind
from console.domain.billing.tie_outs import due_gap, line_tax_gap, total_gap
from console.domain.errors import OutsideError
from tests.integration.provider_worlds import EURO_PRICE, ProviderWorld, world_in_process
from tests.integration.test_provider_books import kinds

UPDATED = "entitlements.active_entitlement_summary.updated"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ProviderWorld]:
    with world_in_process(tmp_path / "provider.sqlite3") as made:
        yield made


def product(world: ProviderWorld, *keys: str) -> str:
    """Return a price of a product that gives some features."""
    made = world.calls.post("/v1/products", {"name": "Pro"}, key=world.key())["id"]
    for key in keys:
        feature = world.calls.post("/v1/entitlements/features", {"lookup_key": key, "name": key.title()},
                                   key=world.key())  # fmt: skip
        attached = world.calls.post(
            f"/v1/products/{made}/features", {"entitlement_feature": feature["id"]}, key=world.key()
        )
        assert attached["entitlement_feature"]["lookup_key"] == key
    recurring = {"interval": "month"}
    params = {"currency": "eur", "unit_amount": EURO_PRICE, "recurring": recurring, "product": made}
    return str(world.calls.post("/v1/prices", params, key=world.key())["id"])


def subscribe(world: ProviderWorld, customer: str, price: str, **more: object) -> Document:
    params = {"customer": customer, "items": [{"price": price}], **more}
    return world.calls.post("/v1/subscriptions", params, key=world.key())


def has(world: ProviderWorld, customer: str) -> list[str]:
    """Return the keys of what a customer is entitled to."""
    found = world.calls.found("/v1/entitlements/active_entitlements", {"customer": customer})
    assert found is not None
    return [each["lookup_key"] for each in found["data"]]


def told(world: ProviderWorld) -> list[list[str]]:
    """Return what each summary says, oldest first."""
    page = world.calls.found("/v1/events", {"type": UPDATED, "limit": 100})
    assert page is not None
    summaries = [each["data"]["object"]["entitlements"]["data"] for each in reversed(page["data"])]
    return [[each["lookup_key"] for each in summary] for summary in summaries]


def test_a_customer_has_what_its_subscriptions_give_and_is_told_of_once(world: ProviderWorld) -> None:
    customer, other = world.customer()["id"], world.customer()["id"]
    first = subscribe(world, customer, product(world, "sso", "audit_log"))
    second = subscribe(world, customer, product(world, "exports"))
    assert has(world, customer) == ["audit_log", "exports", "sso"]
    assert has(world, other) == []
    world.calls.post(f"/v1/subscriptions/{second['id']}", {"metadata": {"note": "nothing"}}, key=world.key())
    world.pass_by(days=35)  # renewed and paid: nothing to tell
    assert told(world) == [["audit_log", "sso"], ["audit_log", "exports", "sso"]]
    world.calls.delete(f"/v1/subscriptions/{first['id']}", {}, key=world.key())
    assert has(world, customer) == ["exports"]
    assert told(world)[2:] == [["exports"]]


def test_who_never_pays_keeps_it_while_the_provider_tries_and_loses_it_then(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    subscription = subscribe(world, customer, product(world, "sso"))["id"]
    world.calls.post(f"/v1/customers/{customer}", {"metadata": {"card": "declines"}}, key=world.key())
    world.pass_by(days=32)
    found = world.calls.found(f"/v1/subscriptions/{subscription}", {})
    assert found is not None
    assert (found["status"], has(world, customer)) == ("past_due", ["sso"])
    world.pass_by(days=20)
    assert has(world, customer) == []
    assert told(world) == [["sso"], []]


def test_a_feature_can_be_taken_from_a_product(world: ProviderWorld) -> None:
    customer, price = world.customer()["id"], product(world, "sso")
    subscribe(world, customer, price)
    owner = (world.calls.found(f"/v1/prices/{price}", {}) or {})["product"]
    listed = (world.calls.found(f"/v1/products/{owner}/features", {}) or {})["data"]
    assert [each["entitlement_feature"]["lookup_key"] for each in listed] == ["sso"]
    world.calls.delete(f"/v1/products/{owner}/features/{listed[0]['id']}", {}, key=world.key())
    assert has(world, customer) == []
    features = (world.calls.found("/v1/entitlements/features", {"lookup_key": "sso"}) or {})["data"]
    assert [each["lookup_key"] for each in features] == ["sso"]


@pytest.mark.parametrize("key", ["sso", "x" * 81, ""])
def test_it_makes_no_feature_of_a_key_that_is_taken_or_none(world: ProviderWorld, key: str) -> None:
    product(world, "sso")
    with pytest.raises(OutsideError):
        world.calls.post("/v1/entitlements/features", {"lookup_key": key, "name": "SSO"}, key=world.key())


def test_a_tax_within_the_amount_adds_nothing_to_it_and_raises_no_finding(world: ProviderWorld) -> None:
    params = {"display_name": "USt", "percentage": "19", "inclusive": "true", "jurisdiction": "DE"}
    rate = world.calls.post("/v1/tax_rates", params, key=world.key())["id"]
    customer = world.customer()["id"]
    world.subscription(customer, quantity=2, default_tax_rates=[rate])
    raw = (world.calls.found("/v1/invoices", {"customer": customer}) or {})["data"][0]
    (tax,) = raw["total_taxes"]
    assert (raw["total"], tax["amount"], tax["taxable_amount"]) == (1_800, 287, 1_513)
    found = world.provider.page(ObjectKind.INVOICE).items[0].thing
    assert isinstance(found, Invoice)
    assert (found.total_minor, found.tax_minor, total_gap(found), due_gap(found), line_tax_gap(found)) == (
        1_800, 0, 0, 0, 0,
    )  # fmt: skip
    assert kinds(world, customer) == []
