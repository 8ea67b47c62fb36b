"""Lists of the invented provider: newest first, cursors both ways, and the filters that Stripe has."""

from collections.abc import Mapping
from typing import Any

from console.adapters.fake_stripe.asking import Ask, RefusedError, whole_of
from console.adapters.fake_stripe.book import Book, Document, Wanted
from console.adapters.fake_stripe.rendering import Renderer, list_of

# Path, then the type of its documents.
TYPES: Mapping[str, str] = {
    "products": "product",
    "prices": "price",
    "customers": "customer",
    "subscriptions": "subscription",
    "subscription_items": "subscription_item",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "charges": "charge",
    "payment_intents": "payment_intent",
    "refunds": "refund",
    "credit_notes": "credit_note",
    "disputes": "dispute",
    "balance_transactions": "balance_transaction",
    "payouts": "payout",
    "events": "event",
    "tax_rates": "tax_rate",
    "invoiceitems": "invoiceitem",
    "entitlements/features": "entitlements.feature",
}
# Filter, then the column of the book.
_FILTERS: Mapping[str, Mapping[str, str]] = {
    "prices": {"product": "other"},
    "subscriptions": {"customer": "customer"},
    "invoices": {"customer": "customer", "subscription": "parent", "status": "status"},
    "invoice_payments": {"invoice": "other", "status": "status"},
    "charges": {"customer": "customer", "payment_intent": "parent"},
    "payment_intents": {"customer": "customer"},
    "refunds": {"payment_intent": "parent", "charge": "other"},
    "credit_notes": {"customer": "customer", "invoice": "parent"},
    "disputes": {"payment_intent": "parent", "charge": "other"},
    "balance_transactions": {"payout": "parent", "source": "other"},
    "payouts": {"status": "status"},
    "events": {"type": "parent"},
    "invoiceitems": {"customer": "customer", "invoice": "other"},
    "entitlements/features": {"lookup_key": "parent"},
}
_USUAL = {"limit", "starting_after", "ending_before", "created", "expand"}
_BESIDE: Mapping[str, frozenset[str]] = {
    "subscriptions": frozenset({"status"}),
    "invoice_payments": frozenset({"payment"}),
    "events": frozenset({"types", "delivery_success"}),
}
_BOUNDS = ("gt", "gte", "lt", "lte")


def page_of(book: Book, ask: Ask, renderer: Renderer) -> Document:
    """Return one page of a list. Raises: RefusedError."""
    path = "/".join(ask.path)
    known = _USUAL | _FILTERS.get(path, {}).keys() | _BESIDE.get(path, frozenset())
    for name in ask.params:
        if name not in known:
            raise RefusedError(f"Received unknown parameter: {name}", code="parameter_unknown")
    limit = whole_of(ask.params, "limit", 10)
    if not 1 <= limit <= 100:
        raise RefusedError("Limit must be between 1 and 100.", code="parameter_invalid_integer")
    found = book.listed(_wanted(book, ask, limit=limit + 1))
    has_more = len(found) > limit
    backwards = "ending_before" in ask.params
    rows = found[-limit:] if backwards else found[:limit]
    expand = [path.removeprefix("data.") for path in _texts(ask.params.get("expand"))]
    return list_of(f"/v1/{path}", [renderer.shown(each, expand) for each in rows], has_more=has_more)


def inner_page(url: str, rows: list[Document], ask: Ask) -> Document:
    """Return one page of a list that stands inside a document. Raises: RefusedError."""
    limit, after = whole_of(ask.params, "limit", 10), ask.params.get("starting_after")
    places = [number for number, each in enumerate(rows, start=1) if each["id"] == after]
    if after is not None and not places:
        raise _unknown_cursor("line item", str(after))
    begin = places[0] if places else 0
    return list_of(url, rows[begin : begin + limit], has_more=len(rows) > begin + limit)


def _wanted(book: Book, ask: Ask, *, limit: int) -> Wanted:
    path, params = "/".join(ask.path), ask.params
    equal = {column: str(params[name]) for name, column in _FILTERS.get(path, {}).items() if name in params}
    without = None
    if path == "subscriptions" and params.get("status") != "all":
        if "status" in params:
            equal["status"] = str(params["status"])
        else:
            without = "canceled"
    if path == "invoice_payments" and "payment" in params:
        equal["parent"] = str(params["payment"].get("payment_intent"))
    if path == "events" and "delivery_success" in params:
        equal["status"] = "delivered" if params["delivery_success"] == "true" else "pending"
    return Wanted(
        type=TYPES[path],
        equal=equal,
        created=_created(params.get("created")),
        limit=limit,
        after=_place(book, path, params.get("starting_after")),
        before=_place(book, path, params.get("ending_before")),
        without_status=without,
        types=tuple(_texts(params.get("types"))),
    )


def _created(value: Any) -> dict[str, int]:  # noqa: ANN401  whatever was sent
    if value is None:
        return {}
    if isinstance(value, dict):
        if set(value) - set(_BOUNDS):
            raise RefusedError("Invalid created.", code="parameter_unknown")
        return {name: whole_of(value, name) for name in value}
    at = whole_of({"created": value}, "created")
    return {"gte": at, "lte": at}


def _place(book: Book, path: str, cursor: object) -> tuple[int, int] | None:
    if cursor is None:
        return None
    place = book.place(TYPES[path], str(cursor))
    if place is None:
        raise _unknown_cursor(TYPES[path], str(cursor))
    return place


def _unknown_cursor(kind: str, cursor: str) -> RefusedError:
    return RefusedError(f"No such {kind}: '{cursor}'", code="resource_missing")


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
