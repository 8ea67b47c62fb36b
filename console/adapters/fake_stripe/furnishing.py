"""What the invented provider has beside what canonical objects say, so that it goes on as it began when time passes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from console.adapters.fake_stripe import entitling, metering
from console.adapters.fake_stripe.book import Book, Document
from console.adapters.fake_stripe.changes import Changes
from console.adapters.fake_stripe.documents import documents_of
from console.adapters.fake_stripe.invoice_documents import rates_of
from console.adapters.stripe.told import FEATURE, PLAN
from console.domain.billing.objects import BalanceTransaction, BillingObject, Invoice
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """One customer as it goes on: its objects, with their movements of the account's balance, and raw events of use."""

    customer: str
    things: Sequence[BillingObject]
    movements: Sequence[BalanceTransaction]
    events: Sequence[UsageEvent]


def going_on(book: Book, customers: Iterable[Going]) -> Iterator[Document]:
    """Yield the documents of customers; each subscription names the rates of its newest invoice, use is counted."""
    meters: dict[str, Document | None] = {}
    rates: set[str] = set()
    for each in customers:
        going = _rates_that_go_on(each.things)
        for document in documents_of(chain(each.things, each.movements), rates=rates):
            if document["object"] == "subscription" and going.get(document["id"]):
                document["default_tax_rates"] = going[document["id"]]
            yield document
        yield from _counted(book, each, meters)


def _rates_that_go_on(things: Iterable[BillingObject]) -> dict[str, list[Document]]:
    """Return the rates of the newest invoice of each subscription."""
    newest: dict[str, Invoice] = {}
    for thing in things:
        if isinstance(thing, Invoice) and thing.subscription is not None:
            known = newest.get(thing.subscription)
            if known is None or known.issued_at < thing.issued_at:
                newest[thing.subscription] = thing
    return {name: rates_of(invoice) for name, invoice in newest.items()}


def _counted(book: Book, going: Going, meters: dict[str, Document | None]) -> Iterator[Document]:
    """Yield raw events of use of one customer as meters have counted them; `meters` are those known, and grow."""
    for each in going.events:
        if each.feature not in meters:
            meters[each.feature] = metering.meter_of(book, each.feature)
        meter = meters[each.feature]
        if meter is not None:
            at, created = int(each.at.timestamp()), int(each.received_at.timestamp())
            yield metering.event(meter, going.customer, each.id, value=each.quantity, at=at, created=created)


def _prices(book: Book) -> Iterable[Document]:
    names = [str(name) for (name,) in book.rows("SELECT id FROM object WHERE type = 'price' ORDER BY seq")]
    return [each for each in (book.get("price", name) for name in names) if each is not None]
