"""What the invented provider has beside what canonical objects say, so that it goes on as it began when time passes."""

from collections.abc import Iterable, Mapping

from console.adapters.fake_stripe import entitling, metering
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.changes import Changes
from console.adapters.fake_stripe.invoice_documents import rates_of
from console.adapters.stripe.told import FEATURE, PLAN
from console.domain.billing.objects import BillingObject, Invoice
from console.domain.reconciling.books import UsageEvent


def meter_prices(changes: Changes) -> None:
    """Give each metered price the meter of its feature."""
    meters: dict[str, str] = {}
    for price in _prices(changes.book):
        feature, recurring = price["metadata"].get(FEATURE), price["recurring"] or {}
        if feature is None or recurring.get("usage_type") != "metered":
            continue
        if feature not in meters:
            asked = {"display_name": feature, "event_name": feature, "default_aggregation": {"formula": "sum"}}
            meters[feature] = metering.create_meter(changes, asked)["id"]
        changes.book.put({**price, "recurring": {**recurring, "meter": meters[feature]}})


def entitle_plans(changes: Changes, features: Mapping[str, Mapping[str, str]]) -> None:
    """Attach to the product of each plan's price what the plan gives: keys with names."""
    made: dict[str, str] = {}
    for price in _prices(changes.book):
        for key, name in features.get(price["metadata"].get(PLAN, ""), {}).items():
            if key not in made:
                made[key] = entitling.create_feature(changes, {"lookup_key": key, "name": name})["id"]
            entitling.attach(changes, price["product"], {"entitlement_feature": made[key]})


def go_on_with_rates(book: Book, things: Iterable[BillingObject]) -> None:
    """Let each subscription name the rates of its newest invoice."""
    newest: dict[str, Invoice] = {}
    for thing in things:
        if isinstance(thing, Invoice) and thing.subscription is not None:
            known = newest.get(thing.subscription)
            if known is None or known.issued_at < thing.issued_at:
                newest[thing.subscription] = thing
    for name, invoice in newest.items():
        subscription = book.get("subscription", name)
        rates = rates_of(invoice)
        if subscription is not None and rates:
            book.put({**subscription, "default_tax_rates": rates})


def count_use(book: Book, events: Iterable[UsageEvent], *, customer: str) -> None:
    """Let meters have counted raw events of use of one customer."""
    meters: dict[str, Document | None] = {}
    found = []
    for each in events:
        if each.feature not in meters:
            meters[each.feature] = metering.meter_of(book, each.feature)
        meter, at = meters[each.feature], int(each.at.timestamp())
        if meter is not None:
            created = int(each.received_at.timestamp())
            found.append(metering.event(meter, customer, each.id, value=each.quantity, at=at, created=created))
    if found:
        book.put_all(found)


def _prices(book: Book) -> Iterable[Document]:
    names = [str(name) for (name,) in book.rows("SELECT id FROM object WHERE type = 'price' ORDER BY seq")]
    return [each for each in (book.get("price", name) for name in names) if each is not None]
