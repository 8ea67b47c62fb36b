"""What may be relied on of a billing provider that acts: each command is carried out once and never goes too far."""

from dataclasses import replace

import pytest

from console.domain.billing.commands import (
    ApplyPayment,
    CancelSubscription,
    Command,
    CreditTo,
    IssueCreditNote,
    NameTenant,
    RefundPayment,
)
from console.domain.billing.objects import CreditNote, Invoice, ObjectKind, Payment, Refund
from console.domain.errors import OutsideError
from tests.integration.contract_world import one_of, paid, things, world
from tests.integration.provider_worlds import EURO_PRICE, ProviderWorld

__all__ = ["world"]


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
