"""How one thing of a demo tenant's books is changed, on one side or on both, and what a mutator can choose from."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import TypeAlias, TypeVar

from console.adapters.demo.books import DemoBooks, stored_of
from console.domain.billing.canonical_form import kind_of
from console.domain.billing.objects import (
    BillingObject,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    Payment,
    Refund,
    Subscription,
)
from console.domain.billing.states import is_live
from console.domain.entitlements import Inputs
from console.domain.reconciling.books import ObjectRef

Mutator: TypeAlias = Callable[[DemoBooks, Random], DemoBooks | None]
T = TypeVar("T", Customer, Subscription, Invoice, Payment, Refund, CreditNote, Dispute)


def of(cls: type[T], books: DemoBooks) -> tuple[T, ...]:
    """Return the provider's objects of a kind."""
    return tuple(each for each in books.provider if isinstance(each, cls))


def customer(books: DemoBooks) -> Customer:
    """Return the tenant's customer."""
    return of(Customer, books)[0]


def live(books: DemoBooks) -> Subscription | None:
    """Return the subscription, where it goes on."""
    return next((each for each in of(Subscription, books) if is_live(each)), None)


def chosen(things: Iterable[T], dice: Random) -> T | None:
    """Return one of some things, or None of none."""
    among = list(things)
    return among[dice.randrange(len(among))] if among else None


def here(books: DemoBooks, *things: BillingObject) -> DemoBooks:
    """Return the books with objects as they are given in the mirror only."""
    return replace(books, mirror=_put(books.mirror, things), mirrored_at=_known(books, things))


def there(books: DemoBooks, *things: BillingObject) -> DemoBooks:
    """Return the books with objects as they are given at the provider only."""
    return replace(books, provider=_put(books.provider, things))


def both(books: DemoBooks, *things: BillingObject) -> DemoBooks:
    """Return the books with objects as they are given on both sides."""
    return there(here(books, *things), *things)


def not_here(books: DemoBooks, *things: BillingObject) -> DemoBooks:
    """Return the books without some objects in the mirror."""
    return replace(books, mirror=_drop(books.mirror, things))


def not_there(books: DemoBooks, *things: BillingObject) -> DemoBooks:
    """Return the books without some objects at the provider."""
    return replace(books, provider=_drop(books.provider, things))


def nowhere(books: DemoBooks, *things: BillingObject) -> DemoBooks:
    """Return the books without some objects on either side."""
    return not_there(not_here(books, *things), *things)


def decided_by(books: DemoBooks, inputs: Inputs) -> DemoBooks:
    """Return the books with other inputs, and the stored set that they give."""
    return replace(books, inputs=inputs, stored=stored_of(inputs, now=books.now))


def untouched(books: DemoBooks) -> tuple[Payment, ...]:
    """Return what paid invoices in full and of which nothing went back."""
    taken = {each.payment for each in of(Dispute, books)} | {each.payment for each in of(Refund, books)}
    noted = {each.invoice for each in of(CreditNote, books)}
    known = {each.id for each in of(Invoice, books)}
    return tuple(
        each
        for each in of(Payment, books)
        if each.status == "succeeded"
        and each.id not in taken
        and not each.refunded_minor
        and len(each.allocations) == 1
        and each.allocations[0].invoice in known - noted
    )


def invoice_of(books: DemoBooks, payment: Payment) -> Invoice:
    """Return the invoice that a payment paid."""
    return next(each for each in of(Invoice, books) if each.id == payment.allocations[0].invoice)


def _put(side: tuple[BillingObject, ...], things: tuple[BillingObject, ...]) -> tuple[BillingObject, ...]:
    fresh = {_ref(each): each for each in things}
    kept = tuple(fresh.pop(_ref(each), each) for each in side)
    return (*kept, *fresh.values())


def _drop(side: tuple[BillingObject, ...], things: tuple[BillingObject, ...]) -> tuple[BillingObject, ...]:
    gone = {_ref(each) for each in things}
    return tuple(each for each in side if _ref(each) not in gone)


def _known(books: DemoBooks, things: tuple[BillingObject, ...]) -> dict[ObjectRef, datetime]:
    return {**dict.fromkeys(map(_ref, things), books.subscription.mirrored_at), **books.mirrored_at}


def _ref(thing: BillingObject) -> ObjectRef:
    return kind_of(thing), thing.id
