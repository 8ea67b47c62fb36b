"""How much may still be given back, credited or applied: what the books say, less what is on its way already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.domain.billing.commands import ApplyPayment, CreditTo, IssueCreditNote
from console.domain.billing.disputes import Standing, standing_of
from console.domain.billing.objects import CreditNote, Dispute, Invoice, Payment, Refund
from console.domain.billing.writes import Operation, ProviderWrite, pending_minor

# Only these give the money back into our hands; a word that we do not know counts as money that is gone.
_REFUND_CAME_TO_NOTHING = frozenset({"failed", "canceled"})
_NOTE_IS_VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What is left of an amount, and what took the rest. Units: minor units of `currency`, none of them negative."""

    currency: str
    whole_minor: int
    taken: tuple[tuple[str, int], ...]

    @property
    def left_minor(self) -> int:
        """Return how much is left; never less than nothing, whatever the books say."""
        return max(0, self.whole_minor - sum(minor for _, minor in self.taken))


def refundable(
    payment: Payment, refunds: Iterable[Refund], disputes: Iterable[Dispute], writes: Sequence[ProviderWrite]
) -> Bound:
    """Return how much of a payment may still be refunded: captured - refunded - disputed - on its way.

    Shape: `writes` are all commands of the tenant; a credit note that refunds counts for every payment of its invoice.
    """
    paid = {each.invoice for each in payment.allocations}
    refunded = max(payment.refunded_minor, sum(each.amount_minor for each in refunds if is_refund(each)))
    waiting = pending_minor((each for each in writes if each.subject == payment.id), payment.currency, Operation.REFUND)
    notes = [each for each in writes if _refunds_one_of(each, paid)]
    credited = pending_minor(notes, payment.currency, Operation.CREDIT)
    return Bound(
        currency=payment.currency,
        whole_minor=payment.captured_minor,
        taken=(
            ("refunded", refunded),
            ("disputed", sum(each.amount_minor for each in disputes if takes_money(each))),
            ("refunds on their way", waiting + credited),
        ),
    )


def unapplied(
    payment: Payment, refunds: Iterable[Refund], disputes: Iterable[Dispute], writes: Sequence[ProviderWrite]
) -> Bound:
    """Return how much of a payment has paid for nothing yet."""
    rest = refundable(payment, refunds, disputes, writes)
    waiting = pending_minor((each for each in writes if each.subject == payment.id), payment.currency, Operation.APPLY)
    applied = sum(each.amount_minor for each in payment.allocations)
    return Bound(
        currency=payment.currency,
        whole_minor=rest.whole_minor,
        taken=(*rest.taken, ("applied to invoices", applied), ("on its way to invoices", waiting)),
    )


def creditable(invoice: Invoice, notes: Iterable[CreditNote], writes: Sequence[ProviderWrite]) -> Bound:
    """Return how much of an invoice may still be credited."""
    ours = [each for each in writes if each.subject == invoice.id]
    return Bound(
        currency=invoice.currency,
        whole_minor=invoice.total_minor,
        taken=(
            ("credited", sum(each.total_minor for each in notes if each.status != _NOTE_IS_VOID)),
            ("credit notes on their way", pending_minor(ours, invoice.currency, Operation.CREDIT)),
        ),
    )


def payable(invoice: Invoice, writes: Sequence[ProviderWrite]) -> Bound:
    """Return how much of an invoice is still to be paid."""
    notes = [each for each in writes if each.subject == invoice.id]
    applies = [each for each in writes if isinstance(each.command, ApplyPayment) and each.command.invoice == invoice.id]
    return Bound(
        currency=invoice.currency,
        whole_minor=invoice.remaining_minor,
        taken=(
            ("payments on their way", pending_minor(applies, invoice.currency, Operation.APPLY)),
            ("credit notes on their way", pending_minor(notes, invoice.currency, Operation.CREDIT)),
        ),
    )


def split(open_minor: int, amount_minor: int) -> tuple[int, int]:
    """Return how much of a credit lowers what is still to be paid, and how much gives back what was paid."""
    before = min(amount_minor, open_minor)
    return before, amount_minor - before


def is_refund(refund: Refund) -> bool:
    """Return whether a refund took money out of the payment, or is about to."""
    return refund.status not in _REFUND_CAME_TO_NOTHING


def takes_money(dispute: Dispute) -> bool:
    """Return whether a dispute holds money back or has taken it."""
    return standing_of(dispute) is not Standing.WON


def _refunds_one_of(write: ProviderWrite, invoices: set[str]) -> bool:
    command = write.command
    return isinstance(command, IssueCreditNote) and command.to is CreditTo.REFUND and command.invoice in invoices
