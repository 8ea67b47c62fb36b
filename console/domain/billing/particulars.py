"""What a list of billing objects shows and is ordered by, the same few particulars whatever the kind."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from console.domain.billing.canonical_form import customer_of
from console.domain.billing.objects import (
    BillingObject,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Payment,
    Refund,
    Subscription,
    SubscriptionItem,
)
from console.domain.errors import BadValueError

_ENDED = frozenset({"canceled", "incomplete", "incomplete_expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What every kind has. Shape: `parent` is what the object hangs on. Units: minor units of `currency`.

    Shape: the parent of a subscription is its customer, of an invoice its subscription, of a payment the first invoice
    that it paid, of a refund or dispute the payment, of a credit note the invoice; `customer` is empty for money that
    nobody is named for.
    """

    customer: str
    parent: str | None
    number: str | None
    status: str
    currency: str | None
    amount_minor: int
    at: datetime


def particulars(thing: BillingObject) -> Particulars:
    """Return the particulars of an object of a customer. Raises: BadValueError for what belongs to no customer."""
    parent, status, amount, at = _own(thing)
    return Particulars(
        customer=customer_of(thing) or "",
        parent=parent,
        number=getattr(thing, "number", None),
        status=status,
        currency=getattr(thing, "currency", None),
        amount_minor=amount,
        at=at,
    )


def _own(thing: BillingObject) -> tuple[str | None, str, int, datetime]:
    match thing:
        case Customer():
            return None, "customer", thing.balance_minor, thing.created_at
        case Subscription():
            return thing.customer, thing.status, 0, thing.started_at
        case Invoice():
            return thing.subscription, thing.status, thing.total_minor, thing.issued_at
        case Payment():
            paid = next((each.invoice for each in thing.allocations), None)
            return paid, thing.status, thing.amount_minor, thing.created_at
        case Refund():
            return thing.payment, thing.status, thing.amount_minor, thing.created_at
        case CreditNote():
            return thing.invoice, thing.status, thing.total_minor, thing.issued_at
        case Dispute():
            return thing.payment, thing.status, thing.amount_minor, thing.opened_at
        case _:
            message = "Only what belongs to a customer belongs to a tenant."
            raise BadValueError(message, field="kind", remedy="Keep it with the provider's account.")


def is_going_on(subscription: Subscription) -> bool:
    """Return whether a subscription has neither ended nor never begun, in the provider's own words."""
    return subscription.ended_at is None and subscription.status not in _ENDED


def decisive(subscriptions: Iterable[Subscription]) -> Subscription | None:
    """Return the subscription that decides access: the newest that goes on, else the newest of all."""
    return max(subscriptions, key=lambda each: (is_going_on(each), each.started_at, each.id), default=None)


def item_of_plan(subscription: Subscription) -> SubscriptionItem | None:
    """Return the item that stands for our plan, or None where no price of it is in our catalogue."""
    return next((each for each in subscription.items if each.plan is not None), None)
