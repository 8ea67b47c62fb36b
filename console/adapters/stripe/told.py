"""What a mapper must know beside the document itself, and the few words that we write into metadata."""

from dataclasses import dataclass
from typing import Protocol

from console.adapters.stripe.reading import Document, MalformedError, reference, text
from console.domain.billing.objects import Allocation

TENANT = "tenant_id"
PLAN = "plan"
FEATURE = "feature"
EXECUTION = "sallyport_execution"


class Told(Protocol):
    """Answers what Stripe keeps beside a document."""

    @property
    def is_live(self) -> bool:
        """Return the mode of our key, for documents that say nothing of theirs."""
        ...

    def price(self, price: str) -> Document | None:
        """Return a price by its id. Raises: OutsideError."""
        ...

    def tax_rate(self, rate: str) -> Document | None:
        """Return a tax rate by its id. Raises: OutsideError."""
        ...

    def allocations(self, payment: str) -> tuple[Allocation, ...]:
        """Return which invoices got how much of a payment. Raises: OutsideError."""
        ...

    def payout_of(self, transaction: str) -> str | None:
        """Return the payout that sent a balance transaction to the bank. Raises: OutsideError."""
        ...


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of a line. Units: minor units; hundredths of a percent."""

    minor: int
    basis_points: int | None
    jurisdiction: str | None


def is_live(document: Document, told: Told) -> bool:
    """Return whether a document is of live mode; some say nothing, and are of the mode of our key."""
    mode = document.get("livemode")
    return mode if isinstance(mode, bool) else told.is_live


def currency_of(document: Document) -> str:
    """Return the currency as ISO 4217 writes it. Raises: MalformedError."""
    code = text(document, "currency").upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise MalformedError("currency is no currency.")
    return code


def named(document: Document, name: str) -> str:
    """Return the id that a field must refer to. Raises: MalformedError."""
    found = reference(document.get(name))
    if found is None:
        raise MalformedError(f"{name} is missing.")
    return found
