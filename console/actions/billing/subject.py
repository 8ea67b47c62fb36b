"""Which object of the provider a tenant's action means, and what mirror and provider say of it."""

from dataclasses import dataclass

from console.domain.billing.canonical_form import Snapshot, customer_of, digest, kind_of
from console.domain.billing.objects import OF_CUSTOMERS, BillingObject, ObjectKind
from console.domain.billing.particulars import particulars
from console.domain.billing.wording import called
from console.domain.errors import UnreadableObjectError
from console.ports.action_tools import Tools
from console.ports.actions import Fault
from console.ports.mirror import MirrorBook

# What an object without a customer of its own hangs on.
_PARENTS = {
    ObjectKind.PAYMENT: ObjectKind.INVOICE,
    ObjectKind.REFUND: ObjectKind.PAYMENT,
    ObjectKind.DISPUTE: ObjectKind.PAYMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An object of this tenant on both sides. Shape: `told` is None where the provider never had it; not both are."""

    kind: ObjectKind
    id: str
    mirrored: Snapshot | None
    told: Snapshot | None

    @property
    def is_gone(self) -> bool:
        """Return whether the provider has it no more."""
        return self.told is None or self.told.is_deleted


def subject_of(tools: Tools, *, invoice: str, kind: str, thing: str) -> Subject:
    """Return the object that is meant, by an invoice's number or by kind and id.

    Raises: Fault for what is no object of this tenant; OutsideError when the provider does not answer.
    """
    mirror = tools.plane().mirror
    customers = mirror.customers()
    if not customers:
        raise Fault(
            "invoice" if invoice else "object", "This tenant is linked to no customer of the provider: link one."
        )
    try:
        if invoice:
            return _of_number(tools, mirror, invoice, customers)
        return _of_id(tools, mirror, ObjectKind(kind), thing, customers)
    except UnreadableObjectError as unreadable:
        remedy = f"The provider's answer cannot be read: {unreadable.facts.get('why', unreadable)}. Tell an engineer."
        raise Fault("invoice" if invoice else "object", remedy) from unreadable


def mark_of(snapshot: Snapshot | None) -> str:
    """Return what a fingerprint binds of one side: its digest, and whether the object is deleted there."""
    if snapshot is None:
        return "none"
    return f"{digest(snapshot.thing)}{' deleted' if snapshot.is_deleted else ''}"


def is_of(thing: BillingObject, customers: frozenset[str], mirror: MirrorBook) -> bool:
    """Return whether an object is of these customers, itself or through what it hangs on; metadata says nothing."""
    owner = customer_of(thing)
    if owner is not None:
        return owner in customers
    parent = particulars(thing).parent
    above = _PARENTS.get(kind_of(thing))
    return parent is not None and above is not None and mirror.get(above, parent) is not None


def _of_number(tools: Tools, mirror: MirrorBook, number: str, customers: frozenset[str]) -> Subject:
    known = mirror.invoice_of_number(number)
    if known is not None:
        return _of_id(tools, mirror, ObjectKind.INVOICE, known.thing.id, customers)
    for customer in sorted(customers):
        told = tools.provider.invoice_of_number(customer=customer, number=number)
        if told is not None:
            return Subject(kind=ObjectKind.INVOICE, id=told.thing.id, mirrored=None, told=told)
    remedy = "The billing provider does not know this invoice; ask finance."
    raise Fault("invoice", remedy)


def _of_id(tools: Tools, mirror: MirrorBook, kind: ObjectKind, thing: str, customers: frozenset[str]) -> Subject:
    if kind not in OF_CUSTOMERS:
        raise Fault("kind", "Choose what belongs to a customer.")
    mirrored = mirror.get(kind, thing)
    told = tools.provider.fetch(kind, thing)
    if told is None and mirrored is None:
        raise Fault("object", f"The billing provider has no {called(kind)} of this id.")
    if told is not None and not is_of(told.thing, customers, mirror):
        raise Fault("object", f"This {called(kind)} is of a customer that is not linked to this tenant.")
    return Subject(kind=kind, id=thing, mirrored=mirrored, told=told)
