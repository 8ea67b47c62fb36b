"""Meters of the invented provider: raw events of use, each counted once, and what a period of them comes to."""

from collections.abc import Mapping
from typing import Any

from console.adapters.fake_stripe.asking import Ask, RefusedError, text_of, whole_of
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.changes import Changes
from console.adapters.fake_stripe.rendering import list_of

METER, EVENT = "billing.meter", "billing.meter_event"
_FORMULAS = ("sum", "count")
_OLDEST_S, _EARLIEST_S = 35 * 86_400, 300
_CUSTOMER = "stripe_customer_id"


def create_meter(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Make a meter for the events of one name. Raises: RefusedError."""
    name = text_of(params, "event_name")
    formula = text_of(_part(params, "default_aggregation"), "formula")
    if formula not in _FORMULAS:
        raise RefusedError(f"Invalid formula: {formula}", code="parameter_unknown")
    if meter_of(changes.book, name) is not None:
        raise RefusedError(f"There is a meter for {name} already.", code="archived_meter_attached")
    made = changes.new(
        METER,
        "mtr",
        display_name=text_of(params, "display_name"),
        event_name=name,
        default_aggregation={"formula": formula},
        customer_mapping={"event_payload_key": _CUSTOMER, "type": "by_id"},
        value_settings={"event_payload_key": "value"},
        status="active",
    )
    return changes.made(made, None)


def record(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Count an event of use; one identifier counts once. Raises: RefusedError."""
    name, payload, now = text_of(params, "event_name"), _part(params, "payload"), changes.book.now()
    meter = meter_of(changes.book, name)
    if meter is None:
        raise RefusedError(f"No active meter found for {name}.", code="no_meter")
    customer = changes.named("customer", text_of(payload, _CUSTOMER))
    at = whole_of(params, "timestamp", now)
    if not now - _OLDEST_S <= at <= now + _EARLIEST_S:
        raise RefusedError("The timestamp is too old or in the future.", code="timestamp_too_far")
    identifier = str(params.get("identifier") or changes.new(EVENT, "mtev")["id"])
    if changes.book.get(EVENT, identifier) is not None:
        raise RefusedError(f"An event already exists with identifier {identifier}.", code="duplicate_meter_event")
    value = whole_of(payload, "value", 1)
    return changes.made(event(meter, customer["id"], identifier, value=value, at=at, created=now), None)


def event(meter: Document, customer: str, identifier: str, *, value: int, at: int, created: int) -> Document:
    """Return an event of use as the book keeps it."""
    return {
        "object": EVENT,
        "id": identifier,
        "created": created,
        "livemode": meter["livemode"],
        "metadata": {},
        "customer": customer,
        "meter": meter["id"],
        "event_name": meter["event_name"],
        "timestamp": at,
        "payload": {_CUSTOMER: customer, "value": str(value)},
        "identifier": identifier,
    }


def used(book: Book, meter: str, customer: str, *, start: int, end: int) -> int:
    """Return what a customer used from a moment up to, and without, another."""
    asked = (
        "SELECT count(*), coalesce(sum(json_extract(doc, '$.payload.value')), 0) FROM object WHERE type = ? "
        "AND customer = ? AND parent = ? AND json_extract(doc, '$.timestamp') >= ? "
        "AND json_extract(doc, '$.timestamp') < ?"
    )
    ((many, total),) = book.rows(asked, (EVENT, customer, meter, start, end))
    found = book.get(METER, meter)
    return int(many if found is not None and found["default_aggregation"]["formula"] == "count" else total)


def summaries(book: Book, meter: str, ask: Ask) -> Document:
    """Return what a customer used of a meter in one stretch of time. Raises: RefusedError."""
    if book.get(METER, meter) is None:
        raise RefusedError(f"No such meter: '{meter}'", status=404, code="resource_missing")
    customer = text_of(ask.params, "customer")
    start, end = whole_of(ask.params, "start_time"), whole_of(ask.params, "end_time")
    total = used(book, meter, customer, start=start, end=end)
    row = {"object": "billing.meter_event_summary", "id": f"mtrusg_{meter}_{start}", "livemode": True, "meter": meter,
           "start_time": start, "end_time": end, "aggregated_value": total}  # fmt: skip
    return list_of(f"/v1/billing/meters/{meter}/event_summaries", [row] if total else [], has_more=False)


def meter_of(book: Book, name: str) -> Document | None:
    """Return the meter of the events of one name."""
    found = book.rows("SELECT id FROM object WHERE type = ? AND parent = ?", (METER, name))
    return book.get(METER, str(found[0][0])) if found else None


def _part(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    given = params.get(name)
    if not isinstance(given, dict):
        raise RefusedError(f"Missing required param: {name}.", code="parameter_missing")
    return given
