"""Our mirror of the billing provider, of one tenant: what the provider last said, and never anything else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.objects import ObjectKind
from console.domain.reconciling.books import ObjectRef, Side

Ref = tuple[str, str]  # kind and id


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """An object of which the provider said nothing since. Shape: `customer` is empty where it names none."""

    kind: ObjectKind
    id: str
    customer: str


class MirrorBook(Protocol):
    """One tenant's mirrored objects in one transaction.

    A stored document that no longer fits its kind counts as not mirrored: the next answer of the provider writes it
    anew.
    """

    def page(self, kind: ObjectKind, *, before: str | None, limit: int) -> Sequence[Snapshot]:
        """Return objects newest first by when they were made, those after `before`; deleted ones too.

        Shape: none when there is no object `before`.
        """
        ...

    def get(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Return one object, a deleted one marked as such."""
        ...

    def children(self, kind: ObjectKind, parent: str, *, limit: int) -> Sequence[Snapshot]:
        """Return what hangs on an object (see Particulars), in order of id."""
        ...

    def invoice_of_number(self, number: str) -> Snapshot | None:
        """Return the invoice that people know by a number, the one heard of last where two bear it."""
        ...

    def numbers(self, invoices: Collection[str]) -> Mapping[str, str]:
        """Return under which number people know each of some invoices, as far as it has one; one statement."""
        ...

    def side(self) -> Side:
        """Return every object that is not deleted, for reconciliation; one statement."""
        ...

    def mirrored_at(self) -> Mapping[ObjectRef, datetime]:
        """Return when the mirror last heard of each object, deleted ones too; one statement."""
        ...

    def unheard(self, *, before: datetime, since: datetime | None, after: Ref | None, limit: int) -> Sequence[Unheard]:
        """Return what is not deleted and was heard of last before a moment, made since another, in order after one."""
        ...

    def customers(self) -> frozenset[str]:
        """Return the provider's customers that are this tenant: those linked, and the product's own unless unlinked."""
        ...

    def put(self, snapshot: Snapshot) -> bool:
        """Write what the provider said; False where a fresher answer stands, which stays.

        Shape: a subscription that changed moves `entitlement_version`. Raises: BadValueError for an object that belongs
        to no customer.
        """
        ...

    def mark_deleted(self, kind: ObjectKind, thing: str, *, at: datetime) -> bool:
        """Write that the provider had no such object at `at`; False where a fresher answer stands, or nothing does."""
        ...
