"""What reconciliation may rely on of a billing provider: the same in this process and over HTTP."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import customer_of, kind_of
from console.domain.billing.commands import CancelSubscription, CreditTo, IssueCreditNote, RefundPayment
from console.domain.billing.objects import Invoice, ObjectKind, Subscription
from console.domain.errors import OutsideError
from tests.integration.contract_world import alone, one_of, things, world
from tests.integration.provider_worlds import ProviderWorld, world_in_process

__all__ = ["alone", "world"]

# --- reading ------------------------------------------------------------------------------------------------------


def test_it_tells_of_one_object_as_its_list_does(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    world.subscription(customer)
    note = IssueCreditNote(invoice=one_of(world, ObjectKind.INVOICE), amount_minor=100, currency="EUR",
                           to=CreditTo.REFUND, reason="duplicate", back_minor=100)  # fmt: skip
    world.writer.carry_out(note, key="req_1")
    world.help("disputes", payment_intent=one_of(world, ObjectKind.PAYMENT), amount=50)
    world.help("payouts")
    for kind in ObjectKind:
        (listed, *_) = world.provider.page(kind).items
        fetched = world.provider.fetch(kind, listed.thing.id)
        assert fetched is not None, kind
        assert fetched.thing == listed.thing
        assert kind_of(fetched.thing) is kind
        assert fetched.api_version == world.calls.version
        assert fetched.fetched_at == world.clock.now()
        assert world.provider.fetch(kind, "nothing_of_this_name") is None


def test_it_lists_newest_first_and_neither_skips_nor_repeats(world: ProviderWorld) -> None:
    made = [world.customer(f"tnt_{number}")["id"] for number in range(5)]
    assert [each.thing.id for each in things(world, ObjectKind.CUSTOMER)] == made[::-1]


def test_it_keeps_its_place_while_the_list_grows(world: ProviderWorld) -> None:
    made = [world.customer()["id"] for _ in range(5)]
    world.help("chaos", mood="growing", times=3)
    assert [each.thing.id for each in things(world, ObjectKind.CUSTOMER)] == made[::-1]
    assert len(things(world, ObjectKind.CUSTOMER)) == 5 + 3


@pytest.mark.parametrize("kind", list(ObjectKind))
def test_it_narrows_every_kind_to_a_customer(alone: ProviderWorld, kind: ObjectKind) -> None:
    customers = [alone.customer(f"tnt_{number}")["id"] for number in range(2)]
    for customer in customers:
        alone.subscription(customer)
        payment = alone.payment(customer, 700)["id"]
        refund = RefundPayment(payment=payment, amount_minor=100, currency="EUR", reason="duplicate")
        alone.writer.carry_out(refund, key=alone.key())
        alone.help("disputes", payment_intent=payment, amount=50)
        invoice = alone.invoice(customer, 300)["id"]
        note = IssueCreditNote(invoice=invoice, amount_minor=10, currency="EUR", to=CreditTo.BALANCE, reason="Late")
        alone.writer.carry_out(note, key=alone.key())
    own = things(alone, kind, customer=customers[0])
    is_of_account = kind in {ObjectKind.PRICE, ObjectKind.BALANCE_TRANSACTION, ObjectKind.PAYOUT}
    assert {customer_of(each.thing) for each in own} == (set() if is_of_account else {customers[0]})


def test_it_narrows_to_a_stretch_of_time(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    begin = world.clock.now()
    ids = []
    for _ in range(3):
        ids.append(world.invoice(customer, 500)["id"])
        world.pass_by(days=5)
    stretch = {"since": begin + timedelta(days=5), "until": begin + timedelta(days=10)}
    assert [each.thing.id for each in things(world, ObjectKind.INVOICE, **stretch)] == [ids[1]]
    assert [each.thing.id for each in things(world, ObjectKind.INVOICE, since=begin)] == ids[::-1]
    assert things(world, ObjectKind.INVOICE, until=begin) == []


def test_it_lists_what_was_cancelled_too(world: ProviderWorld) -> None:
    subscription = world.subscription(world.customer()["id"])["id"]
    world.writer.carry_out(CancelSubscription(subscription=subscription), key="req_1")
    assert [each.thing.id for each in things(world, ObjectKind.SUBSCRIPTION)] == [subscription]


def test_it_finds_an_invoice_by_its_number(world: ProviderWorld) -> None:
    customer, other = world.customer()["id"], world.customer()["id"]
    number = world.invoice(customer, 500)["number"]
    found = world.provider.invoice_of_number(customer=customer, number=number)
    assert found is not None
    assert isinstance(found.thing, Invoice)
    assert (found.thing.number, found.thing.due_minor) == (number, 500)
    assert world.provider.invoice_of_number(customer=other, number=number) is None


def test_it_says_that_a_customer_was_deleted(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    world.calls.delete(f"/v1/customers/{customer}", {}, key=world.key())
    found = world.provider.fetch(ObjectKind.CUSTOMER, customer)
    assert found is not None
    assert (found.is_deleted, found.thing.id) == (True, customer)


def test_it_reads_the_whole_of_a_long_invoice(alone: ProviderWorld) -> None:
    customer = alone.customer()["id"]
    short = alone.provider.fetch(ObjectKind.INVOICE, alone.invoice(customer, 500)["id"])
    assert short is not None
    assert isinstance(short.thing, Invoice)
    lines = tuple(replace(short.thing.lines[0], id=f"il_{number:03d}") for number in range(250))
    long = replace(short.thing, id="in_long", lines=lines)
    alone.fake.load([long])
    found = alone.provider.fetch(ObjectKind.INVOICE, "in_long")
    assert found is not None
    assert found.thing == long


def test_it_names_what_cannot_be_read_and_goes_on(alone: ProviderWorld) -> None:
    customer = alone.customer()["id"]
    subscription = alone.subscription(customer)
    other = alone.subscription(customer)["id"]
    document = alone.fake.book.get("subscription", subscription["id"]) or {}
    del document["items"]["data"][0]["price"]
    alone.fake.book.put(document)
    page = alone.provider.page(ObjectKind.SUBSCRIPTION)
    assert [each.thing.id for each in page.items] == [other]
    (odd,) = page.unreadable
    assert (odd.id, odd.customer) == (subscription["id"], customer)
    assert "has no price" in odd.why


def test_it_passes_an_unknown_status_through_as_its_own_word(alone: ProviderWorld) -> None:
    subscription = alone.subscription(alone.customer()["id"])["id"]
    document = alone.fake.book.get("subscription", subscription) or {}
    alone.fake.book.put({**document, "status": "hibernating"})
    (found,) = alone.provider.page(ObjectKind.SUBSCRIPTION).items
    assert isinstance(found.thing, Subscription)
    assert found.thing.status == "hibernating"


def test_it_reads_the_shapes_of_before_2025_the_same(tmp_path: Path) -> None:
    with world_in_process(tmp_path / "provider.sqlite3") as new:
        customer = new.customer()["id"]
        new.subscription(customer)
        new.writer.carry_out(
            RefundPayment(payment=one_of(new, ObjectKind.PAYMENT), amount_minor=5, currency="EUR", reason="fraudulent"),
            key="req_1",
        )
        told = {kind: [each.thing for each in new.provider.page(kind).items] for kind in ObjectKind}
        raw = new.provider.page(ObjectKind.SUBSCRIPTION).items[0].raw
        assert "current_period_end" not in raw
    with world_in_process(tmp_path / "provider.sqlite3", version="2024-06-20") as old:
        raw = old.provider.page(ObjectKind.SUBSCRIPTION).items[0].raw
        assert "current_period_end" in raw
        for kind in ObjectKind:
            assert [each.thing for each in old.provider.page(kind).items] == told[kind], kind


# --- when things go wrong -----------------------------------------------------------------------------------------


def test_it_waits_as_long_as_it_is_told_and_asks_again(world: ProviderWorld) -> None:
    world.customer()
    world.help("chaos", mood="busy", times=2)
    assert len(world.provider.page(ObjectKind.CUSTOMER).items) == 1
    assert world.waits == [1.0, 1.0]


def test_it_gives_up_for_now_when_it_is_told_to_wait_again_and_again(world: ProviderWorld) -> None:
    world.help("chaos", mood="busy", times=50)
    with pytest.raises(OutsideError) as caught:
        world.provider.page(ObjectKind.CUSTOMER)
    assert not caught.value.permanent
    assert len(world.waits) == 4


@pytest.mark.parametrize("mood", ["broken", "garbled"])
def test_it_says_that_a_failure_may_pass(world: ProviderWorld, mood: str) -> None:
    world.fake.chaos.arm(mood)
    with pytest.raises(OutsideError) as caught:
        world.provider.page(ObjectKind.CUSTOMER)
    assert not caught.value.permanent
    assert world.provider.page(ObjectKind.CUSTOMER).items == ()


def test_it_says_that_a_wrong_key_is_for_good(alone: ProviderWorld) -> None:
    alone.fake._api_key = "another"
    with pytest.raises(OutsideError) as caught:
        alone.provider.page(ObjectKind.CUSTOMER)
    assert caught.value.permanent
    assert "Invalid API Key" in str(caught.value)


# --- events -------------------------------------------------------------------------------------------------------


def test_it_lists_events_oldest_first_from_a_moment_on(world: ProviderWorld) -> None:
    world.customer()
    world.pass_by(hours=1)
    begin = world.clock.now()
    customer = world.customer()["id"]
    world.subscription(customer)
    seen, page = [], world.events.since(begin, limit=3)
    while page:  # nobody's clock has moved: one second holds more than a page
        seen += [each.event_id for each in page]
        page = world.events.since(begin, limit=3, after=seen[-1])
    listed = world.fake.book.rows("SELECT id FROM object WHERE type = 'event' AND created >= ? ORDER BY seq", (
        int(begin.timestamp()),
    ))  # fmt: skip
    assert seen == [row[0] for row in listed]
    assert all(each.made_at >= begin for each in world.events.since(begin, limit=100))


def test_it_lists_events_where_none_is_older(world: ProviderWorld) -> None:
    begin = world.clock.now()
    world.customer()
    assert [each.event_type for each in world.events.since(begin, limit=10)] == ["customer.created"]
