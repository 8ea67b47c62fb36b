"""`billing.refund`: send money of one payment back, within what is left of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.billing import following, ledger
from console.domain.billing.bounds import Bound, refundable
from console.domain.billing.commands import RefundPayment
from console.domain.billing.objects import Dispute, Invoice, Payment, Refund, Subscription
from console.domain.billing.particulars import is_going_on
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.moments import day_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Input, ParamField, Reach

REASONS = {
    "requested_by_customer": "The customer asked for it",
    "duplicate": "It was paid twice",
    "fraudulent": "The payment was fraudulent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`payment` is the provider's id. Units: `amount_minor` minor units of `currency`, above 0."""

    payment: str
    amount_minor: int
    currency: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a refund is derived from."""

    payment: Payment
    refunds: list[Refund]
    disputes: list[Dispute]
    bound: Bound


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    currency = values["currency"]
    return Params(
        payment=values["payment"],
        amount_minor=ledger.amount_of(values["amount"], currency),
        currency=currency,
        why=ledger.chosen(values["why"], REASONS, field="why"),
    )


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the reasons that a provider knows for a refund."""
    return ledger.options(REASONS) if field == "why" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what would go back, and what it means for access and books; raises Fault."""
    read = _read(params, tools)
    said, payment = ledger.said, read.payment
    refunded, period = read.bound.taken[0][1], _refunded_period(params, read, tools)
    amount = said(params.amount_minor, params.currency)
    return Preview(
        sentence=f"Refund {amount} of payment {payment.id}",
        changes=(
            _same("Captured of this payment", read.bound.whole_minor, payment.currency),
            Change(
                field="Refunded of this payment",
                before=said(refunded, payment.currency),
                after=said(refunded + params.amount_minor, payment.currency),
            ),
            *(_same(why.capitalize(), minor, payment.currency) for why, minor in read.bound.taken[1:]),
            Change(
                field="Can still be refunded",
                before=said(read.bound.left_minor, payment.currency),
                after=said(read.bound.left_minor - params.amount_minor, payment.currency),
            ),
            Change(field="Reason told to the provider", before=None, after=REASONS[params.why]),
        ),
        fingerprint=ledger.marks(read.bound, payment, *read.refunds, *read.disputes),
        facts=ledger.sizes(params.amount_minor, read.bound, "refunded", "refunds on their way"),
        warnings=tuple(_warnings(params, read, period)),
        customer=f"{amount} back on the way it was paid, within some days, and the refund in the access log.",
        target_type="payment",
        target_id=payment.id,
        access=following.followed(tools, following.NOTHING, beside=_kept(period)),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Note the refund for the job, within a bound that nobody else can spend meanwhile; raises Fault."""
    tools.plane().provider_writes.lock()
    read = _read(params, tools)
    ledger.want(tools, command(params))
    amount = ledger.said(params.amount_minor, params.currency)
    before = ledger.said(read.bound.left_minor, params.currency)
    after = ledger.said(read.bound.left_minor - params.amount_minor, params.currency)
    return Applied(
        sentence=f"The refund of {amount} is on its way to the provider.",
        changes=(Change(field="Can still be refunded", before=before, after=after),),
    )


def command(params: Params) -> RefundPayment:
    """Return what the provider is asked for."""
    return RefundPayment(
        payment=params.payment, amount_minor=params.amount_minor, currency=params.currency, reason=params.why
    )


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that asks the provider."""
    return ledger.write_job(command(params), execution)


def _read(params: Params, tools: Tools) -> _Read:
    """Return the payment with all that takes from it; raises Fault where the refund does not fit."""
    waiting = ledger.writes_of(tools)
    payment = ledger.one(tools, Payment, params.payment, field="payment", label="payment")
    ledger.check_currency(params.currency, payment)
    refunds, disputes = ledger.refunds_of(tools, payment), ledger.disputes_of(tools, payment)
    bound = refundable(payment, refunds, disputes, waiting)
    ledger.check_bound(bound, params.amount_minor, verb="refunded")
    return _Read(payment=payment, refunds=refunds, disputes=disputes, bound=bound)


def _same(field: str, minor: int, currency: str) -> Change:
    said = ledger.said(minor, currency)
    return Change(field=field, before=said, after=said)


def _kept(period: Subscription | None) -> str:
    """Return why a refund moves no access: it says nothing of the subscription."""
    if period is None:
        return "A refund alone takes nothing away."
    return f"Access is kept until {day_of(period.period_until)}, the end of the current period."


def _warnings(params: Params, read: _Read, period: Subscription | None) -> Iterator[str]:
    amount = ledger.said(params.amount_minor, params.currency)
    yield f"Books: {amount} leaves cash. Revenue and the invoice stay as they are until a credit note corrects them."
    if period is not None:
        yield "This gives all of the current period back: end the coverage too, unless it is meant that access stays."
    if read.disputes:
        yield "A dispute was opened about this payment: what its bank takes back must not be refunded as well."


def _refunded_period(params: Params, read: _Read, tools: Tools) -> Subscription | None:
    """Return the live subscription whose current period would be paid for by nothing any more."""
    is_all = sum(minor for _why, minor in read.bound.taken) + params.amount_minor >= read.bound.whole_minor
    for share in read.payment.allocations if is_all else ():
        invoice = ledger.maybe(tools, Invoice, share.invoice)
        if invoice is None or not any(line.period_from <= tools.now < line.period_until for line in invoice.lines):
            continue
        held = ledger.maybe(tools, Subscription, invoice.subscription)
        if held is not None and is_going_on(held):
            return held
    return None


ACTION = Action(
    key=ActionKey("billing.refund"),
    version=3,
    title="Refund a payment",
    button="Refund",
    icon="undo-2",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ledger.id_field(
            "payment", "Payment", text="The provider's id of one payment of this tenant.", example="pi_3Nxx"
        ),
        ledger.AMOUNT,
        ledger.CURRENCY,
        ParamField(name="why", label="Why", input=Input.CHOICE, help="What the provider is told."),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    documentation="Sends money of one payment back, at most captured less refunded, disputed and on its way.",
    customer_sees="The money on the way it was paid, and the refund in the access log.",
    place="billing",
)
