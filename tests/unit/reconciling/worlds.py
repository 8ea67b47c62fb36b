"""Clean books of demo tenants, made once; what two breaks have in common; and a small tenant written by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from console.adapters.demo.books import DemoBooks, demo_books
from console.adapters.demo.drift import OF_TENANTS, broken, touched
from console.adapters.demo.generator import DEFAULT_SEED
from console.adapters.demo.sketches import sketched
from console.domain.billing.objects import CreditNote, Dispute, Invoice, Payment, Refund, Subscription

NOW = datetime(2026, 11, 19, 16, 0, 5, tzinfo=UTC)
# A mutator that copies an object copies what is broken of it, so it goes first; see `pair`.
COPIES = ("customer_duplicate", "sub_multiple_active", "payment_without_invoice")
# What stands on whether, and how, a tenant is served: one such break says something about another.
_SERVICE = frozenset({"stored", "inputs", "subscription", "status"})


@cache
def clean(index: int, seed: int = DEFAULT_SEED) -> DemoBooks:
    """Return the clean books of one demo tenant; Acme, number 0, is the only one that is not."""
    return demo_books(sketched(seed, index, now=NOW), now=NOW)


def tenants_for(kind: str, *, wanted: int, among: int = 400) -> Iterator[tuple[int, DemoBooks]]:
    """Yield tenants broken in one way, until so many are."""
    found = 0
    for index in range(1, among):
        books = broken(clean(index), kind, seed=index)
        if books is not None:
            yield index, books
            found += 1
            if found == wanted:
                return


def reach(before: DemoBooks, after: DemoBooks) -> frozenset[str]:
    """Return what a break touched, and whatever hangs together with that: its invoice, its payments, its service."""
    found = set(touched(before, after))
    if _ends(before) != _ends(after):
        # What was paid for time after the end hangs on when that is.
        found |= {each.id for each in after.provider if isinstance(each, Invoice | Payment)}
    things = {each.id: each for side in (before, after) for each in (*side.provider, *side.mirror)}
    for _ in range(3):
        for thing in things.values():
            linked = {thing.id, *_linked(thing)}
            if len(linked) > 1 and found & linked:
                found |= linked
    if any(name.startswith(("sub_", "cus_")) for name in found):
        found |= _SERVICE
    return frozenset(found | _SERVICE if found & _SERVICE else found)


def _ends(books: DemoBooks) -> list[datetime | None]:
    return [each.ended_at for each in books.provider if isinstance(each, Subscription)]


def pair(index: int, first: str, second: str, *, seed: int) -> tuple[DemoBooks, bool] | None:
    """Return a tenant broken in two ways, and whether the two have nothing in common; None where it cannot be."""
    first, second = sorted((first, second), key=lambda kind: (kind not in COPIES, kind))
    start = clean(index)
    one, other = broken(start, first, seed=seed), broken(start, second, seed=seed)
    if one is None or other is None or touched(start, one) & touched(start, other):
        return None
    both = broken(one, second, seed=seed)
    if both is None or touched(one, both) & touched(start, one):
        return None
    return both, not reach(start, one) & reach(one, both)


def _linked(thing: object) -> set[str]:
    match thing:
        case Payment():
            return {part.invoice for part in thing.allocations}
        case Refund() | Dispute():
            return {thing.payment}
        case CreditNote():
            return {thing.invoice, thing.customer}
        case Invoice() if thing.balance_applied_minor:
            return {thing.customer}
        case _:
            return set()


KINDS_OF_TENANTS = tuple(sorted(OF_TENANTS))
