"""The history of what was bought and paid: each object tells when, what, how much, and why as far as anybody says."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from console.domain.billing.objects import Allocation, BillingObject
from console.usecases.read_billing import happenings
from tests.billing import (
    A_CREDIT_NOTE,
    A_CUSTOMER,
    A_DISPUTE,
    A_PAYMENT,
    A_REFUND,
    A_SUBSCRIPTION,
    AN_INVOICE,
    NOON,
    told,
)

OVER = replace(A_DISPUTE, status="lost", closed_at=NOON)
NUMBERS = {"in_1": "INV-acme-1"}
TOLD: dict[str, tuple[BillingObject, Sequence[tuple[str, int, str]]]] = {
    "a subscription": (A_SUBSCRIPTION, [("Subscription to pro began", 0, "")]),
    "one that ended": (
        replace(A_SUBSCRIPTION, ended_at=NOON),
        [("Subscription to pro began", 0, ""), ("Subscription to pro ended", 0, "")],
    ),
    "an invoice": (AN_INVOICE, [("Invoice INV-acme-1", 9_900, "for the subscription")]),
    "one by hand": (
        replace(AN_INVOICE, subscription=None, number=None), [("Invoice in_1", 9_900, "asked for by hand")],
    ),
    "a payment": (
        replace(A_PAYMENT, allocations=(Allocation(invoice="in_1", amount_minor=9_900),)),
        [("Payment", 9_900, "pays INV-acme-1")],
    ),
    "one for an invoice that nobody knows": (
        replace(A_PAYMENT, allocations=(Allocation(invoice="in_9", amount_minor=9_900),)),
        [("Payment", 9_900, "pays in_9")],
    ),
    "one for nothing": (A_PAYMENT, [("Payment", 9_900, "pays no invoice")]),
    "one that never came": (replace(A_PAYMENT, paid_at=None), []),
    "a refund": (replace(A_REFUND, reason="requested_by_customer"), [("Refund", -900, "requested by customer")]),
    "one without a reason": (A_REFUND, [("Refund", -900, "no reason given")]),
    "a credit note": (A_CREDIT_NOTE, [("Credit note CN-1", -900, "corrects INV-acme-1")]),
    "a dispute": (A_DISPUTE, [("Dispute opened", -9_900, "over pi_1")]),
    "one that is over": (OVER, [("Dispute opened", -9_900, "over pi_1"), ("Dispute lost", 0, "over pi_1")]),
    "a customer": (A_CUSTOMER, []),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_it_tells_what_happened_and_why(name: str) -> None:
    thing, wanted = TOLD[name]
    assert [(each.what, each.minor, each.why) for each in happenings(told(thing), NUMBERS)] == wanted
