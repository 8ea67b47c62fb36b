"""A billing provider of paper that acts: bounded like a real one, idempotent by key, and able to fail at any moment."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

from console.domain.billing.canonical_form import Snapshot
from console.domain.billing.commands import (
    ApplyPayment,
    CancelSubscription,
    Command,
    CreditTo,
    IssueCreditNote,
    NameTenant,
    RefundPayment,
)
from console.domain.billing.objects import (
    Allocation,
    BillingObject,
    CreditNote,
    Customer,
    Invoice,
    ObjectKind,
    Payment,
    Refund,
    Subscription,
)
from console.domain.errors import OutsideError
from tests.billing import PaperProvider, told

T = TypeVar("T", bound=BillingObject)


@dataclass
class ModelProvider(PaperProvider):
    """A PaperProvider that carries commands out.

    Shape: of the next calls, `fails_before` fail before anything happens, `fails_after` once it has; `keys` are what it
    remembers for a day, `marked` what its objects bear for ever; `is_blind` makes the look-up fail for good.
    """

    fails_before: int = 0
    fails_after: int = 0
    is_blind: bool = False
    is_stern: bool = False
    keys: dict[str, tuple[Command, Snapshot]] = field(default_factory=dict)
    marked: dict[str, tuple[ObjectKind, str]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    made: int = 0

    def carry_out(self, command: Command, *, key: str) -> Snapshot:
        """Act once for a key."""
        self.calls.append(("carry_out", key))
        if self.is_stern:
            raise OutsideError("That is not possible any more.", permanent=True)
        if self.fails_before:
            self.fails_before -= 1
            raise OutsideError("The provider is busy (429).", permanent=False)
        if key in self.keys:
            before, made = self.keys[key]
            if before != command:
                raise OutsideError("This key was used for something else.", permanent=True)
            return made
        made = told(self._act(command), at=self.now)
        self.keys[key] = (command, made)
        self.marked[key] = (made.kind, made.thing.id)
        if self.fails_after:
            self.fails_after -= 1
            raise OutsideError("The provider answered 500.", permanent=False)
        return made

    def carried_out(self, command: Command, *, key: str) -> Snapshot | None:
        """Look for the object that bears the key."""
        self.calls.append(("carried_out", key))
        if self.is_blind:
            raise OutsideError("The key to the provider is no longer good (401).", permanent=True)
        ref = self.marked.get(key)
        return None if ref is None else self.fetch(*ref)

    def forget_keys(self) -> None:
        """Let more than a day pass."""
        self.keys.clear()

    def acted(self) -> int:
        """Return how many effects there were."""
        return len(self.marked)

    def thing(self, kind: ObjectKind, thing: str) -> BillingObject:
        """Return an object as it is now; raises OutsideError for good where there is none."""
        for each in self.known:
            if (each.kind, each.thing.id) == (kind, thing):
                return each.thing
        raise OutsideError(f"No such {kind.value}.", permanent=True)

    def things(self, kind: ObjectKind) -> list[BillingObject]:
        """Return all objects of a kind."""
        return [each.thing for each in self.known if each.kind is kind]

    def _act(self, command: Command) -> BillingObject:
        self.made += 1
        match command:
            case RefundPayment():
                return self._refund(command)
            case IssueCreditNote():
                return self._credit(command)
            case ApplyPayment():
                return self._apply(command)
            case CancelSubscription():
                subscription = self.thing(ObjectKind.SUBSCRIPTION, command.subscription)
                assert isinstance(subscription, Subscription)
                return self._keep(replace(subscription, status="canceled", ended_at=self.now))
            case NameTenant():
                customer = self.thing(ObjectKind.CUSTOMER, command.customer)
                assert isinstance(customer, Customer)
                return self._keep(replace(customer, tenant=command.tenant))

    def _refund(self, command: RefundPayment) -> Refund:
        payment = self.thing(ObjectKind.PAYMENT, command.payment)
        assert isinstance(payment, Payment)
        if (
            command.currency != payment.currency
            or command.amount_minor > payment.captured_minor - payment.refunded_minor
        ):
            raise OutsideError("The refund is larger than what is left of the payment.", permanent=True)
        self._keep(replace(payment, refunded_minor=payment.refunded_minor + command.amount_minor))
        made = Refund(
            id=f"re_made{self.made}", payment=payment.id, customer=payment.customer, status="succeeded",
            currency=payment.currency, amount_minor=command.amount_minor, reason=command.reason, created_at=self.now,
            is_live=True,
        )  # fmt: skip
        self.knows(made)
        return made

    def _credit(self, command: IssueCreditNote) -> CreditNote:
        invoice = self.thing(ObjectKind.INVOICE, command.invoice)
        assert isinstance(invoice, Invoice)
        notes = [each for each in self.things(ObjectKind.CREDIT_NOTE) if isinstance(each, CreditNote)]
        credited = sum(each.total_minor for each in notes if each.invoice == invoice.id)
        if command.currency != invoice.currency or command.amount_minor > invoice.total_minor - credited:
            raise OutsideError("The credit is larger than what is left of the invoice.", permanent=True)
        before = min(command.amount_minor, invoice.remaining_minor)
        after = command.amount_minor - before
        if after > (command.back_minor or 0):
            raise OutsideError("More of this credit would go back than was approved.", permanent=True)
        if command.to is CreditTo.REFUND:
            self._give_back(invoice, after, command)
        left = invoice.remaining_minor - before
        status = "paid" if not left else invoice.status
        self._keep(replace(invoice, remaining_minor=left, due_minor=invoice.due_minor - before, status=status))
        made = CreditNote(
            id=f"cn_made{self.made}", number=None, customer=invoice.customer, invoice=invoice.id, status="issued",
            currency=invoice.currency, total_minor=command.amount_minor, pre_payment_minor=before,
            post_payment_minor=after, refunded_minor=after if command.to is CreditTo.REFUND else 0,
            credited_minor=after if command.to is CreditTo.BALANCE else 0,
            out_of_band_minor=after if command.to is CreditTo.OUT_OF_BAND else 0, reason=command.reason,
            issued_at=self.now, is_live=True,
        )  # fmt: skip
        self.knows(made)
        return made

    def _give_back(self, invoice: Invoice, amount_minor: int, command: IssueCreditNote) -> None:
        payments = [each for each in self.things(ObjectKind.PAYMENT) if isinstance(each, Payment)]
        paying = [each for each in payments if any(share.invoice == invoice.id for share in each.allocations)]
        if amount_minor > sum(each.captured_minor - each.refunded_minor for each in paying):
            raise OutsideError("Not so much was paid for this invoice.", permanent=True)
        for number, payment in enumerate(paying):
            share = min(amount_minor, payment.captured_minor - payment.refunded_minor)
            if share:
                command_of = RefundPayment(
                    payment=payment.id, amount_minor=share, currency=payment.currency, reason=command.reason
                )
                self.made += number + 1
                self._refund(command_of)
                amount_minor -= share

    def _apply(self, command: ApplyPayment) -> Invoice:
        payment = self.thing(ObjectKind.PAYMENT, command.payment)
        invoice = self.thing(ObjectKind.INVOICE, command.invoice)
        assert isinstance(payment, Payment)
        assert isinstance(invoice, Invoice)
        applied = sum(each.amount_minor for each in payment.allocations)
        free = payment.captured_minor - payment.refunded_minor - applied
        if command.amount_minor > min(free, invoice.remaining_minor):
            raise OutsideError("Not so much can be applied.", permanent=True)
        share = Allocation(invoice=invoice.id, amount_minor=command.amount_minor)
        self._keep(replace(payment, allocations=(*payment.allocations, share)))
        left = invoice.remaining_minor - command.amount_minor
        paid = replace(
            invoice,
            paid_minor=invoice.paid_minor + command.amount_minor,
            remaining_minor=left,
            status="paid" if not left else invoice.status,
            paid_at=self.now if not left else invoice.paid_at,
        )
        return self._keep(paid)

    def _keep(self, thing: T) -> T:
        self.knows(thing)
        return thing
