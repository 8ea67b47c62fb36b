"""Canonical objects as Stripe would write them down, so that a whole world is loaded in seconds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from console.adapters.fake_stripe import invoice_documents
from console.adapters.fake_stripe.book import Document
from console.adapters.stripe.amounts import amount
from console.adapters.stripe.told import FEATURE, PLAN, TENANT
from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import (
    BalanceTransaction,
    BillingObject,
    Customer,
    Dispute,
    ObjectKind,
    Payment,
    Payout,
    Price,
    Refund,
    Subscription,
)

ONCE = "once"


def documents_of(things: Iterable[BillingObject], *, rates: set[str] | None = None) -> Iterator[Document]:
    """Yield the documents of objects: one each, and what Stripe keeps beside it. Units: Stripe knows whole seconds.

    Shape: `rates` are tax rates that were written already, and grows.
    """
    rates = set() if rates is None else rates  # many lines name the same one
    for thing in things:
        for document in _WRITERS[kind_of(thing)](thing):
            if document["object"] == "tax_rate":
                if document["id"] in rates:
                    continue
                rates.add(document["id"])
            yield document


def charge_of(payment: str) -> str:
    """Return the id of the charge that belongs to a loaded payment."""
    return f"ch_{payment}"


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _seconds_or_none(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _labels(**labels: str | None) -> dict[str, str]:
    return {name: value for name, value in labels.items() if value is not None}


def _price(thing: Price) -> Iterator[Document]:
    count, _, interval = thing.interval.rpartition("_")
    recurring = {
        "interval": interval,
        "interval_count": int(count or 1),
        "usage_type": "metered" if thing.is_metered else "licensed",
    }
    unit = amount(thing.unit_minor, thing.currency)
    product = f"prod_{thing.id}"
    yield {"object": "product", "id": product, "created": 0, "name": thing.plan or thing.id, "active": True,
           "metadata": {}, "livemode": thing.is_live}  # fmt: skip
    yield {
        "object": "price",
        "id": thing.id,
        "created": 0,
        "active": thing.is_active,
        "currency": thing.currency.lower(),
        "product": product,
        "type": "one_time" if thing.interval == ONCE else "recurring",
        "recurring": None if thing.interval == ONCE else recurring,
        "billing_scheme": "per_unit",
        "unit_amount": unit,
        "unit_amount_decimal": str(unit),
        "metadata": _labels(**{PLAN: thing.plan, FEATURE: thing.feature}),
        "livemode": thing.is_live,
    }


def _customer(thing: Customer) -> Iterator[Document]:
    balance = thing.balance_minor if thing.currency is None else amount(thing.balance_minor, thing.currency)
    yield {
        "object": "customer",
        "id": thing.id,
        "created": _seconds(thing.created_at),
        "name": thing.name or None,
        "email": thing.email,
        "currency": None if thing.currency is None else thing.currency.lower(),
        "balance": balance,
        "delinquent": False,
        "metadata": _labels(**{TENANT: thing.tenant}),
        "livemode": thing.is_live,
    }


def _subscription(thing: Subscription) -> Iterator[Document]:
    period = {"current_period_start": _seconds(thing.period_from), "current_period_end": _seconds(thing.period_until)}
    created = _seconds(thing.started_at)
    items: list[dict[str, Any]] = [
        {
            "object": "subscription_item",
            "id": item.id,
            "created": created,
            "subscription": thing.id,
            "price": {"object": "price", "id": item.price, "currency": thing.currency.lower(),
                      "metadata": _labels(**{PLAN: item.plan})},
            **({} if item.quantity is None else {"quantity": item.quantity}),
            **period,
            "metadata": {},
        }
        for item in thing.items
    ]  # fmt: skip
    yield {
        "object": "subscription",
        "id": thing.id,
        "created": created,
        "customer": thing.customer,
        "status": thing.status,
        "currency": thing.currency.lower(),
        "collection_method": "charge_automatically",
        "items": {"object": "list", "data": items, "has_more": False, "url": "/v1/subscription_items"},
        "start_date": created,
        "billing_cycle_anchor": _seconds_or_none(thing.anchored_at),
        "trial_end": _seconds_or_none(thing.trial_until),
        "cancel_at_period_end": thing.ends_at_period_end,
        "canceled_at": _seconds_or_none(thing.ended_at),
        "ended_at": _seconds_or_none(thing.ended_at),
        "metadata": {},
        "livemode": thing.is_live,
    }


def _payment(thing: Payment) -> Iterator[Document]:
    currency, created = thing.currency.lower(), _seconds(thing.created_at)
    is_charged = thing.paid_at is not None or thing.captured_minor != 0 or thing.refunded_minor != 0
    captured = amount(thing.captured_minor, thing.currency)
    refunded = amount(thing.refunded_minor, thing.currency)
    yield {
        "object": "payment_intent",
        "id": thing.id,
        "created": created,
        "customer": thing.customer,
        "status": thing.status,
        "currency": currency,
        "amount": amount(thing.amount_minor, thing.currency),
        "amount_received": captured,
        "latest_charge": charge_of(thing.id) if is_charged else None,
        "metadata": {},
        "livemode": thing.is_live,
    }
    if is_charged:
        yield {
            **_charge(thing.id, thing.customer, is_live=thing.is_live),
            "created": created if thing.paid_at is None else _seconds(thing.paid_at),
            "status": "pending" if thing.paid_at is None else "succeeded",
            "currency": currency,
            "amount": amount(thing.amount_minor, thing.currency),
            "amount_captured": captured,
            "amount_refunded": refunded,
            "captured": captured > 0,
            "refunded": 0 < captured <= refunded,
            "paid": thing.paid_at is not None,
        }
    for number, part in enumerate(thing.allocations):
        yield {
            "object": "invoice_payment",
            "id": f"inpay_{thing.id}_{number}",
            "created": created,
            "invoice": part.invoice,
            "currency": currency,
            "amount_paid": amount(part.amount_minor, thing.currency),
            "amount_requested": amount(part.amount_minor, thing.currency),
            "is_default": number == 0,
            "payment": {"type": "payment_intent", "payment_intent": thing.id},
            "status": "paid",
            "livemode": thing.is_live,
        }


def _charge(payment: str, customer: str | None, *, is_live: bool) -> Document:
    return {
        "object": "charge",
        "id": charge_of(payment),
        "created": 0,
        "customer": customer,
        "payment_intent": payment,
        "disputed": True,
        "metadata": {},
        "livemode": is_live,
    }


def _refund(thing: Refund) -> Iterator[Document]:
    yield {
        "object": "refund",
        "id": thing.id,
        "created": _seconds(thing.created_at),
        "customer": thing.customer,
        "payment_intent": thing.payment,
        "charge": charge_of(thing.payment),
        "status": thing.status,
        "currency": thing.currency.lower(),
        "amount": amount(thing.amount_minor, thing.currency),
        "reason": thing.reason,
        "metadata": {},
        "livemode": thing.is_live,
    }


def _dispute(thing: Dispute) -> Iterator[Document]:
    returned = [] if thing.closed_at is None else [
        {"object": "balance_transaction", "reporting_category": "dispute_reversal",
         "created": _seconds(thing.closed_at), "amount": amount(thing.amount_minor, thing.currency)},
    ]  # fmt: skip
    yield {
        "object": "dispute",
        "id": thing.id,
        "created": _seconds(thing.opened_at),
        "customer": thing.customer,
        "payment_intent": thing.payment,
        "charge": charge_of(thing.payment),
        "status": thing.status,
        "currency": thing.currency.lower(),
        "amount": amount(thing.amount_minor, thing.currency),
        "balance_transactions": returned,
        "reason": "general",
        "metadata": {},
        "livemode": thing.is_live,
    }


def _balance_transaction(thing: BalanceTransaction) -> Iterator[Document]:
    yield {
        "object": "balance_transaction",
        "id": thing.id,
        "created": _seconds(thing.created_at),
        "available_on": _seconds(thing.created_at),
        "type": thing.category,
        "reporting_category": thing.category,
        "source": thing.source,
        "payout": thing.payout,
        "currency": thing.currency.lower(),
        "amount": amount(thing.amount_minor, thing.currency),
        "fee": amount(thing.fee_minor, thing.currency),
        "net": amount(thing.net_minor, thing.currency),
        "status": "available",
        "livemode": thing.is_live,
    }


def _payout(thing: Payout) -> Iterator[Document]:
    yield {
        "object": "payout",
        "id": thing.id,
        "created": _seconds(thing.created_at),
        "arrival_date": _seconds(thing.arrives_at),
        "status": thing.status,
        "currency": thing.currency.lower(),
        "amount": amount(thing.amount_minor, thing.currency),
        "automatic": thing.is_automatic,
        "reconciliation_status": "completed" if thing.is_automatic else "not_applicable",
        "livemode": thing.is_live,
    }


_WRITERS: Mapping[ObjectKind, Callable[[Any], Iterable[Document]]] = {
    ObjectKind.PRICE: _price,
    ObjectKind.CUSTOMER: _customer,
    ObjectKind.SUBSCRIPTION: _subscription,
    ObjectKind.INVOICE: invoice_documents.invoice,
    ObjectKind.PAYMENT: _payment,
    ObjectKind.REFUND: _refund,
    ObjectKind.CREDIT_NOTE: invoice_documents.credit_note,
    ObjectKind.DISPUTE: _dispute,
    ObjectKind.BALANCE_TRANSACTION: _balance_transaction,
    ObjectKind.PAYOUT: _payout,
}
