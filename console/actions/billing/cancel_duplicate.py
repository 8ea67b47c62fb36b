"""`billing.cancel_duplicate`: of two live subscriptions of one tenant keep one, and end the other at the provider."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.actions.billing import following, ledger
from console.domain.access_changes import ANSWERED
from console.domain.billing.commands import CancelSubscription
from console.domain.billing.objects import Invoice, Subscription
from console.domain.billing.particulars import decisive, is_going_on, item_of_plan
from console.domain.changes import Applied, Change, Preview
from console.domain.ids import ActionKey, ExecutionId
from console.domain.jobs import JobDraft
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

BOTH = {
    "no": "Only one of them was ever paid",
    "yes": "Both were paid; the one to keep survives",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`keep` and `cancel` are the provider's ids; `both_paid` says that somebody knows that both were paid."""

    keep: str
    cancel: str
    both_paid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The two, and what was paid under each."""

    keep: Subscription
    cancel: Subscription
    kept: list[Invoice]
    cancelled: list[Invoice]

    @property
    def are_both_paid(self) -> bool:
        """Return whether money came for both."""
        return all(any(each.paid_minor for each in side) for side in (self.kept, self.cancelled))


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values; raises Fault."""
    if values["keep"] == values["cancel"]:
        raise Fault("cancel", "Name two subscriptions: one to keep, and another to end.")
    both = ledger.chosen(values["both_paid"], BOTH, field="both_paid")
    return Params(keep=values["keep"], cancel=values["cancel"], both_paid=both == "yes")


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return what may be stated of both."""
    return ledger.options(BOTH) if field == "both_paid" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return which one ends and what access follows then; raises Fault."""
    read = _read(params, tools)
    effects = following.effects_of(tools, following.ended(tools, read.cancel))
    return Preview(
        sentence=f"End the duplicate subscription {read.cancel.id} and keep {read.keep.id}",
        changes=(
            Change(field=f"Ends: {_said(read.cancel)}", before=read.cancel.status, after="canceled"),
            Change(field=f"Stays: {_said(read.keep)}", before=read.keep.status, after=read.keep.status),
        ),
        fingerprint=ledger.marks(None, read.keep, read.cancel, *read.kept, *read.cancelled),
        facts={"both_paid": read.are_both_paid},
        warnings=(*_warnings(read), *following.losses(effects, when=ANSWERED)),
        customer=f"Only {read.keep.id} is billed from now on.",
        target_type="subscription",
        target_id=read.cancel.id,
        access=following.followed(tools, effects, when=ANSWERED, beside=_decides(read)),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Note the end for the job; raises Fault."""
    tools.plane().provider_writes.lock()
    read = _read(params, tools)
    ledger.want(tools, command(params))
    return Applied(
        sentence=f"The end of {read.cancel.id} is on its way to the provider.",
        changes=(Change(field=f"Ends: {_said(read.cancel)}", before=read.cancel.status, after="canceled"),),
    )


def command(params: Params) -> CancelSubscription:
    """Return what the provider is asked for."""
    return CancelSubscription(subscription=params.cancel)


def follow_up(params: Params, execution: ExecutionId) -> tuple[JobDraft, ...]:
    """Return the job that asks the provider."""
    return ledger.write_job(command(params), execution)


def _read(params: Params, tools: Tools) -> _Read:
    """Return both; raises Fault where they are no duplicates, or nobody has said which of two used ones survives."""
    waiting = ledger.writes_of(tools)
    keep, cancel = (
        ledger.one(tools, Subscription, thing, field=field, label="subscription")
        for field, thing in (("keep", params.keep), ("cancel", params.cancel))
    )
    for field, each in (("keep", keep), ("cancel", cancel)):
        if not is_going_on(each):
            raise Fault(field, f"This subscription is {each.status}; both must be going on to be duplicates.")
        if any(write.subject == each.id for write in waiting):
            raise Fault(field, "This subscription is being ended already.")
    kept, cancelled = (ledger.invoices_of(tools, each) for each in (keep, cancel))
    read = _Read(keep=keep, cancel=cancel, kept=kept, cancelled=cancelled)
    if read.are_both_paid and not params.both_paid:
        raise Fault("both_paid", "Both were paid, so neither is plainly the duplicate: say which one survives.")
    return read


def _said(subscription: Subscription) -> str:
    item = item_of_plan(subscription)
    plan = "no plan of ours" if item is None else f"{item.plan} x {item.quantity or 1}"
    return f"{subscription.id} ({plan}, customer {subscription.customer})"


def _decides(read: _Read) -> str:
    if decisive((read.keep, read.cancel)) == read.cancel:
        return f"It follows {read.cancel.id} today and will follow {_said(read.keep)}."
    return f"It follows {_said(read.keep)} as today."


def _warnings(read: _Read) -> Iterator[str]:
    for currency in sorted({each.currency for each in read.cancelled}):
        paid = sum(each.paid_minor for each in read.cancelled if each.currency == currency)
        owed = sum(
            each.remaining_minor for each in read.cancelled if each.currency == currency and each.status == "open"
        )
        said = ledger.said
        yield f"Books: {said(paid, currency)} was paid under it and stays; refund or credit it by an action of its own."
        if owed:
            yield f"Books: {said(owed, currency)} of it is still open and is not forgiven by this."
    if read.keep.customer != read.cancel.customer:
        yield "The two belong to two customers of the provider; both stay linked to this tenant."


ACTION = Action(
    key=ActionKey("billing.cancel_duplicate"),
    version=2,
    title="Cancel a duplicate subscription",
    button="Cancel duplicate",
    icon="circle-x",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ledger.id_field("keep", "Keep", text="The subscription that goes on.", example="sub_1Nxx"),
        ledger.id_field("cancel", "Cancel", text="The one that ends at once, at the provider.", example="sub_1Nyy"),
        ParamField(
            name="both_paid", label="Was it paid?", input=Input.CHOICE, help="Two that were both paid need a decision."
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    follow_up=follow_up,
    documentation="Ends one of two live subscriptions of a tenant at the provider and keeps the other.",
    customer_sees="One subscription instead of two.",
    place="billing",
)
