"""What a tenant has bought: the product's own word, and what the provider told since."""

from dataclasses import replace

import pytest

from console.domain.billing.objects import SubscriptionItem
from console.domain.bought import Bought, bought_of
from tests.billing import A_SUBSCRIPTION, DAY, NOON, told

OWN = Bought(
    plan_key="team", status="trialing", provider_customer="cus_old", seats=2, amount_minor=4_900, currency="EUR",
    started_at=NOON - 200 * DAY, renews_at=NOON - DAY, mirrored_at=NOON - 2 * DAY,
)  # fmt: skip
METERED = SubscriptionItem(id="si_1", price="price_pro", plan="pro", quantity=None)
UNKNOWN = SubscriptionItem(id="si_2", price="price_x", plan=None, quantity=9)


def test_without_a_word_of_the_product_what_was_told_stands_alone() -> None:
    found = bought_of(None, [told(A_SUBSCRIPTION, at=NOON)])
    assert found == Bought(
        plan_key="pro", status="active", provider_customer="cus_acme1", seats=4, amount_minor=0, currency="EUR",
        started_at=NOON - 90 * DAY, renews_at=NOON + 9 * DAY, mirrored_at=NOON,
    )  # fmt: skip


def test_use_that_is_metered_buys_no_seats() -> None:
    found = bought_of(None, [told(replace(A_SUBSCRIPTION, items=(METERED,)))])
    assert found is not None
    assert (found.plan_key, found.seats) == ("pro", 0)


@pytest.mark.parametrize("items", [(), (UNKNOWN,)])
def test_a_plan_that_we_do_not_know_is_nothing_bought(items: tuple[SubscriptionItem, ...]) -> None:
    assert bought_of(None, [told(replace(A_SUBSCRIPTION, items=items))]) is None


def test_what_was_told_before_the_product_spoke_changes_nothing() -> None:
    assert bought_of(OWN, [told(A_SUBSCRIPTION, at=OWN.mirrored_at - DAY)]) == OWN
    assert bought_of(OWN, []) == OWN


def test_what_was_told_since_stands_over_the_products_word_but_for_the_price() -> None:
    found = bought_of(OWN, [told(A_SUBSCRIPTION, at=NOON)])
    assert found is not None
    assert (found.plan_key, found.status, found.seats, found.amount_minor) == ("pro", "active", 4, 4_900)
    kept = bought_of(OWN, [told(replace(A_SUBSCRIPTION, items=(UNKNOWN,)), at=NOON)])
    assert kept is not None
    assert (kept.plan_key, kept.status, kept.seats) == ("team", "active", 2)
