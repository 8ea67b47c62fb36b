"""Commands to the billing provider as documents: one spelling, one key, nothing guessed."""

from dataclasses import replace
from typing import Any

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
from console.domain.billing.writes import (
    MalformedCommandError,
    Operation,
    WriteState,
    bound_digest,
    document,
    key_of,
    operation_of,
    pending_minor,
    restored,
    result_of,
    subject_of,
    touched_by,
    wanted,
)
from console.domain.ids import ExecutionId
from tests.unit.fakes import NOON

RUN = ExecutionId("exe_1")
REFUND = RefundPayment(payment="pay_1", amount_minor=500, currency="EUR", reason="requested_by_customer")
OLD_CREDIT = IssueCreditNote(
    invoice="in_1", amount_minor=70, currency="EUR", to=CreditTo.BALANCE, reason="order_change"
)
COMMANDS: tuple[Command, ...] = (
    REFUND,
    OLD_CREDIT,
    replace(OLD_CREDIT, back_minor=0),
    replace(OLD_CREDIT, back_minor=70),
    ApplyPayment(payment="pay_1", invoice="in_1", amount_minor=5, currency="JPY"),
    CancelSubscription(subscription="sub_1"),
    NameTenant(customer="cus_1", tenant="ten_1"),
    NameTenant(customer="cus_1", tenant=None),
)


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_it_comes_back_from_its_document_as_it_was(command: Command) -> None:
    assert restored(document(command)) == command
    assert wanted(command, RUN, at=NOON).subject == subject_of(command)
    assert touched_by(command)
    assert result_of(operation_of(command))


def test_the_key_is_the_same_after_every_crash_and_another_for_every_execution() -> None:
    assert key_of(Operation.REFUND, RUN) == wanted(REFUND, RUN, at=NOON).idempotency_key == "sallyport-refund-exe_1"
    assert key_of(Operation.REFUND, ExecutionId("exe_2")) != key_of(Operation.REFUND, RUN)
    assert key_of(Operation.CREDIT, RUN) != key_of(Operation.REFUND, RUN)


@pytest.mark.parametrize(
    "changed",
    [
        {"operation": "steal"},
        {"operation": "apply"},
        {"amount_minor": "500"},
        {"amount_minor": True},
        {"amount_minor": 5.0},
        {"currency": None},
        {"extra": 1},
        {"reason": None},
    ],
    ids=str,
)
def test_it_refuses_a_document_that_fits_no_command(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedCommandError):
        restored({**document(REFUND), **changed})


def test_a_credit_of_before_its_return_was_approved_looks_as_it_did() -> None:
    assert set(document(OLD_CREDIT)) == {"operation", "invoice", "amount_minor", "currency", "to", "reason"}
    with pytest.raises(MalformedCommandError):
        restored({**document(REFUND), "back_minor": 5})
    with pytest.raises(MalformedCommandError):
        restored({**document(OLD_CREDIT), "back_minor": "5"})


def test_it_refuses_a_document_without_a_field() -> None:
    plain = document(REFUND)
    del plain["payment"]
    with pytest.raises(MalformedCommandError):
        restored(plain)


def test_a_digest_binds_everything_but_whose_customer_it_is() -> None:
    digests = {bound_digest(command) for command in COMMANDS}
    assert len(digests) == len(COMMANDS)
    named = NameTenant(customer="cus_1", tenant="ten_1"), NameTenant(customer="cus_1", tenant="ten_2")
    assert bound_digest(named[0]) == bound_digest(named[1])


def test_only_what_is_not_settled_is_on_its_way() -> None:
    one = wanted(REFUND, RUN, at=NOON)
    assert one.is_pending
    assert pending_minor([one, one], "EUR", Operation.REFUND) == 1_000
    assert pending_minor([one], "USD", Operation.REFUND) == 0
    assert pending_minor([one], "EUR", Operation.CREDIT) == 0
    assert one.state is WriteState.WANTED
