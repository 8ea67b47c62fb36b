"""Money that moved in canonical form: payments, refunds, disputes, balance transactions, payouts."""

from console.adapters.stripe.amounts import minor
from console.adapters.stripe.reading import (
    Document,
    MalformedError,
    moment,
    moment_or_none,
    part,
    reference,
    rows,
    text,
    text_or_none,
    whole,
    whole_or_none,
)
from console.adapters.stripe.told import Told, currency_of, is_live
from console.domain.billing.objects import BalanceTransaction, Dispute, Payment, Payout, Refund


def payment(document: Document, told: Told) -> Payment:
    """Return a payment intent with what its charge took. Raises: MalformedError; OutsideError."""
    currency = currency_of(document)
    charge = part(document, "latest_charge")
    identity = text(document, "id")
    return Payment(
        id=identity,
        customer=reference(document.get("customer")),
        status=text(document, "status"),
        currency=currency,
        amount_minor=minor(whole(document, "amount"), currency),
        captured_minor=minor(whole_or_none(charge, "amount_captured") or 0, currency),
        refunded_minor=minor(whole_or_none(charge, "amount_refunded") or 0, currency),
        allocations=told.allocations(identity),
        paid_at=moment_or_none(charge, "created") if charge.get("paid") is True else None,
        created_at=moment(document, "created"),
        is_live=is_live(document, told),
    )


def refund(document: Document, told: Told) -> Refund:
    """Return a refund. Raises: MalformedError."""
    currency = currency_of(document)
    return Refund(
        id=text(document, "id"),
        payment=_payment_of(document),
        customer=_customer_of(document),
        status=text(document, "status"),
        currency=currency,
        amount_minor=minor(whole(document, "amount"), currency),
        reason=text_or_none(document, "reason"),
        created_at=moment(document, "created"),
        is_live=is_live(_or_charge(document), told),
    )


def dispute(document: Document, told: Told) -> Dispute:
    """Return a dispute. Stripe tells when it closed only where money came back. Raises: MalformedError."""
    currency = currency_of(document)
    returned = [
        moment(each, "created")
        for each in rows(document, "balance_transactions")
        if each.get("reporting_category") == "dispute_reversal"
    ]
    return Dispute(
        id=text(document, "id"),
        payment=_payment_of(document),
        customer=_customer_of(document),
        status=text(document, "status"),
        currency=currency,
        amount_minor=minor(whole(document, "amount"), currency),
        opened_at=moment(document, "created"),
        closed_at=max(returned, default=None),
        is_live=is_live(document, told),
    )


def balance_transaction(document: Document, told: Told) -> BalanceTransaction:
    """Return a movement of our balance; `reporting_category` is the word that accounting uses. Raises: as payment."""
    currency = currency_of(document)
    identity = text(document, "id")
    return BalanceTransaction(
        id=identity,
        category=text(document, "reporting_category"),
        source=reference(document.get("source")),
        payout=told.payout_of(identity),
        currency=currency,
        amount_minor=minor(whole(document, "amount"), currency),
        fee_minor=minor(whole(document, "fee"), currency),
        net_minor=minor(whole(document, "net"), currency),
        created_at=moment(document, "created"),
        is_live=is_live(document, told),
    )


def payout(document: Document, told: Told) -> Payout:
    """Return a payout. Raises: MalformedError."""
    currency = currency_of(document)
    return Payout(
        id=text(document, "id"),
        status=text(document, "status"),
        currency=currency,
        amount_minor=minor(whole(document, "amount"), currency),
        is_automatic=document.get("automatic") is True,
        created_at=moment(document, "created"),
        arrives_at=moment(document, "arrival_date"),
        is_live=is_live(document, told),
    )


def _payment_of(document: Document) -> str:
    """Return the payment intent; a charge from before there were such is a payment of its own."""
    found = reference(document.get("payment_intent")) or reference(document.get("charge"))
    if found is None:
        raise MalformedError("payment_intent is missing.")
    return found


def _customer_of(document: Document) -> str | None:
    """Return the customer: newer versions name it, older ones only through the charge."""
    return reference(document.get("customer")) or reference(part(document, "charge").get("customer"))


def _or_charge(document: Document) -> Document:
    return document if "livemode" in document else part(document, "charge")
