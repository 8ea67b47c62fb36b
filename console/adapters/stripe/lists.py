"""Where Stripe keeps each kind, what to ask for with it, and what its lists can be narrowed by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from console.domain.billing.objects import OF_CUSTOMERS, ObjectKind

VERSION = "2026-10-28.endive"  # the version that the mappers were written against


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind at Stripe.

    Shape: `expand` are the fields to send whole; `by_customer` whether the list can be narrowed to a customer;
    `late` by how much an object may be older than the moment it is counted from.
    """

    path: str
    expand: tuple[str, ...] = ()
    by_customer: bool = False
    late: timedelta = timedelta()
    always: Mapping[str, Any] = field(default_factory=dict)


SHELVES: Mapping[ObjectKind, Shelf] = {
    ObjectKind.PRICE: Shelf("/v1/prices"),
    ObjectKind.CUSTOMER: Shelf("/v1/customers"),
    # Without the status the list leaves out what was cancelled.
    ObjectKind.SUBSCRIPTION: Shelf("/v1/subscriptions", by_customer=True, always={"status": "all"}),
    # An invoice is counted from its finalisation, by default an hour after it was made.
    ObjectKind.INVOICE: Shelf("/v1/invoices", by_customer=True, late=timedelta(days=3)),
    ObjectKind.PAYMENT: Shelf("/v1/payment_intents", ("latest_charge",), by_customer=True),
    ObjectKind.REFUND: Shelf("/v1/refunds", ("charge",)),
    ObjectKind.CREDIT_NOTE: Shelf("/v1/credit_notes", ("customer_balance_transaction",), by_customer=True),
    ObjectKind.DISPUTE: Shelf("/v1/disputes", ("charge",)),
    ObjectKind.BALANCE_TRANSACTION: Shelf("/v1/balance_transactions"),
    ObjectKind.PAYOUT: Shelf("/v1/payouts"),
}


def is_of_customers(kind: ObjectKind) -> bool:
    """Return whether objects of a kind belong to customers, and not to the account."""
    return kind in OF_CUSTOMERS


def single(kind: ObjectKind) -> dict[str, Any]:
    """Return the parameters for one object."""
    expand = SHELVES[kind].expand
    return {"expand": list(expand)} if expand else {}


def narrowed(
    kind: ObjectKind, *, customer: str | None, since: datetime | None, until: datetime | None
) -> dict[str, Any]:
    """Return the parameters for a list."""
    shelf = SHELVES[kind]
    params: dict[str, Any] = dict(shelf.always)
    if shelf.expand:
        params["expand"] = [f"data.{name}" for name in shelf.expand]
    if customer is not None and shelf.by_customer:
        params["customer"] = customer
    created = {}
    if since is not None:
        created["gte"] = ceil((since - shelf.late).timestamp())
    if until is not None:
        created["lt"] = ceil(until.timestamp())
    if created:
        params["created"] = created
    return params
