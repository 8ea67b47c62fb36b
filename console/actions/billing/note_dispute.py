"""`billing.note_dispute`: hold while a dispute is open, reverse once when it is lost, restore when it is won."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.billing import ledger
from console.domain.access_changes import no_access_change
from console.domain.billing.disputes import Standing, standing_of
from console.domain.billing.objects import Dispute, Invoice, ObjectKind, Payment, Price
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.domain.reconciling.books import Hold
from console.domain.reconciling.holds import noted, worded
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Reach

_ACCESS = {
    Standing.OPEN: "Nothing is taken away while the dispute is open.",
    Standing.LOST: "What this payment bought ends by an action of its own: end the coverage.",
    Standing.WON: "Nothing had been taken away while it was open.",
}
_BOOKS = {
    Standing.OPEN: "Books: {amount} is held at the provider and counts against every refund of this payment.",
    Standing.LOST: "Books: {amount} is gone, once; a refund on top would give it back twice.",
    Standing.WON: "Books: {amount} is ours again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`dispute` is the provider's id."""

    dispute: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The dispute, what is noted of it and what ought to be."""

    dispute: Dispute
    payment: Payment
    standing: Standing
    before: Hold | None
    after: Hold


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(dispute=values["dispute"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return what is noted, and the plan that was bought, not today's; raises Fault."""
    read = _read(params, tools)
    return Preview(
        sentence=f"Note that dispute {read.dispute.id} is {read.standing.value}",
        changes=(
            Change(field="On our side", before=worded(read.before), after=worded(read.after)),
            Change(
                field="Plan that the payment bought",
                before=None if read.before is None else read.before.plan_at_purchase,
                after=read.after.plan_at_purchase,
            ),
        ),
        fingerprint={
            **ledger.marks(None, read.dispute, read.payment),
            "noted": worded(read.before) or "nothing",
        },
        warnings=tuple(_warnings(read, tools)),
        customer="Nothing.",
        target_type="dispute",
        target_id=read.dispute.id,
        access=no_access_change(_ACCESS[read.standing]),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write what is noted, from what was seen; raises Fault when it moved meanwhile."""
    tools.plane().provider_writes.lock()
    read = _read(params, tools)
    if not tools.plane().put_hold(read.after, before=read.before, at=tools.now):
        raise Fault("dispute", "Somebody noted this dispute meanwhile; look at it again.")
    return Applied(
        sentence=f"Dispute {read.dispute.id} is noted: {worded(read.after)}.",
        changes=(Change(field="On our side", before=worded(read.before), after=worded(read.after)),),
    )


def _read(params: Params, tools: Tools) -> _Read:
    """Return dispute and hold; raises Fault for a status that nobody knows, and where all is noted already."""
    dispute = ledger.one(tools, Dispute, params.dispute, field="dispute", label="dispute")
    payment = ledger.one(tools, Payment, dispute.payment, field="dispute", label="payment behind the dispute")
    standing = standing_of(dispute)
    if standing is None:
        raise Fault("dispute", f"The provider calls it {dispute.status}, which nobody here knows; nothing is guessed.")
    before = next((each for each in tools.plane().holds() if each.dispute == dispute.id), None)
    plan = _bought(payment, tools) if before is None else before.plan_at_purchase
    after = noted(dispute, before, plan=plan)
    if after is None:
        raise Fault("dispute", f"This dispute is noted already: {worded(before)}.")
    return _Read(dispute=dispute, payment=payment, standing=standing, before=before, after=after)


def _bought(payment: Payment, tools: Tools) -> str | None:
    """Return the plan that a payment bought, by the price on the invoice's own line; None where it bought none."""
    for share in payment.allocations:
        invoice = ledger.maybe(tools, Invoice, share.invoice)
        for line in () if invoice is None else invoice.lines:
            told = None if line.price is None else tools.provider.fetch(ObjectKind.PRICE, line.price)
            if told is not None and isinstance(told.thing, Price) and told.thing.plan is not None:
                return told.thing.plan
    return None


def _warnings(read: _Read, tools: Tools) -> Iterator[str]:
    yield _BOOKS[read.standing].format(amount=ledger.said(read.dispute.amount_minor, read.dispute.currency))
    today = tools.plane().subscription()
    bought = read.after.plan_at_purchase
    if bought is None:
        yield "Nobody can tell which plan this payment bought: look at its invoice."
    elif today is not None and today.plan_key != bought:
        yield f"The tenant has {today.plan_key} today; what counts is {bought}, which this payment bought."


ACTION = Action(
    key=ActionKey("billing.note_dispute"),
    version=2,
    title="Note a dispute",
    button="Note dispute",
    icon="flag",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(ledger.id_field("dispute", "Dispute", text="The provider's id of the dispute.", example="dp_1Nxx"),),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Holds while a dispute is open, reverses once when it is lost, restores when it is won.",
    customer_sees="Nothing.",
    place="billing",
)
