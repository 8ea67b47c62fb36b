"""How documents are shown: in the version that was asked for, long lists cut, and expanded where that was wished."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console.adapters.fake_stripe.asking import RefusedError
from console.adapters.fake_stripe.book import Book, Document

NEWEST = "2026-10-28.endive"
_MOVED = "2025-03-31"  # since then periods stand on items, and what an invoice came from under `parent`
_INNER = 10  # rows of a list inside a document
_DEEPEST = 4
# What Stripe does not tell of a kind, though the book needs it to find the document.
_UNTOLD: Mapping[str, tuple[str, ...]] = {
    "dispute": ("customer",), "balance_transaction": ("payout",), "invoiceitem": ("subscription",),
    "billing.meter_event": ("id", "customer", "meter", "metadata"), "billing.meter": ("metadata",),
    "entitlements.feature": ("created",),
}  # fmt: skip
_TYPES: Mapping[str, str] = {"latest_charge": "charge", "default_price": "price"}


class Renderer:
    """Shows documents of a book in one API version."""

    def __init__(self, book: Book, version: str) -> None:
        self._book = book
        self._is_old = version[:10] < _MOVED

    def shown(self, document: Document, expand: Sequence[str] = ()) -> Document:
        """Return a document as it is sent. Raises: RefusedError for what cannot be expanded."""
        told = self._told(document)
        for path in expand:
            names = path.split(".")
            if len(names) > _DEEPEST:
                raise RefusedError("You cannot expand more than 4 levels.", code="property_expansion_max_depth")
            self._expand(told, names)
        return told

    def _told(self, document: Document) -> Document:
        kind = str(document.get("object"))
        told = {name: value for name, value in document.items() if name not in _UNTOLD.get(kind, ())}
        for name in ("lines", "items"):
            if isinstance(told.get(name), dict):
                told[name] = _cut(told[name])
        shape = (_OLD if self._is_old else _NEW).get(kind)
        return told if shape is None else shape(told)

    def _expand(self, document: Document, names: list[str]) -> None:
        name, *rest = names
        value = document.get(name)
        if isinstance(value, str):
            found = self._book.get(_TYPES.get(name, name), value)
            if found is not None:
                document[name] = self._told(found)
        elif value is None and name not in document:
            raise RefusedError(f"This property cannot be expanded ({name}).", code="property_expansion_invalid")
        inner = document.get(name)
        for each in inner if isinstance(inner, list) else [inner]:
            if rest and isinstance(each, dict):
                self._expand(each, rest)


def _cut(inner: Document) -> Document:
    rows = inner.get("data", [])
    return {**inner, "data": rows[:_INNER], "has_more": len(rows) > _INNER}


def _new_invoice(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "paid_out_of_band"}


def _old_subscription(document: Document) -> Document:
    items = document["items"]["data"]
    moved = ("current_period_start", "current_period_end")
    period = {name: items[0][name] for name in moved if items and name in items[0]}
    rows = [{name: value for name, value in item.items() if name not in moved} for item in items]
    return {**document, **period, "items": {**document["items"], "data": rows}}


def _old_invoice(document: Document) -> Document:
    """Return an invoice as it was: the subscription, prices and taxes at their earlier places."""
    gone = ("parent", "total_taxes", "amount_paid_off_stripe")
    parent = document.get("parent") or {}
    taxes = [_old_tax(each) for each in document.get("total_taxes") or ()]
    return {
        **{name: value for name, value in document.items() if name not in gone},
        "subscription": (parent.get("subscription_details") or {}).get("subscription"),
        "total_tax_amounts": taxes,
        "tax": sum(each["amount"] for each in taxes) or None,
        "lines": {**document["lines"], "data": [old_line(each) for each in document["lines"]["data"]]},
    }


def old_line(line: Document) -> Document:
    """Return a line of an invoice as it was before 2025-03-31."""
    pricing = line.get("pricing") or {}
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    price = (pricing.get("price_details") or {}).get("price")
    shown = {"object": "price", "id": price, "unit_amount_decimal": pricing.get("unit_amount_decimal")}
    return {
        **{name: value for name, value in line.items() if name not in {"pricing", "parent", "taxes"}},
        "price": shown if pricing else None,
        "proration": details.get("proration", False),
        "tax_amounts": [_old_tax(each) for each in line.get("taxes") or ()],
    }


def _old_tax(tax: Document) -> Document:
    rate = (tax.get("tax_rate_details") or {}).get("tax_rate")
    return {"amount": tax["amount"], "inclusive": tax.get("tax_behavior") == "inclusive", "tax_rate": rate}


def _old_refund(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "customer"}


_Shape = Callable[[Document], Document]
_NEW: Mapping[str, _Shape] = {"invoice": _new_invoice}
_OLD: Mapping[str, _Shape] = {
    "subscription": _old_subscription,
    "invoice": _old_invoice,
    "line_item": old_line,
    "refund": _old_refund,
}


def list_of(url: str, rows: Sequence[Any], *, has_more: bool) -> Document:
    """Return a list as Stripe sends it."""
    return {"object": "list", "url": url, "has_more": has_more, "data": list(rows)}
