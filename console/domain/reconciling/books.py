"""The books that reconciliation compares: one tenant's on all sides at a moment, and those of the whole account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from console.domain.billing.canonical_form import customer_of, kind_of
from console.domain.billing.objects import (
    BalanceTransaction,
    BillingObject,
    CreditNote,
    Customer,
    Dispute,
    Invoice,
    ObjectKind,
    Payment,
    Payout,
    Price,
    Refund,
    Subscription,
)
from console.domain.effective_store import StoredRow as StoredRow  # noqa: PLC0414  detectors find it among the books
from console.domain.effective_store import StoredSet as StoredSet  # noqa: PLC0414  the same
from console.domain.entitlements import Entitlement, Grant, Inputs, Usage
from console.domain.ids import Digest, TenantId
from console.domain.tenancy import TenantStatus

T = TypeVar("T")
ObjectRef = tuple[ObjectKind, str]


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says of one tenant's objects, by kind and id."""

    objects: Mapping[ObjectRef, BillingObject] = field(default_factory=dict)

    def get(self, kind: ObjectKind, thing: str) -> BillingObject | None:
        """Return one object, or None."""
        return self.objects.get((kind, thing))

    def customers(self) -> tuple[Customer, ...]:
        """Return the customers in order of id."""
        return self._of(Customer, ObjectKind.CUSTOMER)

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Return the subscriptions in order of id."""
        return self._of(Subscription, ObjectKind.SUBSCRIPTION)

    def invoices(self) -> tuple[Invoice, ...]:
        """Return the invoices in order of id."""
        return self._of(Invoice, ObjectKind.INVOICE)

    def payments(self) -> tuple[Payment, ...]:
        """Return the payments in order of id."""
        return self._of(Payment, ObjectKind.PAYMENT)

    def refunds(self) -> tuple[Refund, ...]:
        """Return the refunds in order of id."""
        return self._of(Refund, ObjectKind.REFUND)

    def credit_notes(self) -> tuple[CreditNote, ...]:
        """Return the credit notes in order of id."""
        return self._of(CreditNote, ObjectKind.CREDIT_NOTE)

    def disputes(self) -> tuple[Dispute, ...]:
        """Return the disputes in order of id."""
        return self._of(Dispute, ObjectKind.DISPUTE)

    def _of(self, cls: type[T], kind: ObjectKind) -> tuple[T, ...]:
        found = [(ref[1], each) for ref, each in self.objects.items() if ref[0] is kind and isinstance(each, cls)]
        return tuple(each for _, each in sorted(found, key=lambda pair: pair[0]))


def side_of(things: Mapping[ObjectRef, BillingObject] | tuple[BillingObject, ...]) -> Side:
    """Return a side from its objects."""
    if isinstance(things, Mapping):
        return Side(dict(things))
    return Side({(kind_of(each), each.id): each for each in things})


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """One raw event of use; `id` is the product's own, unique once. Units: `quantity` of the feature."""

    id: str
    feature: str
    quantity: int
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That a dispute was noted on our side: `outcome` None while it is open, else won or lost."""

    dispute: str
    payment: str
    amount_minor: int
    currency: str
    opened_at: datetime
    outcome: str | None
    reversals: int
    plan_at_purchase: str | None
    plan_used: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """That a provider's customer belongs to this tenant; `also` names other tenants that claim the same customer."""

    customer: str
    linked_at: datetime
    also: tuple[TenantId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSet:
    """What of a tenant was closed with a period, by currency and file; `invoices` are digests by invoice id."""

    period: str
    closed_at: datetime
    invoices: Mapping[str, Digest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What reconciliation knows of the product's own plan for the tenant: key, status, and whether it is paid for."""

    key: str
    status: str
    is_paid: bool
    seats: int
    customer: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantBooks:
    """Everything that is compared for one tenant at one moment; detectors read nothing else.

    Shape: `provider` and `mirror` hold canonical objects of the tenant's customers; `mirrored_at` says when the mirror
    last heard of each; `computed` is the effective set as it ought to be now, `stored` what
    the product reads; `pending` are objects with an inbound event that waits; `settling` are objects whose provider
    state is a passing one and was so in the run before too; `prices` is the whole catalogue of the provider.
    """

    tenant: TenantId
    now: datetime
    window_from: datetime
    provider: Side
    mirror: Side
    mirrored_at: Mapping[ObjectRef, datetime]
    prices: Mapping[str, Price]
    links: tuple[Link, ...]
    plan: Plan | None
    status: TenantStatus
    entitlement_version: int
    inputs: Inputs
    computed: tuple[Entitlement, ...]
    stored: StoredSet | None
    overrides: tuple[Grant, ...] = ()
    usage: tuple[Usage, ...] = ()
    usage_events: tuple[UsageEvent, ...] = ()
    active_members: int = 0
    holds: tuple[Hold, ...] = ()
    closed: tuple[ClosedSet, ...] = ()
    pending: frozenset[str] = frozenset()
    settling: frozenset[str] = frozenset()
    unreadable: Mapping[ObjectRef, str] = field(default_factory=dict)
    is_live_mode: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxState:
    """The inbox over the last day. Shape: `oldest_received_at` is None where nothing waits. Units: counts."""

    oldest_received_at: datetime | None
    failed: int
    bad_signatures: int
    usual_bad_signatures: int
    unknown_types: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedExport:
    """One sealed file of a period: what its manifest says, and what the file on disk says now."""

    period: str
    file: str
    sealed: Digest
    found: Digest | None
    totals_sealed: Mapping[str, int]
    totals_found: Mapping[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBooks:
    """What belongs to no one tenant: unmapped customers, payouts, events, sealed exports.

    Shape: `unmapped` are live customers of the provider that no tenant is linked to, `similar` tenants by customer id
    with why they look alike (`metadata`, `email`, `name`), a proposal only; `linked` the customers that those tenants
    have already; `missing_events` are ids that the provider made and the inbox never saw. Units: `owing` minor units of
    the customer's currency, what is at stake by customer id.
    """

    now: datetime
    unmapped: tuple[Customer, ...] = ()
    similar: Mapping[str, tuple[tuple[TenantId, str], ...]] = field(default_factory=dict)
    linked: Mapping[TenantId, tuple[str, ...]] = field(default_factory=dict)
    owing: Mapping[str, int] = field(default_factory=dict)
    payouts: tuple[Payout, ...] = ()
    transactions: Mapping[str, tuple[BalanceTransaction, ...]] = field(default_factory=dict)
    missing_events: tuple[str, ...] = ()
    inbox: InboxState | None = None
    exports: tuple[ClosedExport, ...] = ()
    unreadable: Mapping[ObjectRef, str] = field(default_factory=dict)


def belongs_to(thing: BillingObject, customers: frozenset[str]) -> bool:
    """Return whether an object is of one of these customers."""
    owner = customer_of(thing)
    return owner is not None and owner in customers
