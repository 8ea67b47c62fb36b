"""`entitlement.end_coverage`: end now what was paid for and has been paid back; nothing is deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.domain.access_changes import access_effect, behind, loss_warnings, with_condition
from console.domain.billing.objects import ObjectKind, Payment, Refund
from console.domain.billing.tie_outs import SUCCEEDED
from console.domain.changes import Applied, Change, Preview
from console.domain.effective_store import what_if
from console.domain.entitlements import Condition, ConditionKind
from console.domain.errors import ConflictError
from console.domain.ids import ActionKey
from console.domain.moments import day_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`refund` is what paid it back: the provider's id of a refund or credit note."""

    refund: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(refund=values["refund"])


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the tenant loses at once, and when the next period begins; raises Fault."""
    ended, inputs = _ended(params, tools), tools.plane().inputs()
    effects = what_if(inputs, with_condition(inputs, ended), tools.now)
    if not effects.rows:
        raise Fault("refund", "Nothing that was paid for gives this tenant anything now; there is nothing to end.")
    return Preview(
        sentence="End the coverage of the current period now",
        changes=(Change(field="Coverage", before="runs", after=_words(ended)),),
        fingerprint={"entitlement_version": tools.plane().account().entitlement_version, "coverage": ended.id},
        warnings=(
            *loss_warnings(effects),
            "Trials and overrides stay: end them apart. Subscription, invoices and refund are kept as they are.",
            _proof(params, tools),
        ),
        customer=f"What was paid for ends at once{_next(ended)}.",
        target_type="coverage",
        target_id=ended.id,
        access=access_effect(effects, also=behind(tools.plane().effective_set(), inputs, tools.now)),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the end of the coverage; raises Fault where the same refund ended one before."""
    ended = _ended(params, tools)
    try:
        tools.plane().add_condition(ended, reference=tools.reason.reference, by=tools.requester, at=tools.now)
    except ConflictError:
        raise Fault("refund", _USED) from None
    return Applied(
        sentence=f"The coverage ended{_next(ended)}.",
        changes=(Change(field="Coverage", before="runs", after=_words(ended)),),
    )


def _proof(params: Params, tools: Tools) -> str:
    """Return how far the mirror proves that all was paid back; raises Fault where it proves the contrary."""
    told = tools.plane().mirror.get(ObjectKind.REFUND, params.refund)
    if told is None or told.is_deleted or not isinstance(told.thing, Refund):
        return "Our mirror does not know this refund: whether all was paid back is the approver's to check."
    refund = told.thing
    if refund.status != SUCCEEDED:
        raise Fault("refund", f"This refund is {refund.status}; nothing was paid back by it yet.")
    paid = tools.plane().mirror.get(ObjectKind.PAYMENT, refund.payment)
    if paid is None or not isinstance(paid.thing, Payment):
        return "Our mirror does not know the payment of this refund: the approver checks that all was paid back."
    if paid.thing.refunded_minor < paid.thing.captured_minor:
        raise Fault("refund", "The payment of this refund was paid back in part only; the rest is still paid for.")
    return f"The mirror says that all of payment {refund.payment} was paid back."


_USED = "This refund has ended a coverage before."


def _ended(params: Params, tools: Tools) -> Condition:
    """Return the end of the coverage: until the period ends that was paid back, as the next one is paid for anew."""
    known = f"coverage:{params.refund}"
    if any(each.id == known for each in tools.plane().inputs().conditions):
        raise Fault("refund", _USED)
    held = tools.plane().subscription()
    renews: datetime | None = None if held is None else held.renews_at
    return Condition(
        id=known,
        kind=ConditionKind.COVERAGE_ENDED,
        cause=f"paid back with {params.refund}",
        starts_at=tools.now,
        until=renews if renews is not None and renews > tools.now else None,
    )


def _words(ended: Condition) -> str:
    return f"ended now, {ended.cause}"


def _next(ended: Condition) -> str:
    return "" if ended.until is None else f"; the next period begins on {day_of(ended.until)}"


ACTION = Action(
    key=ActionKey("entitlement.end_coverage"),
    version=2,
    title="End the coverage",
    button="End coverage",
    icon="calendar-clock",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="refund",
            label="Refund",
            input=Input.TEXT,
            help="What paid the whole period back: the provider's id of the refund or credit note.",
            pattern="(re|pyr|cn)_[A-Za-z0-9_]{3,60}",
            pattern_example="re_1Nv2xY",
            most=64,
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    documentation="Ends at once what was paid for in a period that was paid back; nothing is deleted.",
    customer_sees="That what was paid for has ended, and why, in the access log.",
    place="entitlements",
    moves_access=True,
)
