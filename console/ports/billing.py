"""The billing provider, asked what it says of one object; this port only reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInvoice:
    """An invoice as the provider holds it now; money in minor units."""

    number: str
    status: str
    amount_minor: int
    currency: str
    paid_at: datetime | None


class BillingProvider(Protocol):
    """Answers for one customer's objects."""

    def invoice(self, *, customer: str, number: str) -> ProviderInvoice | None:
        """Return an invoice of a customer, or None; raises OutsideError."""
        ...
