"""Canonical invoices and credit notes as Stripe would write them down."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from console.adapters.fake_stripe.book import Document
from console.adapters.stripe.amounts import amount
from console.adapters.stripe.told import FEATURE
from console.domain.billing.objects import CreditNote, Invoice, InvoiceLine


def invoice(thing: Invoice) -> Iterator[Document]:
    """Yield an invoice, and the tax rates that its lines name."""
    currency = thing.currency

    def at_stripe(minor: int) -> int:
        return amount(minor, currency)

    rates = {_rate_id(line): line for line in thing.lines if _is_rated(line)}
    for rate, line in rates.items():
        yield _tax_rate(rate, line)
    created = int(thing.issued_at.timestamp())
    parent = {"type": "subscription_details", "subscription_details": {"subscription": thing.subscription}}
    yield {
        "object": "invoice",
        "id": thing.id,
        "created": created,
        "number": thing.number,
        "customer": thing.customer,
        "parent": parent if thing.subscription else None,
        "status": thing.status,
        "currency": currency.lower(),
        "collection_method": "charge_automatically",
        "lines": {"object": "list", "data": [_line(line, currency) for line in thing.lines], "has_more": False,
                  "url": f"/v1/invoices/{thing.id}/lines"},
        "total_discount_amounts": [{"amount": at_stripe(thing.discount_minor)}] if thing.discount_minor else [],
        "total_taxes": [{"amount": at_stripe(thing.tax_minor), "tax_behavior": "exclusive"}] if thing.tax_minor else [],
        "subtotal": at_stripe(sum(line.amount_minor for line in thing.lines)),
        "total": at_stripe(thing.total_minor),
        "starting_balance": -at_stripe(thing.balance_applied_minor),
        "ending_balance": 0,
        "amount_due": at_stripe(thing.due_minor),
        "amount_paid": at_stripe(thing.paid_minor),
        "amount_remaining": at_stripe(thing.remaining_minor),
        "amount_paid_off_stripe": at_stripe(thing.paid_minor) if thing.is_paid_out_of_band else None,
        "paid_out_of_band": thing.is_paid_out_of_band,
        "pre_payment_credit_notes_amount": 0,
        "post_payment_credit_notes_amount": 0,
        "due_date": _seconds(thing.due_at),
        "status_transitions": {"finalized_at": created, "paid_at": _seconds(thing.paid_at), "voided_at": None,
                               "marked_uncollectible_at": None},
        "attempt_count": thing.attempts,
        "next_payment_attempt": _seconds(thing.next_attempt_at),
        "auto_advance": False,
        "metadata": {},
        "livemode": thing.is_live,
    }  # fmt: skip


def rates_of(thing: Invoice) -> list[Document]:
    """Return the rates of an invoice that say how much they are."""
    rates = {_rate_id(line): line for line in thing.lines if line.tax_basis_points is not None}
    return [_tax_rate(rate, line) for rate, line in rates.items()]


def credit_note(thing: CreditNote) -> Iterator[Document]:
    """Yield a credit note, with the movement of the customer's balance where it made one."""
    currency = thing.currency
    created = int(thing.issued_at.timestamp())
    balance = f"cbtxn_{thing.id}" if thing.credited_minor else None
    if balance is not None:
        yield {
            "object": "customer_balance_transaction",
            "id": balance,
            "created": created,
            "customer": thing.customer,
            "credit_note": thing.id,
            "currency": currency.lower(),
            "amount": -amount(thing.credited_minor, currency),
            "type": "credit_note",
            "livemode": thing.is_live,
        }
    refunded = amount(thing.refunded_minor, currency)
    yield {
        "object": "credit_note",
        "id": thing.id,
        "created": created,
        "effective_at": created,
        "number": thing.number,
        "customer": thing.customer,
        "invoice": thing.invoice,
        "status": thing.status,
        "currency": currency.lower(),
        "amount": amount(thing.total_minor, currency),
        "total": amount(thing.total_minor, currency),
        "pre_payment_amount": amount(thing.pre_payment_minor, currency),
        "post_payment_amount": amount(thing.post_payment_minor, currency),
        "refunds": [{"amount_refunded": refunded, "refund": f"re_{thing.id}", "type": "refund"}] if refunded else [],
        "customer_balance_transaction": balance,
        "out_of_band_amount": amount(thing.out_of_band_minor, currency) or None,
        "reason": thing.reason,
        "metadata": {},
        "livemode": thing.is_live,
    }


def _line(line: InvoiceLine, currency: str) -> dict[str, Any]:
    details = {"proration": line.is_proration, "subscription_item": None}
    pricing = {
        "type": "price_details",
        "price_details": None if line.price is None else {"price": line.price},
        "unit_amount_decimal": None if line.unit_minor is None else str(amount(line.unit_minor, currency)),
    }
    tax = {
        "amount": amount(line.tax_minor, currency),
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": _rate_id(line)} if _is_rated(line) else None,
    }
    return {
        "object": "line_item",
        "id": line.id,
        "description": line.text or None,
        "amount": amount(line.amount_minor, currency),
        "currency": currency.lower(),
        "quantity": line.quantity,
        "pricing": pricing if line.price is not None or line.unit_minor is not None else None,
        "period": {"start": int(line.period_from.timestamp()), "end": int(line.period_until.timestamp())},
        "parent": {"type": "subscription_item_details", "subscription_item_details": details},
        "taxes": [tax] if line.tax_minor or _is_rated(line) else [],
        "metadata": {} if line.feature is None else {FEATURE: line.feature},
    }


def _is_rated(line: InvoiceLine) -> bool:
    """Return whether a line names a rate; one without a percentage still says where it is taxed."""
    return line.tax_basis_points is not None or line.jurisdiction is not None


def _rate_id(line: InvoiceLine) -> str:
    return _rate_of(line.jurisdiction, line.tax_basis_points)


@lru_cache(maxsize=1_024)  # there are as many as countries have rates
def _rate_of(jurisdiction: str | None, basis_points: int | None) -> str:
    return f"txr_{sha256(f'{jurisdiction}/{basis_points}'.encode()).hexdigest()[:20]}"


def _tax_rate(rate: str, line: InvoiceLine) -> Document:
    return {
        "object": "tax_rate",
        "id": rate,
        "created": 0,
        "active": True,
        "percentage": None if line.tax_basis_points is None else line.tax_basis_points / 100,
        "jurisdiction": line.jurisdiction,
        "inclusive": False,
        "metadata": {},
    }


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
