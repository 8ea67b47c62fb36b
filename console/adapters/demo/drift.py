"""Breaks exactly one thing of clean books, by the kind of discrepancy that must be found for it.

Used by tests, which hold every detector against it, and by the demo, so that finance has something true to look at.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from random import Random

from console.adapters.demo import drift_access, drift_account, drift_lines, drift_money, drift_objects
from console.adapters.demo.books import DemoBooks, demo_books
from console.adapters.demo.broken import Mutator
from console.adapters.demo.drift_account import AccountMutator
from console.adapters.demo.sketches import Sketch
from console.domain.billing.canonical_form import kind_of
from console.domain.ids import TenantId
from console.domain.reconciling.books import AccountBooks

OF_TENANTS: Mapping[str, Mutator] = {
    **drift_objects.MUTATORS,
    **drift_money.MUTATORS,
    **drift_lines.MUTATORS,
    **drift_access.MUTATORS,
}
OF_ACCOUNT: Mapping[str, AccountMutator] = drift_account.MUTATORS
# What the demo shows: one tenant each, the first that the story can be told of; Acme and the traps keep their own.
_FIRST_SHOWN = 18
_ASIDE = ("stored", "inputs", "subscription", "links", "holds", "usage_events", "closed", "status", "active_members")
SHOWN = (
    "invoice_status_drift",
    "sub_status_drift",
    "invoice_missing_local",
    "payment_without_invoice",
    "sub_multiple_active",
    "refund_failed",
    "refund_full_but_access_kept",
    "dispute_open",
    "billing_without_access",
    "access_without_billing",
    "override_without_owner",
    "rounding_difference",
    "usage_duplicate",
    "tax_missing",
)


def broken(books: DemoBooks, kind: str, *, seed: int = 0) -> DemoBooks | None:
    """Return the books with one discrepancy of a kind; None where the tenant has nothing to break that way."""
    return OF_TENANTS[kind](books, Random(f"{books.tenant}:{kind}:{seed}"))  # noqa: S311  the same again


def broken_account(books: AccountBooks, kind: str, *, seed: int = 0) -> AccountBooks | None:
    """Return the account's books with one discrepancy of a kind; None where it has nothing to break that way."""
    return OF_ACCOUNT[kind](books, Random(f"{kind}:{seed}"))  # noqa: S311  the same again


def touched(before: DemoBooks, after: DemoBooks) -> frozenset[str]:
    """Return what a mutation changed, by id or by name: two that touch nothing in common are two discrepancies."""
    found = set()
    for one, other in ((before.provider, after.provider), (before.mirror, after.mirror)):
        old, new = ({(kind_of(each), each.id): each for each in side} for side in (one, other))
        found |= {ref[1] for ref in old.keys() | new.keys() if old.get(ref) != new.get(ref)}
    return frozenset(found | {name for name in _ASIDE if getattr(before, name) != getattr(after, name)})


class Plot:
    """Which of the demo's tenants are broken, and how: each kind once, at the first tenant that it can happen to.

    Shape: `broken` grows while the tenants go by.
    """

    def __init__(self) -> None:
        self._left = list(SHOWN)
        self.broken: list[TenantId] = []

    def books(self, sketch: Sketch, clean: DemoBooks) -> DemoBooks:
        """Return a tenant's books, broken where it is its turn; tenants come in order of their number."""
        if sketch.index < _FIRST_SHOWN:
            return clean
        for kind in self._left:
            found = broken(clean, kind)
            if found is not None:
                self._left.remove(kind)
                self.broken.append(found.tenant)
                return found
        return clean


def world_books(sketches: Iterator[Sketch], *, now: datetime) -> Iterator[DemoBooks]:
    """Yield the books of a world's tenants, a handful of them broken."""
    plot = Plot()
    for sketch in sketches:
        yield plot.books(sketch, demo_books(sketch, now=now))
