"""Which address of the invented provider does what."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from console.adapters.fake_stripe import entitling, invoicing, metering, paying, subscribing, taxing
from console.adapters.fake_stripe.asking import Ask, RefusedError, text_of, whole_of
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.changes import Changes
from console.adapters.fake_stripe.chaos import Chaos
from console.adapters.fake_stripe.clock import TestClock
from console.adapters.fake_stripe.listing import TYPES, inner_page, page_of
from console.adapters.fake_stripe.rendering import Renderer, list_of

Write = Callable[[Changes, str, Mapping[str, Any]], Document]


class Account(Protocol):
    """What the helpers of tests work on."""

    book: Book
    chaos: Chaos
    clock: TestClock


def read(book: Book, ask: Ask, renderer: Renderer) -> Document:
    """Return what stands at an address. Raises: RefusedError."""
    match ask.path:
        case ("subscription_items",):
            found = _named(book, "subscription", text_of(ask.params, "subscription"))
            return inner_page("/v1/subscription_items", found["items"]["data"], ask)
        case (path,) if path in TYPES:
            return page_of(book, ask, renderer)
        case ("invoices", thing, "lines"):
            lines = _named(book, "invoice", thing)["lines"]["data"]
            page = inner_page(f"/v1/invoices/{thing}/lines", lines, ask)
            return {**page, "data": [renderer.shown(each) for each in page["data"]]}
        case ("customers", thing, "balance_transactions"):
            asked = (
                "SELECT id FROM object WHERE type = 'customer_balance_transaction' AND customer = ? ORDER BY seq DESC"
            )
            ids = [str(row[0]) for row in book.rows(asked, (thing,))]
            rows = [_named(book, "customer_balance_transaction", each) for each in ids]
            return list_of(f"/v1/customers/{thing}/balance_transactions", rows, has_more=False)
        case (path, thing) if path in TYPES:
            return renderer.shown(_named(book, TYPES[path], thing), expanded(ask))
        case _:
            return _read_of_use(book, ask, renderer)


def _read_of_use(book: Book, ask: Ask, renderer: Renderer) -> Document:
    """Return what stands at an address of meters and entitlements. Raises: RefusedError."""
    match ask.path:
        case ("billing", "meters", thing):
            return renderer.shown(_named(book, metering.METER, thing))
        case ("billing", "meters", thing, "event_summaries"):
            return metering.summaries(book, thing, ask)
        case ("entitlements", "features"):
            return page_of(book, ask, renderer)
        case ("entitlements", "features", thing):
            return renderer.shown(_named(book, entitling.FEATURE, thing))
        case ("entitlements", "active_entitlements"):
            return entitling.active(book, _named(book, "customer", text_of(ask.params, "customer"))["id"])
        case ("products", thing, "features"):
            return entitling.features_of(book, _named(book, "product", thing)["id"])
        case _:
            raise _unknown(ask)


def written(changes: Changes, ask: Ask) -> Document:
    """Return what came of a change. Raises: RefusedError."""
    match (ask.method, *ask.path):
        case ("POST", path) if path in _CREATE:
            return _CREATE[path](changes, ask.params)
        case ("POST", path, thing) if path in _UPDATE:
            return _UPDATE[path](changes, thing, ask.params)
        case ("POST", "invoices", thing, verb) if verb in _INVOICE:
            return _INVOICE[verb](changes, thing, ask.params)
        case ("POST", "credit_notes", thing, "void"):
            return changes.changed(changes.named("credit_note", thing), "credit_note.voided", status="void")
        case ("POST", "disputes", thing, "close"):
            return paying.close_dispute(changes, thing, is_won=False)
        case ("DELETE", "subscriptions", thing):
            return subscribing.cancel(changes, thing)
        case ("DELETE", "customers", thing):
            return changes.made(deleted(changes.named("customer", thing)), "customer.deleted")
        case _:
            return _written_of_use(changes, ask)


def _written_of_use(changes: Changes, ask: Ask) -> Document:
    """Return what came of a change of meters and entitlements. Raises: RefusedError."""
    match (ask.method, *ask.path):
        case ("POST", "billing", "meters"):
            return metering.create_meter(changes, ask.params)
        case ("POST", "billing", "meter_events"):
            return metering.record(changes, ask.params)
        case ("POST", "entitlements", "features"):
            return entitling.create_feature(changes, ask.params)
        case ("POST", "products", thing, "features"):
            return entitling.shown_feature(entitling.attach(changes, thing, ask.params))
        case ("DELETE", "products", thing, "features", name):
            return entitling.detach(changes, thing, name)
        case _:
            raise _unknown(ask)


def helped(account: Account, ask: Ask) -> Document:
    """Do what only tests ask for: move the clock, arm chaos, open and win disputes, pay out. Raises: RefusedError."""
    changes = Changes(account.book)
    match ask.path[1:]:
        case ("clock", "advance"):
            happened = account.clock.advance(whole_of(ask.params, "seconds"))
            return {"object": "test_clock", "now": account.book.now(), "happened": happened}
        case ("chaos",):
            account.chaos.arm(text_of(ask.params, "mood"), whole_of(ask.params, "times", 1))
            return {"object": "chaos"}
        case ("disputes",):
            with account.book.writing():
                return paying.open_dispute(changes, ask.params)
        case ("disputes", thing, "win"):
            with account.book.writing():
                return paying.close_dispute(changes, thing, is_won=True)
        case ("payouts",):
            with account.book.writing():
                return list_of("/v1/payouts", paying.pay_out(changes), has_more=False)
        case _:
            raise _unknown(ask)


def deleted(customer: Document) -> Document:
    """Return what stays of a customer who was deleted."""
    kept: Document = {name: customer[name] for name in ("object", "id", "created", "livemode") if name in customer}
    return {**kept, "deleted": True}


def expanded(ask: Ask) -> list[str]:
    """Return the fields that are to be sent whole."""
    wanted = ask.params.get("expand")
    return [str(each) for each in wanted] if isinstance(wanted, list) else []


def _named(book: Book, kind: str, thing: str) -> Document:
    found = book.get(kind, thing)
    if found is None:
        raise RefusedError(f"No such {kind}: '{thing}'", status=404, code="resource_missing")
    return found


def _unknown(ask: Ask) -> RefusedError:
    return RefusedError(f"Unrecognized request URL ({ask.method}: /v1/{'/'.join(ask.path)}).", status=404)


def _create_customer(changes: Changes, params: Mapping[str, Any]) -> Document:
    made = changes.new("customer", "cus", name=params.get("name"), email=params.get("email"), currency=None,
                       balance=whole_of(params, "balance", 0), delinquent=False)  # fmt: skip
    made["metadata"] = changes.labelled({}, params)
    return changes.made(made, "customer.created")


def _create_product(changes: Changes, params: Mapping[str, Any]) -> Document:
    made = changes.new("product", "prod", name=text_of(params, "name"), active=True)
    return changes.made({**made, "metadata": changes.labelled({}, params)}, "product.created")


def _create_price(changes: Changes, params: Mapping[str, Any]) -> Document:
    given = params.get("recurring")
    recurring = None
    if isinstance(given, dict):
        recurring = {
            "interval": text_of(given, "interval"),
            "interval_count": whole_of(given, "interval_count", 1),
            "usage_type": given.get("usage_type", "licensed"),
            "meter": None if "meter" not in given else changes.named(metering.METER, text_of(given, "meter"))["id"],
        }
    unit = whole_of(params, "unit_amount")
    made = changes.new(
        "price",
        "price",
        active=True,
        currency=text_of(params, "currency"),
        product=params.get("product"),
        type="one_time" if recurring is None else "recurring",
        recurring=recurring,
        billing_scheme="per_unit",
        unit_amount=unit,
        unit_amount_decimal=str(unit),
    )
    return changes.made({**made, "metadata": changes.labelled({}, params)}, "price.created")


def _create_payment(changes: Changes, params: Mapping[str, Any]) -> Document:
    customer = params.get("customer")
    if customer is not None:
        changes.named("customer", str(customer))
    labels = changes.labelled({}, params)
    return paying.pay(
        changes, customer=customer, amount=whole_of(params, "amount"), currency=text_of(params, "currency"), **labels
    )


def _create_invoice(changes: Changes, params: Mapping[str, Any]) -> Document:
    """Make a draft of one line: `amount` and `description` stand for Stripe's invoice items."""
    customer = changes.named("customer", text_of(params, "customer"))
    now = changes.book.now()
    line = invoicing.line(
        changes, str(params.get("description") or ""), amount=whole_of(params, "amount"), price=None, quantity=None,
        period=(now, now),
    )  # fmt: skip
    rates = taxing.rates_of(changes, params)
    return invoicing.draft(
        changes, customer, [line], currency=text_of(params, "currency"), subscription=None, rates=rates
    )


def _labelled(kind: str, event: str) -> Write:
    """Return how metadata and a few plain fields of a kind are changed."""

    def update(changes: Changes, thing: str, params: Mapping[str, Any]) -> Document:
        before = changes.named(kind, thing)
        fields: Document = {name: params[name] for name in ("name", "email") if name in params}
        if "active" in params:
            fields["active"] = params["active"] == "true"
        return changes.changed(before, event, metadata=changes.labelled(before, params), **fields)

    return update


_CREATE: Mapping[str, Callable[[Changes, Mapping[str, Any]], Document]] = {
    "tax_rates": taxing.create_rate,
    "products": _create_product,
    "prices": _create_price,
    "customers": _create_customer,
    "subscriptions": subscribing.subscribe,
    "invoices": _create_invoice,
    "payment_intents": _create_payment,
    "refunds": paying.refund,
    "credit_notes": invoicing.credit,
}
_UPDATE: Mapping[str, Write] = {
    "customers": _labelled("customer", "customer.updated"),
    "products": _labelled("product", "product.updated"),
    "prices": _labelled("price", "price.updated"),
    "payment_intents": _labelled("payment_intent", "payment_intent.updated"),
    "invoices": _labelled("invoice", "invoice.updated"),
    "refunds": _labelled("refund", "refund.updated"),
    "subscriptions": subscribing.update,
}
_INVOICE: Mapping[str, Write] = {
    "finalize": lambda changes, thing, _: invoicing.finalize(changes, thing),
    "pay": invoicing.pay,
    "void": lambda changes, thing, _: invoicing.void(changes, thing),
    "mark_uncollectible": lambda changes, thing, _: invoicing.mark_uncollectible(changes, thing),
    "attach_payment": invoicing.attach_payment,
}
