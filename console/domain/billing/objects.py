"""The objects of a billing provider in canonical form: minor units, UTC moments, the provider's own words for states.

Shape: every id is the provider's; states stay the provider's words, because an unknown one must become a finding and
never a guess; `is_live` is False for what was made in test mode. Units: amounts in minor units of `currency`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class ObjectKind(StrEnum):
    """What the provider keeps, in the order in which a pull asks for it."""

    PRICE = "price"
    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"
    PAYMENT = "payment"
    REFUND = "refund"
    CREDIT_NOTE = "credit_note"
    DISPUTE = "dispute"
    BALANCE_TRANSACTION = "balance_transaction"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a subscription item costs; `plan` is our plan key, `feature` our feature key where use is metered."""

    id: str
    plan: str | None
    feature: str | None
    currency: str
    unit_minor: int
    interval: str
    is_metered: bool
    is_active: bool
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer; `tenant` is what its metadata claims. Units: `balance_minor` < 0 is credit that we owe."""

    id: str
    name: str
    email: str | None
    tenant: str | None
    currency: str | None
    balance_minor: int
    created_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionItem:
    """One line of a subscription; `quantity` is None where use is metered."""

    id: str
    price: str
    plan: str | None
    quantity: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription; `period_until` is exclusive.

    Shape: `anchored_at` is the moment whose day of the month every period begins on, or the last day of a month that
    has no such day; None where the provider did not say, or what was kept is from before it was read.
    """

    id: str
    customer: str
    status: str
    currency: str
    items: tuple[SubscriptionItem, ...]
    started_at: datetime
    period_from: datetime
    period_until: datetime
    trial_until: datetime | None
    ends_at_period_end: bool
    ended_at: datetime | None
    is_live: bool
    anchored_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One line; `amount_minor` is after nothing: discounts and exclusive tax stand on the invoice and in `tax_minor`.

    Shape: `quantity` is None for one-off amounts; `tax_basis_points` is None where no rate was applied.
    """

    id: str
    text: str
    amount_minor: int
    price: str | None
    feature: str | None
    quantity: int | None
    unit_minor: int | None
    period_from: datetime
    period_until: datetime
    is_proration: bool
    tax_minor: int
    tax_basis_points: int | None
    jurisdiction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice. Tie-outs: sum of lines - discount + tax = total; due = paid + remaining.

    Shape: while it is open, `attempts` counts how often the provider tried to collect it, and `next_attempt_at` is when
    it tries again; None is never. Neither is kept of an invoice that is not open.
    """

    id: str
    number: str | None
    customer: str
    subscription: str | None
    status: str
    currency: str
    lines: tuple[InvoiceLine, ...]
    discount_minor: int
    tax_minor: int
    total_minor: int
    balance_applied_minor: int
    due_minor: int
    paid_minor: int
    remaining_minor: int
    issued_at: datetime
    due_at: datetime | None
    paid_at: datetime | None
    is_paid_out_of_band: bool
    is_live: bool
    attempts: int = 0
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How much of a payment an invoice got."""

    invoice: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that a customer sent. Units: `refunded_minor` <= `captured_minor` <= `amount_minor`."""

    id: str
    customer: str | None
    status: str
    currency: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    allocations: tuple[Allocation, ...]
    paid_at: datetime | None
    created_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money that went back, or is about to."""

    id: str
    payment: str
    customer: str | None
    status: str
    currency: str
    amount_minor: int
    reason: str | None
    created_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """A correction of an invoice. Tie-outs: pre + post = total; refunded + credited + out of band = post."""

    id: str
    number: str | None
    customer: str
    invoice: str
    status: str
    currency: str
    total_minor: int
    pre_payment_minor: int
    post_payment_minor: int
    refunded_minor: int
    credited_minor: int
    out_of_band_minor: int
    reason: str | None
    issued_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A payment that the customer's bank takes back, or may."""

    id: str
    payment: str
    customer: str | None
    status: str
    currency: str
    amount_minor: int
    opened_at: datetime
    closed_at: datetime | None
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTransaction:
    """A movement of our balance at the provider. Tie-out: amount - fee = net; net of a payout's = the payout."""

    id: str
    category: str
    source: str | None
    payout: str | None
    currency: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    created_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Money sent to our bank; only an automatic one tells what is in it."""

    id: str
    status: str
    currency: str
    amount_minor: int
    is_automatic: bool
    created_at: datetime
    arrives_at: datetime
    is_live: bool


BillingObject: TypeAlias = (
    Price | Customer | Subscription | Invoice | Payment | Refund | CreditNote | Dispute | BalanceTransaction | Payout
)

CLASSES: dict[ObjectKind, type] = {
    ObjectKind.PRICE: Price,
    ObjectKind.CUSTOMER: Customer,
    ObjectKind.SUBSCRIPTION: Subscription,
    ObjectKind.INVOICE: Invoice,
    ObjectKind.PAYMENT: Payment,
    ObjectKind.REFUND: Refund,
    ObjectKind.CREDIT_NOTE: CreditNote,
    ObjectKind.DISPUTE: Dispute,
    ObjectKind.BALANCE_TRANSACTION: BalanceTransaction,
    ObjectKind.PAYOUT: Payout,
}
KIND_OF: dict[type, ObjectKind] = {each: kind for kind, each in CLASSES.items()}
# What belongs to a customer, and so to a tenant; the rest belongs to the provider's account as a whole.
OF_CUSTOMERS = (
    ObjectKind.CUSTOMER,
    ObjectKind.SUBSCRIPTION,
    ObjectKind.INVOICE,
    ObjectKind.PAYMENT,
    ObjectKind.REFUND,
    ObjectKind.CREDIT_NOTE,
    ObjectKind.DISPUTE,
)
