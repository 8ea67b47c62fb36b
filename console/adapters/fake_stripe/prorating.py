"""Changes in the middle of a period at the invented provider: what was not used comes back, the rest is paid for."""

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from console.adapters.fake_stripe import invoicing
from console.adapters.fake_stripe.asking import RefusedError
from console.adapters.fake_stripe.book import Document
from console.adapters.fake_stripe.changes import Changes

NONE, LATER, AT_ONCE = "none", "create_prorations", "always_invoice"


def behaviour_of(params: Mapping[str, Any]) -> str:
    """Return what becomes of a change in the middle of a period. Raises: RefusedError."""
    wanted = str(params.get("proration_behavior", LATER))
    if wanted not in {NONE, LATER, AT_ONCE}:
        raise RefusedError(f"Invalid proration_behavior: {wanted}", code="parameter_unknown")
    return wanted


def prorate(changes: Changes, subscription: Document, before: Document, after: Document) -> None:
    """Keep two invoice items for a changed subscription item; they wait for the next invoice. Raises: RefusedError."""
    old, new = _price(changes, before), _price(changes, after)
    if old["id"] == new["id"] and before.get("quantity") == after.get("quantity"):
        return
    if old["recurring"] != new["recurring"]:
        raise RefusedError("A subscription that changes its interval is not known here.", code="parameter_invalid")
    if old["recurring"].get("usage_type") == "metered":
        return
    for item, price, sign, said in ((before, old, -1, "Unused time on"), (after, new, 1, "Remaining time on")):
        _keep(changes, subscription, item, price, sign=sign, said=said)


def waiting_lines(changes: Changes, subscription: str) -> list[Document]:
    """Return the lines of what waits for a subscription's next invoice."""
    asked = "SELECT doc FROM object WHERE type = 'invoiceitem' AND parent = ? AND other IS NULL ORDER BY seq"
    return [_line(changes, json.loads(doc)) for (doc,) in changes.book.rows(asked, (subscription,))]


def bill(changes: Changes, invoice: Document) -> None:
    """Note that an invoice has what waited."""
    for line in invoice["lines"]["data"]:
        details = line["parent"].get("invoice_item_details")
        if details is not None:
            changes.changed(changes.named("invoiceitem", details["invoice_item"]), None, invoice=invoice["id"])


def _keep(changes: Changes, subscription: Document, item: Document, price: Document, *, sign: int, said: str) -> None:
    start, end, now = item["current_period_start"], item["current_period_end"], changes.book.now()
    quantity, unit = item.get("quantity") or 0, price.get("unit_amount") or 0
    share = Decimal(unit * quantity * max(end - now, 0)) / (end - start)
    made = changes.new(
        "invoiceitem",
        "ii",
        customer=subscription["customer"],
        subscription=subscription["id"],
        invoice=None,
        date=now,
        currency=subscription["currency"],
        amount=sign * int(share.quantize(Decimal(1), rounding=ROUND_HALF_UP)),
        quantity=quantity,
        description=f"{said} {quantity} x {price['id']}",
        proration=True,
        period={"start": now, "end": end},
        pricing={"type": "price_details", "price_details": {"price": price["id"]}, "unit_amount_decimal": str(unit)},
        parent={
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "subscription_item": item["id"]},
        },
    )
    changes.made(made, None)  # Stripe tells of it only where somebody subscribed to that


def _line(changes: Changes, item: Document) -> Document:
    period = (item["period"]["start"], item["period"]["end"])
    made = invoicing.line(
        changes, item["description"], amount=item["amount"], price=item["pricing"]["price_details"]["price"],
        quantity=item["quantity"], period=period,
    )  # fmt: skip
    details = {"invoice_item": item["id"], "proration": True, "subscription": item["subscription"]}
    return {
        **made,
        "pricing": item["pricing"],
        "parent": {"type": "invoice_item_details", "invoice_item_details": details},
    }


def _price(changes: Changes, item: Document) -> Document:
    """Return an item's price as it is now; a loaded item only names it."""
    return changes.book.get("price", item["price"]["id"]) or item["price"]
