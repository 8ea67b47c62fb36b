"""What Stripe is asked to do: each once, marked with the key of the request that asked."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from console.adapters.stripe.amounts import amount, minor
from console.adapters.stripe.calls import Calls, every, placed
from console.adapters.stripe.lists import SHELVES, single
from console.adapters.stripe.provider import StripeProvider
from console.adapters.stripe.reading import Document, label, part, whole_or_none
from console.adapters.stripe.told import EXECUTION, TENANT, currency_of
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
from console.domain.billing.objects import ObjectKind
from console.domain.errors import OutsideError

REASON = "sallyport_reason"
_LONGEST_LABEL = 500
_REFUND_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
_CREDIT_REASONS = frozenset({"duplicate", "fraudulent", "order_change", "product_unsatisfactory"})
_CREDIT_PARTS = {
    CreditTo.REFUND: "refund_amount",
    CreditTo.BALANCE: "credit_amount",
    CreditTo.OUT_OF_BAND: "out_of_band_amount",
}


class StripeWriter:
    """Carries commands out.

    Stripe keeps an idempotency key for 24 hours, and answers with the same failure as long; therefore every object
    bears the key, and is looked for before anything is asked a second time. Where a call cannot carry a mark, the
    mark is written first: it says who means to, the effect says that it happened.
    """

    def __init__(self, calls: Calls, provider: StripeProvider) -> None:
        self._calls = calls
        self._provider = provider

    def carry_out(self, command: Command, *, key: str) -> Snapshot:
        """Do it, or return what came of it before. Raises: OutsideError; UnreadableObjectError."""
        before = self.carried_out(command, key=key)
        if before is not None:
            return before
        match command:
            case RefundPayment():
                return self._refund(command, key)
            case IssueCreditNote():
                return self._credit(command, key)
            case ApplyPayment():
                return self._apply(command, key)
            case CancelSubscription():
                return self._cancel(command, key)
            case NameTenant():
                return self._name(command, key)

    def carried_out(self, command: Command, *, key: str) -> Snapshot | None:
        """Return what came of a command under this key, or None. Raises: OutsideError; UnreadableObjectError."""
        match command:
            case RefundPayment():
                return self._marked(ObjectKind.REFUND, {"payment_intent": command.payment}, key)
            case IssueCreditNote():
                return self._marked(ObjectKind.CREDIT_NOTE, {"invoice": command.invoice}, key)
            case ApplyPayment():
                payment = self._document(ObjectKind.PAYMENT, command.payment)
                is_ours = payment is not None and label(payment, EXECUTION) == key
                return self._invoice(command.invoice) if is_ours and self._is_applied(command) else None
            case CancelSubscription():
                return self._own(ObjectKind.SUBSCRIPTION, command.subscription, key, _is_canceled)
            case NameTenant():
                return self._own(
                    ObjectKind.CUSTOMER, command.customer, key, lambda each: label(each, TENANT) == command.tenant
                )

    def _refund(self, command: RefundPayment, key: str) -> Snapshot:
        params: dict[str, Any] = {
            "payment_intent": command.payment,
            "amount": amount(command.amount_minor, command.currency),
            "metadata": _marks(key, command.reason),
            "expand": ["charge"],
        }
        if command.reason in _REFUND_REASONS:
            params["reason"] = command.reason
        self._same_currency(ObjectKind.PAYMENT, command.payment, command.currency)
        return self._provider.told(ObjectKind.REFUND, self._calls.post("/v1/refunds", params, key=key))

    def _credit(self, command: IssueCreditNote, key: str) -> Snapshot:
        """Issue a credit note: what is still owed shrinks first, the rest goes where the command says.

        Raises: OutsideError where more would go back than people approved, by a mirror that knew less than Stripe.
        """
        invoice = self._same_currency(ObjectKind.INVOICE, command.invoice, command.currency)
        whole = amount(command.amount_minor, command.currency)
        after_payment = whole - min(whole, whole_or_none(invoice, "amount_remaining") or 0)
        if after_payment > amount(command.back_minor or 0, command.currency):
            message = "More of this credit would go back than was approved: the invoice was paid meanwhile."
            raise OutsideError(message, permanent=True, back=minor(after_payment, command.currency))
        params: dict[str, Any] = {
            "invoice": command.invoice,
            "amount": whole,
            "metadata": _marks(key, command.reason),
            "expand": ["customer_balance_transaction"],
        }
        if after_payment:
            params[_CREDIT_PARTS[command.to]] = after_payment
        if command.reason in _CREDIT_REASONS:
            params["reason"] = command.reason
        return self._provider.told(ObjectKind.CREDIT_NOTE, self._calls.post("/v1/credit_notes", params, key=key))

    def _apply(self, command: ApplyPayment, key: str) -> Snapshot:
        payment = self._same_currency(ObjectKind.PAYMENT, command.payment, command.currency)
        invoice = self._same_currency(ObjectKind.INVOICE, command.invoice, command.currency)
        owed = minor(whole_or_none(invoice, "amount_remaining") or 0, command.currency)
        free = self._unapplied(payment, command)
        if command.amount_minor != min(owed, free):
            message = "Stripe would apply another amount than was approved: the payment or the invoice has changed."
            raise OutsideError(message, permanent=True, owed=owed, free=free)
        self._mark(ObjectKind.PAYMENT, command.payment, {EXECUTION: key}, key)
        path = placed(SHELVES[ObjectKind.INVOICE].path, command.invoice, "attach_payment")
        self._calls.post(path, {"payment_intent": command.payment}, key=key)
        return self._invoice(command.invoice)

    def _cancel(self, command: CancelSubscription, key: str) -> Snapshot:
        self._mark(ObjectKind.SUBSCRIPTION, command.subscription, {EXECUTION: key}, key)
        path = placed(SHELVES[ObjectKind.SUBSCRIPTION].path, command.subscription)
        ended = self._calls.delete(path, {"invoice_now": "false", "prorate": "false"}, key=key)
        return self._provider.told(ObjectKind.SUBSCRIPTION, ended)

    def _name(self, command: NameTenant, key: str) -> Snapshot:
        marks = {TENANT: command.tenant or "", EXECUTION: key}
        named = self._mark(ObjectKind.CUSTOMER, command.customer, marks, key)
        return self._provider.told(ObjectKind.CUSTOMER, named)

    def _mark(self, kind: ObjectKind, thing: str, marks: Mapping[str, str], key: str) -> Document:
        return self._calls.post(placed(SHELVES[kind].path, thing), {"metadata": dict(marks)}, key=f"{key}:mark")

    def _document(self, kind: ObjectKind, thing: str) -> Document | None:
        return self._calls.found(placed(SHELVES[kind].path, thing), single(kind))

    def _same_currency(self, kind: ObjectKind, thing: str, currency: str) -> Document:
        """Return what a command is about. Raises: OutsideError where there is none, or one of another currency."""
        document = self._document(kind, thing)
        if document is None:
            raise OutsideError(f"Stripe has no such {kind.value}.", permanent=True, id=thing)
        if currency_of(document) != currency:
            raise OutsideError(f"The {kind.value} is of another currency.", permanent=True, id=thing)
        return document

    def _marked(self, kind: ObjectKind, chosen: Mapping[str, str], key: str) -> Snapshot | None:
        expand = {"expand": [f"data.{name}" for name in SHELVES[kind].expand]}
        for document in every(self._calls, SHELVES[kind].path, {**chosen, **expand}):
            if label(document, EXECUTION) == key:
                return self._provider.told(kind, document)
        return None

    def _own(self, kind: ObjectKind, thing: str, key: str, is_done: Callable[[Document], bool]) -> Snapshot | None:
        document = self._document(kind, thing)
        is_ours = document is not None and label(document, EXECUTION) == key and is_done(document)
        return self._provider.told(kind, document) if document is not None and is_ours else None

    def _invoice(self, invoice: str) -> Snapshot:
        found = self._provider.fetch(ObjectKind.INVOICE, invoice)
        if found is None:
            raise OutsideError("Stripe has no such invoice.", permanent=True, id=invoice)
        return found

    def _payments(self, payment: str) -> Iterable[Document]:
        chosen = {"payment": {"type": "payment_intent", "payment_intent": payment}}
        return every(self._calls, "/v1/invoice_payments", chosen)

    def _is_applied(self, command: ApplyPayment) -> bool:
        return any(
            each.get("invoice") == command.invoice and each.get("status") == "paid"
            for each in self._payments(command.payment)
        )

    def _unapplied(self, payment: Document, command: ApplyPayment) -> int:
        charge = part(payment, "latest_charge")
        taken = (whole_or_none(charge, "amount_captured") or 0) - (whole_or_none(charge, "amount_refunded") or 0)
        given = sum(whole_or_none(each, "amount_paid") or 0 for each in self._payments(command.payment))
        return minor(taken - given, command.currency)


def _marks(key: str, reason: str) -> dict[str, str]:
    return {EXECUTION: key, REASON: reason[:_LONGEST_LABEL]}


def _is_canceled(subscription: Document) -> bool:
    return subscription.get("status") == "canceled"
