"""The few particulars by which every kind of a customer's objects is listed; what is no customer's has none."""

from dataclasses import replace

import pytest

from console.domain.billing.objects import Allocation, BillingObject
from console.domain.billing.particulars import particulars
from console.domain.errors import BadValueError
from tests.billing import (
    A_CREDIT_NOTE,
    A_CUSTOMER,
    A_DISPUTE,
    A_PAYMENT,
    A_REFUND,
    A_SUBSCRIPTION,
    AN_INVOICE,
    CUSTOMER,
)
from tests.integration.reconciling_world import BUSINESS
from tests.unit.accounting.test_journal import A_MOVEMENT, A_PAYOUT

PAYING = replace(A_PAYMENT, allocations=(Allocation(invoice="in_1", amount_minor=9_900),))


@pytest.mark.parametrize(
    ("thing", "parent", "amount"),
    [
        (A_CUSTOMER, None, 0), (A_SUBSCRIPTION, CUSTOMER, 0), (AN_INVOICE, "sub_1", 9_900), (PAYING, "in_1", 9_900),
        (A_PAYMENT, None, 9_900), (A_REFUND, "pi_1", 900), (A_CREDIT_NOTE, "in_1", 900), (A_DISPUTE, "pi_1", 9_900),
    ],
)  # fmt: skip
def test_it_says_whose_it_is_and_on_what_it_hangs(thing: BillingObject, parent: str | None, amount: int) -> None:
    found = particulars(thing)
    assert (found.customer, found.parent, found.amount_minor) == (CUSTOMER, parent, amount)


@pytest.mark.parametrize("thing", [BUSINESS, A_MOVEMENT, A_PAYOUT])
def test_what_belongs_to_no_customer_belongs_to_no_tenant(thing: BillingObject) -> None:
    with pytest.raises(BadValueError, match="belongs to a tenant"):
        particulars(thing)
