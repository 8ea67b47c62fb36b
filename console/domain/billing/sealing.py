"""What of an invoice a closed period holds: its money, and not whether it was paid since."""

from dataclasses import replace

from console.domain.billing.canonical_form import digest
from console.domain.billing.objects import Invoice
from console.domain.ids import Digest


def sealed(invoice: Invoice) -> Invoice:
    """Return an invoice as it was asked for: nothing paid, no credit used, open."""
    return replace(
        invoice,
        status="open",
        balance_applied_minor=0,
        due_minor=invoice.total_minor,
        paid_minor=0,
        remaining_minor=invoice.total_minor,
        paid_at=None,
        is_paid_out_of_band=False,
        attempts=0,
        next_attempt_at=None,
    )


def money_digest(invoice: Invoice) -> Digest:
    """Return a digest that moves with lines, discount, tax and total, and not with payment."""
    return digest(sealed(invoice))


def is_as_closed(invoice: Invoice, closed: Digest) -> bool:
    """Return whether an invoice still is what was closed, whether its whole or only its money was written down."""
    return closed in (digest(invoice), money_digest(invoice))
