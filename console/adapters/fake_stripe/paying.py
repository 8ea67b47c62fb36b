"""Payments, refunds, disputes and payouts of the invented provider."""

from collections.abc import Mapping
from typing import Any

from console.adapters.fake_stripe.asking import RefusedError, text_of, whole_of
from console.adapters.fake_stripe.book import Document
from console.adapters.fake_stripe.changes import Changes, disputed_amount

_FEE_PARTS, _FEE_FIXED = 29, 30  # 2.9 % and thirty minor units


def pay(changes: Changes, *, customer: str | None, amount: int, currency: str, **labels: str) -> Document:
    """Return a payment that succeeded. Raises: RefusedError, 402, where the customer's card declines."""
    payment = changes.new(
        "payment_intent",
        "pi",
        customer=customer,
        currency=currency,
        amount=amount,
        amount_received=0,
        latest_charge=None,
        status="requires_payment_method",
    )
    payment["metadata"] = dict(labels)
    if declines(changes, customer):
        changes.made(payment, "payment_intent.payment_failed")
        raise RefusedError("Your card was declined.", status=402, kind="card_error", code="card_declined")
    charge = changes.new(
        "charge",
        "ch",
        customer=customer,
        payment_intent=payment["id"],
        currency=currency,
        amount=amount,
        amount_captured=amount,
        amount_refunded=0,
        captured=True,
        paid=True,
        refunded=False,
        disputed=False,
        status="succeeded",
    )
    changes.made(charge, "charge.succeeded")
    changes.balance("charge", charge, amount, fee=amount * _FEE_PARTS // 1000 + _FEE_FIXED)
    paid = {**payment, "status": "succeeded", "amount_received": amount, "latest_charge": charge["id"]}
    return changes.made(paid, "payment_intent.succeeded")


def declines(changes: Changes, customer: str | None) -> bool:
    """Return whether a customer's card declines: its metadata says `card = declines`."""
    found = None if customer is None else changes.book.get("customer", customer)
    labels: Document = (found or {}).get("metadata", {})
    return bool(labels.get("card") == "declines")


def refund(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Send money back, never more than is left. Raises: RefusedError."""
    payment, charge = _charged(changes, params)
    disputed = disputed_amount(changes.book, payment["id"])
    left = charge["amount_captured"] - charge["amount_refunded"] - disputed
    amount = whole_of(params, "amount", max(left, 0))
    if disputed and amount > left:
        raise RefusedError(f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                           code="charge_disputed")  # fmt: skip
    if left <= 0:
        raise RefusedError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if not 0 < amount <= left:
        raise RefusedError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", code="amount_too_large"
        )
    made = changes.new(
        "refund",
        "re",
        customer=payment.get("customer"),
        payment_intent=payment["id"],
        charge=charge["id"],
        currency=charge["currency"],
        amount=amount,
        reason=params.get("reason"),
        status="succeeded",
    )
    made["metadata"] = changes.labelled({}, params)
    changes.made(made, "refund.created")
    returned = charge["amount_refunded"] + amount
    changes.changed(charge, "charge.refunded", amount_refunded=returned, refunded=returned == charge["amount_captured"])
    changes.balance("refund", made, -amount)
    return made


def _charged(changes: Changes, params: Mapping[str, Any]) -> tuple[Document, Document]:
    if "payment_intent" in params:
        payment = changes.named("payment_intent", text_of(params, "payment_intent"))
        if not payment.get("latest_charge"):
            message = f"This PaymentIntent ({payment['id']}) does not have a successful charge to refund."
            raise RefusedError(message, code="payment_intent_unexpected_state")
        return payment, changes.named("charge", payment["latest_charge"])
    charge = changes.named("charge", text_of(params, "charge"))
    return changes.named("payment_intent", charge["payment_intent"]), charge


def open_dispute(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Let the customer's bank take a payment back. Raises: RefusedError."""
    payment, charge = _charged(changes, params)
    dispute = changes.new(
        "dispute",
        "du",
        customer=payment.get("customer"),
        payment_intent=payment["id"],
        charge=charge["id"],
        currency=charge["currency"],
        amount=whole_of(params, "amount", charge["amount_captured"] - charge["amount_refunded"]),
        balance_transactions=[],
        reason="general",
        status="needs_response",
    )
    changes.changed(charge, "charge.updated", disputed=True)
    changes.balance("dispute", dispute, -dispute["amount"])
    return changes.made(dispute, "charge.dispute.created")


def close_dispute(changes: Changes, thing: str, *, is_won: bool) -> Document:
    """Let a dispute end. Raises: RefusedError."""
    dispute = changes.named("dispute", thing)
    if dispute["status"] in {"won", "lost"}:
        raise RefusedError("This dispute is already closed.", code="dispute_already_closed")
    rows = list(dispute["balance_transactions"])
    if is_won:
        back = {"object": "balance_transaction", "reporting_category": "dispute_reversal",
                "created": changes.book.now(), "amount": dispute["amount"]}  # fmt: skip
        rows.append(back)
        changes.balance("dispute_reversal", dispute, dispute["amount"])
    return changes.changed(
        dispute, "charge.dispute.closed", status="won" if is_won else "lost", balance_transactions=rows
    )


def pay_out(changes: Changes, *, older_than_s: int = 0) -> list[Document]:
    """Send what is available to our bank, one automatic payout for each currency."""
    now = changes.book.now()
    asked = (
        "SELECT id, json_extract(doc, '$.currency'), json_extract(doc, '$.net') FROM object "
        "WHERE type = 'balance_transaction' AND parent IS NULL AND created <= ?"
    )
    by_currency: dict[str, list[tuple[str, int]]] = {}
    for thing, currency, net in changes.book.rows(asked, (now - older_than_s,)):
        by_currency.setdefault(currency, []).append((thing, int(net)))
    made = []
    for currency, rows in sorted(by_currency.items()):
        total = sum(net for _, net in rows)
        if total <= 0:
            continue
        payout = changes.new(
            "payout",
            "po",
            currency=currency,
            amount=total,
            automatic=True,
            arrival_date=now + 86_400,
            reconciliation_status="completed",
            status="in_transit",
        )
        for thing, _ in rows:
            row = changes.named("balance_transaction", thing)
            changes.book.put({**row, "payout": payout["id"], "status": "available"})
        own = changes.new("balance_transaction", "txn", type="payout", reporting_category="payout",
                          source=payout["id"], payout=payout["id"], currency=currency, amount=-total, fee=0,
                          net=-total, status="available", available_on=now)  # fmt: skip
        changes.book.put(own)
        made.append(changes.made(payout, "payout.created"))
    return made
