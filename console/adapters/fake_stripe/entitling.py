"""Entitlements of the invented provider: features of products, and which of them a customer has by subscription."""

import json
from collections.abc import Mapping
from typing import Any

from console.adapters.fake_stripe.asking import RefusedError, text_of
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.changes import Changes
from console.adapters.fake_stripe.rendering import list_of

FEATURE, PRODUCT_FEATURE = "entitlements.feature", "product_feature"
_ACTIVE = "entitlements.active_entitlement"
_SUMMARY = "entitlements.active_entitlement_summary"
_LONGEST_KEY = 80
_ENTITLED = frozenset({"active", "trialing", "past_due"})
_URL = "/v1/entitlements/active_entitlements"


def create_feature(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Make a feature under a key of ours, which no other one bears. Raises: RefusedError."""
    key = text_of(params, "lookup_key")
    if len(key) > _LONGEST_KEY:
        raise RefusedError(f"lookup_key must have at most {_LONGEST_KEY} characters.", code="parameter_invalid")
    if changes.book.rows("SELECT 1 FROM object WHERE type = ? AND parent = ?", (FEATURE, key)):
        raise RefusedError(f"There is a feature {key} already.", code="resource_already_exists")
    made = changes.new(FEATURE, "feat", active=True, lookup_key=key, name=text_of(params, "name"))
    return changes.made({**made, "metadata": changes.labelled({}, params)}, None)


def attach(changes: Changes, product: str, params: Mapping[str, Any]) -> Document:
    """Give a feature to whoever subscribes to a product. Raises: RefusedError."""
    feature = changes.named(FEATURE, text_of(params, "entitlement_feature"))
    changes.named("product", product)
    if any(each["entitlement_feature"]["id"] == feature["id"] for each in _of_product(changes.book, product)):
        raise RefusedError("The product has this feature already.", code="resource_already_exists")
    made = changes.new(PRODUCT_FEATURE, "prodft", product=product, entitlement_feature=feature)
    return changes.made(made, None)


def detach(changes: Changes, product: str, thing: str) -> Document:
    """Take a feature from a product. Raises: RefusedError."""
    found = changes.named(PRODUCT_FEATURE, thing)
    if found["product"] != product:
        raise RefusedError(f"No such product_feature: '{thing}'", status=404, code="resource_missing")
    changes.book.remove(PRODUCT_FEATURE, thing)
    return {"object": PRODUCT_FEATURE, "id": thing, "deleted": True}


def features_of(book: Book, product: str) -> Document:
    """Return the features of a product as a list."""
    rows = [shown_feature(each) for each in _of_product(book, product)]
    return list_of(f"/v1/products/{product}/features", rows, has_more=False)


def shown_feature(attached: Document) -> Document:
    """Return a product's feature as it is told."""
    return {name: value for name, value in attached.items() if name not in {"product", "created", "metadata"}}


def active(book: Book, customer: str) -> Document:
    """Return what a customer is entitled to now, as a list in the order of the keys."""
    found: dict[str, Document] = {}
    asked = "SELECT doc FROM object WHERE customer = ? AND type = 'subscription' ORDER BY seq"
    for (doc,) in book.rows(asked, (customer,)):
        subscription = json.loads(doc)
        if subscription["status"] in _ENTITLED:
            for item in subscription["items"]["data"]:
                price = book.get("price", item["price"]["id"]) or {}
                for each in _of_product(book, price.get("product")):
                    feature = each["entitlement_feature"]
                    found[feature["lookup_key"]] = {
                        "object": _ACTIVE, "id": f"ent_{customer}_{feature['id']}", "feature": feature["id"],
                        "livemode": each["livemode"], "lookup_key": feature["lookup_key"],
                    }  # fmt: skip
    return list_of(_URL, [found[key] for key in sorted(found)], has_more=False)


def changed(
    changes: Changes,
    before: Document,
    event: str | None,
    **fields: Any,  # noqa: ANN401  a document's own
) -> Document:
    """Keep a changed subscription, and tell once what its customer is entitled to where that is something else now."""
    customer = str(before["customer"])
    had = active(changes.book, customer)
    after = changes.changed(before, event, **fields)
    tell(changes, customer, had)
    return after


def tell(changes: Changes, customer: str, had: Document) -> None:
    """Tell what a customer is entitled to, unless it is what there was."""
    has = active(changes.book, customer)
    if has["data"] != had["data"]:
        told = {"object": _SUMMARY, "customer": customer, "entitlements": has, "livemode": True}
        changes.tell(f"{_SUMMARY}.updated", told, {"entitlements": had})


def _of_product(book: Book, product: object) -> list[Document]:
    if product is None:
        return []
    asked = "SELECT doc FROM object WHERE type = ? AND parent = ? ORDER BY seq"
    return [json.loads(doc) for (doc,) in book.rows(asked, (PRODUCT_FEATURE, product))]
