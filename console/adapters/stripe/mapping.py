"""Documents of Stripe in canonical form: what belongs to customers and to the catalogue, and the way to every kind."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from console.adapters.stripe import mapping_invoices, mapping_money
from console.adapters.stripe.amounts import FractionError, minor
from console.adapters.stripe.reading import (
    Document,
    MalformedError,
    label,
    moment,
    moment_or_none,
    part,
    reference,
    rows,
    text,
    text_or_none,
    whole_or_none,
)
from console.adapters.stripe.told import FEATURE, PLAN, TENANT, Told, currency_of, is_live, named
from console.domain.billing.money import CurrencyError
from console.domain.billing.objects import BillingObject, Customer, ObjectKind, Price, Subscription, SubscriptionItem

ONCE = "once"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def canonical(kind: ObjectKind, document: Document, told: Told) -> BillingObject:
    """Return a document in canonical form. Raises: MalformedError; OutsideError where more had to be asked."""
    try:
        return _MAPPERS[kind](document, told)
    except (FractionError, CurrencyError) as odd:
        raise MalformedError(str(odd)) from odd


def deleted_customer(document: Document, told: Told) -> Customer:
    """Return a customer of whom Stripe only says that there was one: no field but the id means anything."""
    return Customer(
        id=text(document, "id"),
        name="",
        email=None,
        tenant=None,
        currency=None,
        balance_minor=0,
        created_at=_EPOCH,
        is_live=is_live(document, told),
    )


def _price(document: Document, told: Told) -> Price:
    currency = currency_of(document)
    unit = whole_or_none(document, "unit_amount")
    if unit is None:
        raise MalformedError("unit_amount is missing: the price is tiered, or a fraction of a minor unit.")
    recurring = part(document, "recurring")
    count = whole_or_none(recurring, "interval_count") or 1
    interval = text(recurring, "interval") if recurring else ONCE
    return Price(
        id=text(document, "id"),
        plan=label(document, PLAN),
        feature=label(document, FEATURE),
        currency=currency,
        unit_minor=minor(unit, currency),
        interval=interval if count == 1 else f"{count}_{interval}",
        is_metered=recurring.get("usage_type") == "metered",
        is_active=document.get("active") is True,
        is_live=is_live(document, told),
    )


def _customer(document: Document, told: Told) -> Customer:
    currency = None if document.get("currency") is None else currency_of(document)
    balance = whole_or_none(document, "balance") or 0
    return Customer(
        id=text(document, "id"),
        name=text_or_none(document, "name") or "",
        email=text_or_none(document, "email"),
        tenant=label(document, TENANT),
        currency=currency,
        balance_minor=balance if currency is None else minor(balance, currency),
        created_at=moment(document, "created"),
        is_live=is_live(document, told),
    )


def _subscription(document: Document, told: Told) -> Subscription:
    """Return a subscription. The period stands on the items since 2025-03-31, on the subscription before.

    Shape: where items differ, the period is the stretch that every one of them covers.
    """
    items = rows(document, "items")
    periods = [each for each in items if each.get("current_period_end") is not None] or [document]
    return Subscription(
        id=text(document, "id"),
        customer=named(document, "customer"),
        status=text(document, "status"),
        currency=currency_of(document),
        items=tuple(_item(each) for each in items),
        started_at=moment(document, "start_date"),
        period_from=max(moment(each, "current_period_start") for each in periods),
        period_until=min(moment(each, "current_period_end") for each in periods),
        trial_until=moment_or_none(document, "trial_end"),
        ends_at_period_end=document.get("cancel_at_period_end") is True,
        ended_at=moment_or_none(document, "ended_at"),
        is_live=is_live(document, told),
        anchored_at=moment_or_none(document, "billing_cycle_anchor"),
    )


def _item(document: Document) -> SubscriptionItem:
    price = part(document, "price")
    if not price:
        raise MalformedError(f"The item {document.get('id')} has no price.")
    return SubscriptionItem(
        id=text(document, "id"),
        price=text(price, "id"),
        plan=label(price, PLAN),
        quantity=whole_or_none(document, "quantity"),
    )


def customer_named(document: Document) -> str | None:
    """Return the customer that an unreadable document names."""
    if document.get("object") == "customer":
        return text_or_none(document, "id")
    return reference(document.get("customer")) or reference(part(document, "charge").get("customer"))


_MAPPERS: Mapping[ObjectKind, Callable[[Document, Told], BillingObject]] = {
    ObjectKind.PRICE: _price,
    ObjectKind.CUSTOMER: _customer,
    ObjectKind.SUBSCRIPTION: _subscription,
    ObjectKind.INVOICE: mapping_invoices.invoice,
    ObjectKind.PAYMENT: mapping_money.payment,
    ObjectKind.REFUND: mapping_money.refund,
    ObjectKind.CREDIT_NOTE: mapping_invoices.credit_note,
    ObjectKind.DISPUTE: mapping_money.dispute,
    ObjectKind.BALANCE_TRANSACTION: mapping_money.balance_transaction,
    ObjectKind.PAYOUT: mapping_money.payout,
}
