"""Subscriptions of the invented provider, and what its clock does to them: they renew, fail to pay, and end."""

import calendar
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from console.adapters.fake_stripe import entitling, invoicing, metering, paying, prorating, taxing
from console.adapters.fake_stripe.asking import RefusedError, text_of, whole_of
from console.adapters.fake_stripe.book import Document
from console.adapters.fake_stripe.changes import Changes

FINALIZES_AFTER_S = 3_600
GIVES_UP_AFTER_S = 23 * 3_600
_DAY_S = 86_400


def subscribe(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Begin a subscription; without a trial its first invoice is paid at once. Raises: RefusedError."""
    customer = changes.named("customer", text_of(params, "customer"))
    now = changes.book.now()
    given = params.get("items")
    wanted: list[Document] = given if isinstance(given, list) else []
    prices = [changes.named("price", text_of(each, "price")) for each in wanted]
    if not prices or any(price["recurring"] is None for price in prices):
        raise RefusedError("A subscription needs items with recurring prices.", code="parameter_missing")
    trial_days = whole_of(params, "trial_period_days", 0)
    until = now + trial_days * _DAY_S if trial_days else after_interval(now, prices[0]["recurring"], anchor=now)
    made = changes.new(
        "subscription",
        "sub",
        customer=customer["id"],
        status="trialing" if trial_days else "incomplete",
        currency=prices[0]["currency"],
        collection_method="charge_automatically",
        start_date=now,
        billing_cycle_anchor=until if trial_days else now,
        trial_end=until if trial_days else None,
        cancel_at_period_end=False,
        canceled_at=None,
        ended_at=None,
        default_tax_rates=taxing.rates_of(changes, params),
    )
    made["metadata"] = changes.labelled({}, params)
    rows = [_item(changes, made["id"], price, each, (now, until)) for price, each in zip(prices, wanted, strict=True)]
    made["items"] = {"object": "list", "data": rows, "has_more": False, "url": "/v1/subscription_items"}
    had = entitling.active(changes.book, customer["id"])
    changes.made(made, "customer.subscription.created")
    entitling.tell(changes, customer["id"], had)
    if customer["currency"] is None:
        changes.changed(customer, None, currency=made["currency"])
    if trial_days:
        return made
    invoice = invoicing.finalize(changes, _invoice(changes, made)["id"])
    if invoice["status"] == "open" and paying.declines(changes, customer["id"]):
        changes.changed(invoice, "invoice.payment_failed", attempt_count=1, attempted=True)
        return made
    if invoice["status"] == "open":
        invoicing.pay(changes, invoice["id"], {})
    return entitling.changed(changes, made, "customer.subscription.updated", status="active")


def update(changes: Changes, thing: str, params: Mapping[str, Any]) -> Document:
    """Change metadata, rates, items, or whether it ends with the period; changed items are prorated.

    Raises: RefusedError.
    """
    before = changes.named("subscription", thing)
    behaviour = prorating.behaviour_of(params)
    fields: Document = {"metadata": changes.labelled(before, params)}
    if "default_tax_rates" in params:
        fields["default_tax_rates"] = taxing.rates_of(changes, params)
    if "cancel_at_period_end" in params:
        fields["cancel_at_period_end"] = params["cancel_at_period_end"] == "true"
    wanted = params.get("items")
    if isinstance(wanted, list):
        given = {text_of(each, "id"): each for each in wanted}
        rows = [_changed_item(changes, row, given.get(row["id"], {})) for row in before["items"]["data"]]
        fields["items"] = {**before["items"], "data": rows}
    if before["status"] == "canceled" and set(params) - {"metadata", "expand"}:
        raise RefusedError("A canceled subscription can only update its metadata.", code="resource_missing")
    if "items" in fields and behaviour != prorating.NONE and before["status"] in {"active", "past_due"}:
        for old, new in zip(before["items"]["data"], fields["items"]["data"], strict=True):
            prorating.prorate(changes, before, old, new)
    after = entitling.changed(changes, before, "customer.subscription.updated", **fields)
    if behaviour == prorating.AT_ONCE and (waiting := prorating.waiting_lines(changes, thing)):
        invoicing.collect(changes, invoicing.finalize(changes, _drafted(changes, after, waiting)["id"])["id"])
    return after


def cancel(changes: Changes, thing: str) -> Document:
    """End a subscription now. Raises: RefusedError, 404, where it has ended already."""
    before = changes.named("subscription", thing)
    if before["status"] in {"canceled", "incomplete_expired"}:
        raise RefusedError(f"No such subscription: '{thing}'", status=404, code="resource_missing")
    return _ended(changes, before)


def renew(changes: Changes, thing: str) -> Document | None:
    """Begin the next period with a draft invoice, or end what was to end; return the draft."""
    before = changes.named("subscription", thing)
    if before["status"] not in {"active", "trialing", "past_due"}:
        return None
    if before["cancel_at_period_end"]:
        _ended(changes, before)
        return None
    rows = [_next(item, changes, anchor=before.get("billing_cycle_anchor")) for item in before["items"]["data"]]
    after = entitling.changed(
        changes,
        before,
        "customer.subscription.updated",
        status="past_due" if before["status"] == "past_due" else "active",
        items={**before["items"], "data": rows},
    )
    return _invoice(changes, after, before=before)


def follow(changes: Changes, invoice: Document) -> None:
    """Let the subscription follow what became of its invoice: past due, active again, or given up."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    subscription = changes.book.get("subscription", str(details.get("subscription")))
    if subscription is None or subscription["status"] in {"canceled", "incomplete_expired"}:
        return
    if invoice["status"] == "paid" and subscription["status"] in {"past_due", "unpaid", "incomplete"}:
        entitling.changed(changes, subscription, "customer.subscription.updated", status="active")
    elif invoice["status"] == "open" and invoice["attempt_count"] > len(invoicing.RETRY_DAYS):
        _ended(changes, subscription)
    elif invoice["status"] == "open" and invoice["attempt_count"] and subscription["status"] == "active":
        entitling.changed(changes, subscription, "customer.subscription.updated", status="past_due")


def expire(changes: Changes, thing: str) -> None:
    """Give up a subscription that was never paid."""
    before = changes.named("subscription", thing)
    if before["status"] == "incomplete":
        entitling.changed(
            changes, before, "customer.subscription.updated", status="incomplete_expired", ended_at=changes.book.now()
        )


def period_end(subscription: Document) -> int | None:
    """Return when the present period ends."""
    ends = [each["current_period_end"] for each in subscription["items"]["data"] if "current_period_end" in each]
    return min(ends, default=None)


def after_interval(at: int, recurring: Mapping[str, Any], *, anchor: int) -> int:
    """Return the moment one interval later: on the day of the anchor, or the last of a month that has no such day."""
    count, interval = int(recurring.get("interval_count") or 1), recurring.get("interval")
    if interval in {"day", "week"}:
        return at + count * (7 if interval == "week" else 1) * _DAY_S
    moment = datetime.fromtimestamp(at, tz=UTC)
    months = moment.year * 12 + moment.month - 1 + count * (12 if interval == "year" else 1)
    year, month = months // 12, months % 12 + 1
    wanted = datetime.fromtimestamp(anchor, tz=UTC).day
    day = min(wanted, calendar.monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


def _ended(changes: Changes, before: Document) -> Document:
    now = changes.book.now()
    ended = {"status": "canceled", "canceled_at": now, "ended_at": now, "cancel_at_period_end": False}
    return entitling.changed(changes, before, "customer.subscription.deleted", **ended)


def _item(
    changes: Changes, subscription: str, price: Document, given: Mapping[str, Any], period: tuple[int, int]
) -> Document:
    made = changes.new("subscription_item", "si", subscription=subscription, price=price)
    if price["recurring"].get("usage_type") != "metered":
        made["quantity"] = whole_of(given, "quantity", 1)
    return {**made, "current_period_start": period[0], "current_period_end": period[1]}


def _changed_item(changes: Changes, row: Document, given: Mapping[str, Any]) -> Document:
    price = changes.named("price", text_of(given, "price")) if "price" in given else row["price"]
    quantity = {"quantity": whole_of(given, "quantity")} if "quantity" in given else {}
    return {**row, "price": price, **quantity}


def _next(item: Document, changes: Changes, *, anchor: int | None) -> Document:
    begin = item["current_period_end"]
    price = _price(changes, item)
    recurring = price.get("recurring") or {"interval": "month"}
    until = after_interval(begin, recurring, anchor=begin if anchor is None else anchor)
    return {**item, "current_period_start": begin, "current_period_end": until}


def _price(changes: Changes, item: Document) -> Document:
    """Return an item's price as it is now; a loaded item only names it."""
    return changes.book.get("price", item["price"]["id"]) or item["price"]


def _invoice(changes: Changes, subscription: Document, *, before: Document | None = None) -> Document:
    """Return the draft for the present period of a subscription, with what waited for it.

    Shape: what is metered is billed when its period is over; `before` is the subscription in that period.
    """
    lines = prorating.waiting_lines(changes, subscription["id"])
    earlier = {} if before is None else {item["id"]: item for item in before["items"]["data"]}
    for item in subscription["items"]["data"]:
        price = _price(changes, item)
        of = earlier.get(item["id"], item)
        quantity, period = item.get("quantity"), (item["current_period_start"], item["current_period_end"])
        meter = (price.get("recurring") or {}).get("meter")
        if meter and before is not None:
            period = (of["current_period_start"], of["current_period_end"])
            quantity = metering.used(changes.book, meter, subscription["customer"], start=period[0], end=period[1])
        amount = (quantity or 0) * (price.get("unit_amount") or 0)
        said = "Use" if quantity is None else str(quantity)
        lines.append(
            invoicing.line(
                changes, f"{said} of {price['id']}", amount=amount, price=price["id"], quantity=quantity, period=period
            )
        )
    return _drafted(changes, subscription, lines)


def _drafted(changes: Changes, subscription: Document, lines: list[Document]) -> Document:
    made = invoicing.draft(
        changes,
        changes.named("customer", subscription["customer"]),
        lines,
        currency=subscription["currency"],
        subscription=subscription["id"],
        rates=subscription.get("default_tax_rates", ()),
    )
    prorating.bill(changes, made)
    return made
