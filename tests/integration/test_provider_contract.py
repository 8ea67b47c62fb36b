"""What reconciliation may rely on of a billing provider: the same in this process and over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.domain.billing.canonical_form import Snapshot, customer_of, kind_of
from console.domain.billing.commands import (
    ApplyPayment,
    CancelSubscription,
    Command,
    CreditTo,
    IssueCreditNote,
    NameTenant,
    RefundPayment,
)
from console.domain.billing.objects import (
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    ObjectKind,
    Payment,
    Payout,
    Refund,
    Subscription,
)
from console.domain.billing.tie_outs import prorated, tax_gaps, total_gap
from console.domain.errors import OutsideError
from tests.integration.provider_worlds import EURO_PRICE, ProviderWorld, world_in_process, world_over_loopback

Opened = Callable[[Path], AbstractContextManager[ProviderWorld]]


@pytest.fixture(params=[world_in_process, world_over_loopback], ids=["in process", "over loopback"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProviderWorld]:
    opened: Opened = request.param
    with opened(tmp_path / "provider.sqlite3") as made:
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[ProviderWorld]:
    with world_in_process(tmp_path / "provider.sqlite3") as made:
        yield made


def things(world: ProviderWorld, kind: ObjectKind, **narrowed: object) -> list[Snapshot]:
    """Return everything of a kind, page after page of two."""
    found: list[Snapshot] = []
    after = None
    while True:
        page = world.provider.page(kind, after=after, limit=2, **narrowed)  # type: ignore[arg-type]
        assert page.unreadable == ()
        found += page.items
        after = page.after
        if after is None:
            return found


def one_of(world: ProviderWorld, kind: ObjectKind) -> str:
    return world.provider.page(kind).items[0].thing.id


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


# --- acting -------------------------------------------------------------------------------------------------------


def paid(world: ProviderWorld) -> tuple[str, str, str]:
    """Return customer, payment and invoice of somebody who paid 1,800."""
    customer = world.customer()["id"]
    world.subscription(customer)
    return customer, one_of(world, ObjectKind.PAYMENT), one_of(world, ObjectKind.INVOICE)


def commands(world: ProviderWorld) -> list[tuple[Command, ObjectKind]]:
    """Return one of each command that can be carried out, and what comes of it."""
    customer, payment, invoice = paid(world)
    free, owed = world.payment(customer, 400)["id"], world.invoice(customer, 300)["id"]
    return [
        (RefundPayment(payment=payment, amount_minor=100, currency="EUR", reason="Twice"), ObjectKind.REFUND),
        (
            IssueCreditNote(
                invoice=invoice, amount_minor=200, currency="EUR", to=CreditTo.BALANCE, reason="Late", back_minor=200
            ),
            ObjectKind.CREDIT_NOTE,
        ),
        (ApplyPayment(payment=free, invoice=owed, amount_minor=300, currency="EUR"), ObjectKind.INVOICE),
        (CancelSubscription(subscription=one_of(world, ObjectKind.SUBSCRIPTION)), ObjectKind.SUBSCRIPTION),
        (NameTenant(customer=customer, tenant="tnt_other"), ObjectKind.CUSTOMER),
        (NameTenant(customer=customer, tenant=None), ObjectKind.CUSTOMER),
    ]


def test_it_carries_out_every_command_once_and_knows_it_again_by_its_key(world: ProviderWorld) -> None:
    for number, (command, kind) in enumerate(commands(world)):
        key = f"req_{number}"
        assert world.writer.carried_out(command, key=key) is None
        first = world.writer.carry_out(command, key=key)
        assert first.kind is kind
        before = world.fake.book.rows("SELECT count(*) FROM object")
        again = world.writer.carry_out(command, key=key)
        assert again.thing == first.thing
        assert world.fake.book.rows("SELECT count(*) FROM object") == before
        assert world.writer.carried_out(command, key=key) == replace(again, raw=again.raw)
        assert world.writer.carried_out(command, key=f"{key}_other") is None


def test_it_knows_what_it_did_long_after_the_provider_forgot_the_key(world: ProviderWorld) -> None:
    _, payment, _ = paid(world)
    command = RefundPayment(payment=payment, amount_minor=100, currency="EUR", reason="duplicate")
    first = world.writer.carry_out(command, key="req_1")
    world.pass_by(days=3)
    assert world.writer.carry_out(command, key="req_1").thing == first.thing
    assert len(things(world, ObjectKind.REFUND)) == 1


def test_it_finds_what_happened_behind_an_answer_of_500(world: ProviderWorld) -> None:
    _, payment, _ = paid(world)
    command = RefundPayment(payment=payment, amount_minor=100, currency="EUR", reason="duplicate")
    world.fake.chaos.arm("broken_after")
    with pytest.raises(OutsideError) as caught:
        world.writer.carry_out(command, key="req_1")
    assert not caught.value.permanent
    found = world.writer.carried_out(command, key="req_1")
    assert found is not None
    assert world.writer.carry_out(command, key="req_1").thing == found.thing
    assert len(things(world, ObjectKind.REFUND)) == 1


def test_it_is_told_the_same_failure_again_as_long_as_the_provider_keeps_the_key(world: ProviderWorld) -> None:
    _, payment, _ = paid(world)
    command = RefundPayment(payment=payment, amount_minor=100, currency="EUR", reason="duplicate")
    world.fake.chaos.arm("broken")
    with pytest.raises(OutsideError):
        world.provider.page(ObjectKind.REFUND)
    world.fake.chaos.arm("broken_after")
    with pytest.raises(OutsideError):
        world.calls.post("/v1/customers", {"name": "Acme"}, key="req_2")
    with pytest.raises(OutsideError) as caught:
        world.calls.post("/v1/customers", {"name": "Acme"}, key="req_2")
    assert not caught.value.permanent
    world.writer.carry_out(command, key="req_3")


def test_it_refuses_a_key_that_was_used_for_something_else(world: ProviderWorld) -> None:
    world.calls.post("/v1/customers", {"name": "Acme"}, key="req_1")
    with pytest.raises(OutsideError) as caught:
        world.calls.post("/v1/customers", {"name": "Bolt"}, key="req_1")
    assert caught.value.permanent
    assert len(things(world, ObjectKind.CUSTOMER)) == 1


def test_it_never_sends_back_more_than_is_left(world: ProviderWorld) -> None:
    _, payment, _ = paid(world)
    taken = 2 * EURO_PRICE
    world.help("disputes", payment_intent=payment, amount=500)
    for amount, fits in ((taken - 500 + 1, False), (taken - 500, True), (1, False)):
        command = RefundPayment(payment=payment, amount_minor=amount, currency="EUR", reason="duplicate")
        if fits:
            world.writer.carry_out(command, key=world.key())
            continue
        with pytest.raises(OutsideError) as caught:
            world.writer.carry_out(command, key=world.key())
        assert caught.value.permanent
    found = world.provider.fetch(ObjectKind.PAYMENT, payment)
    assert found is not None
    assert isinstance(found.thing, Payment)
    assert found.thing.refunded_minor == taken - 500


def test_it_refuses_another_currency_and_what_is_not_there(world: ProviderWorld) -> None:
    _, payment, invoice = paid(world)
    wrong: list[Command] = [
        RefundPayment(payment=payment, amount_minor=1, currency="USD", reason="duplicate"),
        RefundPayment(payment="pi_none", amount_minor=1, currency="EUR", reason="duplicate"),
        IssueCreditNote(invoice=invoice, amount_minor=1, currency="USD", to=CreditTo.REFUND, reason="duplicate"),
        ApplyPayment(payment=payment, invoice=invoice, amount_minor=1, currency="EUR"),
        CancelSubscription(subscription="sub_none"),
        NameTenant(customer="cus_none", tenant="tnt_acme"),
    ]
    for command in wrong:
        with pytest.raises(OutsideError) as caught:
            world.writer.carry_out(command, key=world.key())
        assert caught.value.permanent, command


def test_it_splits_a_credit_note_between_what_is_owed_and_what_was_paid(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    payment, invoice = world.payment(customer, 700)["id"], world.invoice(customer, 1_000)["id"]
    world.writer.carry_out(ApplyPayment(payment=payment, invoice=invoice, amount_minor=700, currency="EUR"), key="a")
    command = IssueCreditNote(
        invoice=invoice, amount_minor=400, currency="EUR", to=CreditTo.REFUND, reason="Late", back_minor=100
    )
    note = world.writer.carry_out(command, key="b").thing
    assert isinstance(note, CreditNote)
    assert (note.total_minor, note.pre_payment_minor, note.post_payment_minor) == (400, 300, 100)
    assert (note.refunded_minor, note.credited_minor, note.out_of_band_minor) == (100, 0, 0)
    after = world.provider.fetch(ObjectKind.INVOICE, invoice)
    assert after is not None
    assert isinstance(after.thing, Invoice)
    assert (after.thing.status, after.thing.due_minor, after.thing.remaining_minor) == ("paid", 700, 0)
    (refund,) = [each.thing for each in things(world, ObjectKind.REFUND)]
    assert isinstance(refund, Refund)
    assert refund.amount_minor == 100


@pytest.mark.parametrize("to", CreditTo)
def test_it_gives_back_no_more_of_a_credit_than_was_approved(world: ProviderWorld, to: CreditTo) -> None:
    _, payment, invoice = paid(world)
    command = IssueCreditNote(invoice=invoice, amount_minor=400, currency="EUR", to=to, reason="Late", back_minor=0)
    for number, approved in enumerate((0, 399, None)):
        with pytest.raises(OutsideError) as caught:
            world.writer.carry_out(replace(command, back_minor=approved), key=f"req_{number}")
        assert caught.value.permanent
    assert things(world, ObjectKind.CREDIT_NOTE) == things(world, ObjectKind.REFUND) == []
    world.writer.carry_out(replace(command, back_minor=400), key="req_4")
    found = world.provider.fetch(ObjectKind.PAYMENT, payment)
    assert found is not None
    assert isinstance(found.thing, Payment)
    assert found.thing.refunded_minor == (400 if to is CreditTo.REFUND else 0)


def test_it_applies_only_what_was_approved(world: ProviderWorld) -> None:
    customer = world.customer()["id"]
    payment, invoice = world.payment(customer, 700)["id"], world.invoice(customer, 1_000)["id"]
    command = ApplyPayment(payment=payment, invoice=invoice, amount_minor=1_000, currency="EUR")
    with pytest.raises(OutsideError) as caught:
        world.writer.carry_out(command, key="req_1")
    assert caught.value.permanent
    world.writer.carry_out(replace(command, amount_minor=700), key="req_2")
    found = world.provider.fetch(ObjectKind.PAYMENT, payment)
    assert found is not None
    assert isinstance(found.thing, Payment)
    assert [(each.invoice, each.amount_minor) for each in found.thing.allocations] == [(invoice, 700)]


# --- the invented provider itself ---------------------------------------------------------------------------------


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


# --- events -------------------------------------------------------------------------------------------------------


def test_it_lists_events_oldest_first_from_a_moment_on(world: ProviderWorld) -> None:
    world.customer()
    world.pass_by(hours=1)
    begin = world.clock.now()
    customer = world.customer()["id"]
    world.subscription(customer)
    seen, page = [], world.events.since(begin, limit=3)
    while new := [each for each in page if each.event_id not in seen]:
        seen += [each.event_id for each in new]
        page = world.events.since(begin, limit=len(seen) + 3)
    listed = world.fake.book.rows("SELECT id FROM object WHERE type = 'event' AND created >= ? ORDER BY seq", (
        int(begin.timestamp()),
    ))  # fmt: skip
    assert seen == [row[0] for row in listed]
    assert all(each.made_at >= begin for each in world.events.since(begin, limit=100))


def test_it_lists_events_where_none_is_older(world: ProviderWorld) -> None:
    begin = world.clock.now()
    world.customer()
    assert [each.event_type for each in world.events.since(begin, limit=10)] == ["customer.created"]
