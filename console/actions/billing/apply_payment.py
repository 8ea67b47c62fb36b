"""`billing.apply_payment`: let a payment that nothing was paid with pay an open invoice of the same customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.billing import following, ledger
from console.domain.access_changes import ANSWERED
from console.domain.billing.bounds import Bound, payable, unapplied
from console.domain.billing.commands import ApplyPayment
from console.domain.billing.objects import BillingObject, Invoice, Payment
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`payment` and `invoice` are the provider's ids. Units: `amount_minor` minor units of `currency`, above 0."""

    payment: str
    invoice: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What an application is derived from."""

    payment: Payment
    invoice: Invoice
    beside: list[BillingObject]
    free: Bound
    owed: Bound


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    currency = values["currency"]
    return Params(
        payment=values["payment"],
        invoice=values["invoice"],
        amount_minor=ledger.amount_of(values["amount"], currency),
        currency=currency,
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return payment and invoice before and after; raises Fault."""
    read = _read(params, tools)
    currency, amount = params.currency, ledger.said(params.amount_minor, params.currency)
    left = read.invoice.remaining_minor - params.amount_minor
    number = read.invoice.number or read.invoice.id
    pays = "This pays the invoice in full" if left == 0 else f"{ledger.said(left, currency)} stays to be paid"
    effects = following.effects_of(tools, following.settled(tools, read.invoice, left_minor=left))
    return Preview(
        sentence=f"Apply {amount} of payment {read.payment.id} to invoice {number}",
        changes=(
            Change(
                field="Not applied of this payment",
                before=ledger.said(read.free.left_minor, currency),
                after=ledger.said(read.free.left_minor - params.amount_minor, currency),
            ),
            Change(
                field="Still to be paid",
                before=ledger.said(read.invoice.remaining_minor, currency),
                after=ledger.said(left, currency),
            ),
        ),
        fingerprint={
            **ledger.marks(read.free, read.payment, read.invoice, *read.beside),
            "owed_minor": read.owed.left_minor,
        },
        facts=ledger.sizes(params.amount_minor, read.free, "applied to invoices", "on its way to invoices"),
        warnings=(
            f"Books: {amount} moves from unapplied cash to receivables; no money leaves or comes.",
            *following.losses(effects, when=ANSWERED),
        ),
        customer=f"Invoice {number} shows {amount} as paid.",
        target_type="invoice",
        target_id=read.invoice.id,
        access=following.followed(tools, effects, when=ANSWERED, beside=f"{pays}."),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Note the application for the job, within bounds that nobody else can spend meanwhile; raises Fault."""
    tools.plane().provider_writes.lock()
    read = _read(params, tools)
    ledger.want(tools, command(params))
    number = read.invoice.number or read.invoice.id
    return Applied(
        sentence=f"{ledger.said(params.amount_minor, params.currency)} is on its way to invoice {number}.",
        changes=(
            Change(
                field="Not applied of this payment",
                before=ledger.said(read.free.left_minor, params.currency),
                after=ledger.said(read.free.left_minor - params.amount_minor, params.currency),
            ),
        ),
    )


def command(params: Params) -> ApplyPayment:
    """Return what the provider is asked for."""
    return ApplyPayment(
        payment=params.payment, invoice=params.invoice, amount_minor=params.amount_minor, currency=params.currency
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that asks the provider."""
    return ledger.write_job(command(params), execution)


def _read(params: Params, tools: Tools) -> _Read:
    """Return both sides; raises Fault where they do not belong together or the amount is more than either has."""
    waiting = ledger.writes_of(tools)
    payment = ledger.one(tools, Payment, params.payment, field="payment", label="payment")
    invoice = ledger.one(tools, Invoice, params.invoice, field="invoice", label="invoice")
    for each in (payment, invoice):
        ledger.check_currency(params.currency, each)
    if payment.customer != invoice.customer:
        raise Fault("invoice", "Payment and invoice belong to two customers; money never moves between customers.")
    if invoice.status != "open":
        raise Fault("invoice", f"This invoice is {invoice.status}; only an open one can be paid.")
    refunds, disputes = ledger.refunds_of(tools, payment), ledger.disputes_of(tools, payment)
    free, owed = unapplied(payment, refunds, disputes, waiting), payable(invoice, waiting)
    ledger.check_bound(free, params.amount_minor, verb="applied")
    ledger.check_bound(owed, params.amount_minor, verb="paid on this invoice")
    return _Read(payment=payment, invoice=invoice, beside=[*refunds, *disputes], free=free, owed=owed)


ACTION = Action(
    key=ActionKey("billing.apply_payment"),
    version=3,
    title="Apply a payment to an invoice",
    button="Apply payment",
    icon="check",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ledger.id_field("payment", "Payment", text="A payment that has paid for nothing.", example="pi_3Nxx"),
        ledger.id_field("invoice", "Invoice", text="An open invoice of the same customer.", example="in_1Nxx"),
        ledger.AMOUNT,
        ledger.CURRENCY,
    ),
    build=build,
    preview=preview,
    apply=apply,
    follow_up=follow_up,
    documentation="Lets an unapplied payment pay an open invoice of the same customer and currency.",
    customer_sees="The invoice as paid, as far as the payment goes.",
    place="billing",
)
