"""What we may ask a billing provider to do: each once, under a key that names the request it came from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class CreditTo(StrEnum):
    """Where the post-payment part of a credit note goes."""

    REFUND = "refund"
    BALANCE = "balance"
    OUT_OF_BAND = "out_of_band"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Send money of one payment back. Units: minor units of the payment's currency."""

    payment: str
    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCreditNote:
    """Correct an invoice by a counter-entry.

    Shape: `back_minor` is how much of what was paid may go back at most, as it was approved; None in a command from
    before that was asked for, which gives nothing back.
    """

    invoice: str
    amount_minor: int
    currency: str
    to: CreditTo
    reason: str
    back_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyPayment:
    """Let a payment that nothing was paid with pay an invoice."""

    payment: str
    invoice: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSubscription:
    """End a subscription at once; money goes back by a command of its own."""

    subscription: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTenant:
    """Write into a customer's metadata to which tenant it belongs; None takes the claim away."""

    customer: str
    tenant: str | None


Command: TypeAlias = RefundPayment | IssueCreditNote | ApplyPayment | CancelSubscription | NameTenant
