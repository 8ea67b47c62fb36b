"""Invoices of the invented provider: draft, open, and from there paid, void or uncollectible; and credit notes."""

from collections.abc import Iterable, Mapping
from typing import Any

from console.adapters.fake_stripe import paying, taxing
from console.adapters.fake_stripe.asking import RefusedError, text_of, whole_of
from console.adapters.fake_stripe.book import Document
from console.adapters.fake_stripe.changes import Changes

RETRY_DAYS = (3, 5, 7)
_DAY_S = 86_400


def draft(
    changes: Changes,
    customer: Document,
    lines: Iterable[Document],
    *,
    currency: str,
    subscription: str | None,
    rates: Iterable[Document] = (),
) -> Document:
    """Return a new draft of lines, to which the rates are added."""
    rows = taxing.taxed(lines, rates)
    taxes = taxing.total_taxes(rows)
    subtotal = sum(line["amount"] for line in rows)
    total = subtotal + taxing.added(taxes)
    parent = {"type": "subscription_details", "subscription_details": {"subscription": subscription}}
    made = changes.new(
        "invoice",
        "in",
        number=None,
        customer=customer["id"],
        parent=parent if subscription else None,
        status="draft",
        currency=currency,
        collection_method="charge_automatically",
        total_discount_amounts=[],
        total_taxes=taxes,
        subtotal=subtotal,
        total=total,
        starting_balance=0,
        ending_balance=None,
        amount_due=total,
        amount_paid=0,
        amount_remaining=total,
        amount_paid_off_stripe=None,
        paid_out_of_band=False,
        pre_payment_credit_notes_amount=0,
        post_payment_credit_notes_amount=0,
        due_date=None,
        attempt_count=0,
        next_payment_attempt=None,
        auto_advance=True,
        status_transitions={"finalized_at": None, "paid_at": None, "voided_at": None, "marked_uncollectible_at": None},
    )
    made["lines"] = {"object": "list", "data": rows, "has_more": False, "url": f"/v1/invoices/{made['id']}/lines"}
    return changes.made(made, "invoice.created")


def line(
    changes: Changes, text: str, *, amount: int, price: str | None, quantity: int | None, period: tuple[int, int]
) -> Document:
    """Return a line of an invoice."""
    made = changes.new("line_item", "il", description=text, amount=amount, quantity=quantity, taxes=[])
    each = str(amount // quantity) if quantity else None
    pricing = {"type": "price_details", "price_details": {"price": price}, "unit_amount_decimal": each}
    return {
        **made,
        "pricing": pricing if price else None,
        "period": {"start": period[0], "end": period[1]},
        "parent": {"type": "subscription_item_details", "subscription_item_details": {"proration": False}},
    }


def finalize(changes: Changes, thing: str) -> Document:
    """Make a draft an invoice that is owed; the customer's balance is used first. Raises: RefusedError."""
    invoice = _in(changes, thing, "draft")
    customer = changes.named("customer", invoice["customer"])
    before = customer["balance"]
    applied = max(-before, 0) if before < 0 else -before
    applied = min(applied, invoice["total"]) if applied > 0 or invoice["total"] < 0 else applied
    due = invoice["total"] - applied
    if applied:
        changes.changed(customer, "customer.updated", balance=before + applied)
    number = int(changes.book.setting("number", "0")) + 1
    changes.book.set("number", str(number))
    after = changes.changed(
        invoice,
        "invoice.finalized",
        status="open",
        number=f"FS-{number:06d}",
        starting_balance=before,
        ending_balance=before + applied,
        amount_due=due,
        amount_remaining=due,
        status_transitions={**invoice["status_transitions"], "finalized_at": changes.book.now()},
    )
    return _paid(changes, after, 0) if due == 0 else after


def pay(changes: Changes, thing: str, params: Mapping[str, Any]) -> Document:
    """Let an invoice be paid, by the customer's card or outside. Raises: RefusedError."""
    invoice = _in(changes, thing, "open", "uncollectible")
    owed = invoice["amount_remaining"]
    if params.get("paid_out_of_band") == "true":
        marked = {**invoice, "paid_out_of_band": True, "amount_paid_off_stripe": owed}
        return _paid(changes, marked, owed)
    payment = paying.pay(changes, customer=invoice["customer"], amount=owed, currency=invoice["currency"])
    return _attached(changes, invoice, payment, owed)


def collect(changes: Changes, thing: str) -> Document:
    """Try to collect an open invoice; a declined card is tried again on the days of the schedule."""
    invoice = _in(changes, thing, "open")
    try:
        return pay(changes, thing, {})
    except RefusedError:
        tries = invoice["attempt_count"] + 1
        again = RETRY_DAYS[tries - 1] * _DAY_S if tries <= len(RETRY_DAYS) else None
        following = None if again is None else changes.book.now() + again
        return changes.changed(
            invoice, "invoice.payment_failed", attempt_count=tries, next_payment_attempt=following, attempted=True
        )


def void(changes: Changes, thing: str) -> Document:
    """Take an invoice back. Raises: RefusedError."""
    invoice = _in(changes, thing, "open", "uncollectible")
    passed = {**invoice["status_transitions"], "voided_at": changes.book.now()}
    return changes.changed(
        invoice, "invoice.voided", status="void", status_transitions=passed, next_payment_attempt=None
    )


def mark_uncollectible(changes: Changes, thing: str) -> Document:
    """Give an invoice up. Raises: RefusedError."""
    invoice = _in(changes, thing, "open")
    passed = {**invoice["status_transitions"], "marked_uncollectible_at": changes.book.now()}
    return changes.changed(
        invoice, "invoice.marked_uncollectible", status="uncollectible", status_transitions=passed,
        next_payment_attempt=None,
    )  # fmt: skip


def attach_payment(changes: Changes, thing: str, params: Mapping[str, Any]) -> Document:
    """Let a payment that is there pay an invoice. Raises: RefusedError."""
    invoice = _in(changes, thing, "open", "uncollectible")
    payment = changes.named("payment_intent", text_of(params, "payment_intent"))
    if payment["currency"] != invoice["currency"] or payment.get("customer") != invoice["customer"]:
        raise RefusedError("The payment is of another currency or customer.", code="payment_intent_invalid_parameter")
    given = changes.book.rows(
        "SELECT json_extract(doc, '$.amount_paid'), other FROM object WHERE parent = ? AND type = 'invoice_payment'",
        (payment["id"],),
    )
    if any(other == invoice["id"] for _, other in given):
        raise RefusedError("This payment is already attached to this invoice.", code="payment_intent_unexpected_state")
    charge = changes.named("charge", payment["latest_charge"]) if payment.get("latest_charge") else {}
    free = charge.get("amount_captured", 0) - charge.get("amount_refunded", 0) - sum(int(each) for each, _ in given)
    amount = min(free, invoice["amount_remaining"])
    if amount <= 0:
        raise RefusedError("Nothing of this payment is left.", code="payment_intent_unexpected_state")
    return _attached(changes, invoice, payment, amount)


def credit(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Issue a credit note: what is owed shrinks first, the rest must be said where it goes. Raises: RefusedError."""
    invoice = _in(changes, text_of(params, "invoice"), "open", "paid", "uncollectible")
    amount = whole_of(params, "amount")
    before = min(amount, invoice["amount_remaining"])
    after = amount - before
    parts = {name: whole_of(params, f"{name}_amount", 0) for name in ("refund", "credit", "out_of_band")}
    credited = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    if not 0 < amount <= invoice["total"] - credited:
        raise RefusedError("The credit note is larger than the invoice.", code="amount_too_large")
    if sum(parts.values()) != after:
        message = f"The sum of refund, credit and out of band amounts must equal the post payment amount ({after})."
        raise RefusedError(message, code="parameter_invalid_integer")
    refunds = _refund_of(changes, invoice, parts["refund"])
    note = changes.new(
        "credit_note",
        "cn",
        effective_at=changes.book.now(),
        number=f"{invoice['number']}-CN-{credited // max(amount, 1) + 1:02d}",
        customer=invoice["customer"],
        invoice=invoice["id"],
        status="issued",
        currency=invoice["currency"],
        amount=amount,
        total=amount,
        pre_payment_amount=before,
        post_payment_amount=after,
        refunds=refunds,
        customer_balance_transaction=None,
        out_of_band_amount=parts["out_of_band"] or None,
        reason=params.get("reason"),
    )
    note["metadata"] = changes.labelled({}, params)
    note["customer_balance_transaction"] = _credited(changes, note, parts["credit"])
    changes.made(note, "credit_note.created")
    less = changes.changed(
        invoice,
        "invoice.updated",
        amount_due=invoice["amount_due"] - before,
        amount_remaining=invoice["amount_remaining"] - before,
        pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] + before,
        post_payment_credit_notes_amount=invoice["post_payment_credit_notes_amount"] + after,
    )
    if before and less["amount_remaining"] == 0:
        _paid(changes, less, 0)
    return note


def _refund_of(changes: Changes, invoice: Document, amount: int) -> list[Document]:
    """Send money back through the payments of an invoice, the first that has enough left."""
    if not amount:
        return []
    found = changes.book.rows(
        "SELECT parent FROM object WHERE other = ? AND type = 'invoice_payment' ORDER BY seq", (invoice["id"],)
    )
    if not found:
        raise RefusedError("There is no payment to refund.", code="charge_not_refundable")
    made = paying.refund(changes, {"payment_intent": found[0][0], "amount": str(amount)})
    return [{"amount_refunded": amount, "refund": made["id"], "type": "refund"}]


def _credited(changes: Changes, note: Document, amount: int) -> str | None:
    if not amount:
        return None
    customer = changes.named("customer", note["customer"])
    changes.changed(customer, "customer.updated", balance=customer["balance"] - amount, currency=note["currency"])
    moved = changes.new(
        "customer_balance_transaction", "cbtxn", customer=note["customer"], credit_note=note["id"],
        currency=note["currency"], amount=-amount, type="credit_note",
    )  # fmt: skip
    changes.made(moved, None)
    return str(moved["id"])


def _attached(changes: Changes, invoice: Document, payment: Document, amount: int) -> Document:
    changes.made(
        changes.new(
            "invoice_payment",
            "inpay",
            invoice=invoice["id"],
            currency=invoice["currency"],
            amount_paid=amount,
            amount_requested=amount,
            is_default=True,
            payment={"type": "payment_intent", "payment_intent": payment["id"]},
            status="paid",
        ),
        "invoice_payment.paid",
    )
    return _paid(changes, invoice, amount)


def _paid(changes: Changes, invoice: Document, amount: int) -> Document:
    """Add to what was paid; an invoice of which nothing is left is paid."""
    remaining = invoice["amount_remaining"] - amount
    fields: Document = {"amount_paid": invoice["amount_paid"] + amount, "amount_remaining": remaining}
    fields |= {name: invoice[name] for name in ("paid_out_of_band", "amount_paid_off_stripe")}
    if remaining == 0:
        passed = {**invoice["status_transitions"], "paid_at": changes.book.now()}
        fields |= {"status": "paid", "status_transitions": passed, "next_payment_attempt": None}
    return changes.changed(invoice, "invoice.paid" if remaining == 0 else "invoice.updated", **fields)


def _in(changes: Changes, thing: str, *statuses: str) -> Document:
    invoice = changes.named("invoice", thing)
    if invoice["status"] not in statuses:
        message = f"The invoice is {invoice['status']}; this needs {' or '.join(statuses)}."
        raise RefusedError(message, code="invoice_not_editable")
    return invoice
