"""`billing.issue_credit`: correct an invoice by a credit note, within what of it is not credited yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from console.actions.billing import following, ledger
from console.domain.access_changes import ANSWERED
from console.domain.billing.bounds import Bound, creditable, payable, refundable, split
from console.domain.billing.commands import CreditTo, IssueCreditNote
from console.domain.billing.objects import BillingObject, CreditNote, Invoice, Payment
from console.domain.billing.writes import ProviderWrite
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

REASONS = {
    "order_change": "The order changed",
    "product_unsatisfactory": "The product did not do what was promised",
    "duplicate": "It was billed twice",
    "fraudulent": "The order was fraudulent",
}
TO = {
    CreditTo.REFUND.value: "Back to where it was paid from",
    CreditTo.BALANCE.value: "Credit for the next invoices",
    CreditTo.OUT_OF_BAND.value: "Paid back outside the provider",
}
_CREDITABLE = frozenset({"open", "paid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`invoice` is the provider's id. Units: minor units of `currency`; `amount_minor` is above 0.

    Shape: `back_minor` is how much of it was paid already. People approve it as a figure of its own, because the
    provider may know of a payment that the mirror does not know yet.
    """

    invoice: str
    amount_minor: int
    back_minor: int
    currency: str
    to: CreditTo
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a credit note is derived from."""

    invoice: Invoice
    notes: list[CreditNote]
    beside: list[BillingObject]
    bound: Bound
    before_minor: int
    after_minor: int


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    currency = values["currency"]
    return Params(
        invoice=values["invoice"],
        amount_minor=ledger.amount_of(values["amount"], currency),
        back_minor=ledger.amount_or_none(values["back"], currency, field="back"),
        currency=currency,
        to=CreditTo(ledger.chosen(values["to"], TO, field="to")),
        why=ledger.chosen(values["why"], REASONS, field="why"),
    )


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return where the money may go, and the reasons that a provider knows."""
    return ledger.options({"to": TO, "why": REASONS}.get(field, {}))


def preview(params: Params, tools: Tools) -> Preview:
    """Return the invoice before and after, and where the money goes; raises Fault."""
    read = _read(params, tools)
    currency, credited = params.currency, read.bound.taken[0][1]
    amount = ledger.said(params.amount_minor, currency)
    number = read.invoice.number or read.invoice.id
    left = read.invoice.remaining_minor - read.before_minor
    effects = following.effects_of(tools, following.settled(tools, read.invoice, left_minor=left))
    return Preview(
        sentence=f"Credit {amount} of invoice {number}",
        changes=(
            Change(
                field="Credited of this invoice",
                before=ledger.said(credited, currency),
                after=ledger.said(credited + params.amount_minor, currency),
            ),
            Change(
                field="Still to be paid",
                before=ledger.said(read.invoice.remaining_minor, currency),
                after=ledger.said(left, currency),
            ),
            Change(field=TO[params.to.value], before=None, after=ledger.said(read.after_minor, currency)),
            Change(field="Reason told to the provider", before=None, after=REASONS[params.why]),
        ),
        fingerprint=ledger.marks(read.bound, read.invoice, *read.notes, *read.beside),
        facts=ledger.sizes(params.amount_minor, read.bound, "credited", "credit notes on their way"),
        warnings=(*_warnings(params, read), *following.losses(effects, when=ANSWERED)),
        customer=f"A credit note of {amount} for invoice {number}.",
        target_type="invoice",
        target_id=read.invoice.id,
        access=following.followed(tools, effects, when=ANSWERED, beside="A credit note alone takes nothing away."),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Note the credit for the job, within a bound that nobody else can spend meanwhile; raises Fault."""
    tools.plane().provider_writes.lock()
    read = _read(params, tools)
    ledger.want(tools, command(params))
    left, amount = read.bound.left_minor, ledger.said(params.amount_minor, params.currency)
    return Applied(
        sentence=f"The credit note of {amount} is on its way to the provider.",
        changes=(
            Change(
                field="Can still be credited",
                before=ledger.said(left, params.currency),
                after=ledger.said(left - params.amount_minor, params.currency),
            ),
        ),
    )


def command(params: Params) -> IssueCreditNote:
    """Return what the provider is asked for."""
    return IssueCreditNote(
        invoice=params.invoice,
        amount_minor=params.amount_minor,
        currency=params.currency,
        to=params.to,
        reason=params.why,
        back_minor=params.back_minor,
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that asks the provider."""
    return ledger.write_job(command(params), execution)


def _read(params: Params, tools: Tools) -> _Read:
    """Return the invoice with all that was credited of it; raises Fault where the credit does not fit."""
    waiting = ledger.writes_of(tools)
    invoice = ledger.one(tools, Invoice, params.invoice, field="invoice", label="invoice")
    ledger.check_currency(params.currency, invoice)
    if invoice.status not in _CREDITABLE:
        raise Fault("invoice", f"This invoice is {invoice.status}; only one that is open or paid can be credited.")
    notes = ledger.notes_of(tools, invoice)
    bound = creditable(invoice, notes, waiting)
    ledger.check_bound(bound, params.amount_minor, verb="credited")
    before, after = split(payable(invoice, waiting).left_minor, params.amount_minor)
    if after != params.back_minor:
        exact = ledger.said(after, params.currency)
        raise Fault("back", f"Of this credit {exact} was paid already: give exactly that amount here.")
    refunds = params.to is CreditTo.REFUND and after > 0
    beside = _given_back(params, tools, invoice, after, waiting) if refunds else []
    return _Read(invoice=invoice, notes=notes, beside=beside, bound=bound, before_minor=before, after_minor=after)


def _given_back(
    params: Params, tools: Tools, invoice: Invoice, after_minor: int, waiting: Sequence[ProviderWrite]
) -> list[BillingObject]:
    """Return what paid the invoice; raises Fault where a credit would refund what is refunded or on its way already."""
    left, beside = 0, list[BillingObject]()
    for payment in ledger.payments_of(tools, invoice):
        refunds, disputes = ledger.refunds_of(tools, payment), ledger.disputes_of(tools, payment)
        beside += [payment, *refunds, *disputes]
        left += min(refundable(payment, refunds, disputes, waiting).left_minor, _paid(payment, invoice))
    if after_minor > left:
        most = ledger.said(left, params.currency)
        raise Fault("amount", f"Of what paid this invoice only {most} can still go back; credit the rest otherwise.")
    return beside


def _paid(payment: Payment, invoice: Invoice) -> int:
    return sum(each.amount_minor for each in payment.allocations if each.invoice == invoice.id)


def _warnings(params: Params, read: _Read) -> Iterator[str]:
    amount = ledger.said(params.amount_minor, params.currency)
    before, after = (ledger.said(each, params.currency) for each in (read.before_minor, read.after_minor))
    yield f"Books: revenue falls by {amount}: {before} was not paid yet, {after} was paid before."
    if params.to is CreditTo.OUT_OF_BAND and read.after_minor:
        yield f"The provider moves no money: somebody must pay {after} back, or it stays owed."
    if params.to is CreditTo.BALANCE and read.after_minor:
        yield f"{after} waits as credit and pays the next invoices of this customer."


ACTION = Action(
    key=ActionKey("billing.issue_credit"),
    version=4,
    title="Issue a credit note",
    button="Issue credit",
    icon="receipt",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ledger.id_field(
            "invoice", "Invoice", text="The provider's id of one invoice of this tenant.", example="in_1Nxx"
        ),
        ledger.AMOUNT,
        ledger.CURRENCY,
        replace(
            ledger.AMOUNT,
            name="back",
            label="Of it paid already",
            help="What goes back of it; empty for nothing. The provider is never let give back more.",
            is_required=False,
        ),
        ParamField(
            name="to", label="What was paid goes", input=Input.CHOICE, help="For the part that is paid already."
        ),
        ParamField(name="why", label="Why", input=Input.CHOICE, help="What the provider is told."),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    documentation="Corrects an invoice by a counter-entry, at most its total less what is credited or on its way.",
    customer_sees="A credit note, and less to pay or money back.",
    place="billing",
)
