"""`entitlement.grant_grace`: keep what is paid for by a tenant that has not paid, until a date and for one cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from console.domain.access_changes import access_effect, behind, with_condition
from console.domain.changes import Applied, Change, Preview
from console.domain.effective_changes import differences, said
from console.domain.effective_set import effective
from console.domain.effective_store import what_if
from console.domain.entitlements import Condition, ConditionKind
from console.domain.errors import ConflictError
from console.domain.ids import ActionKey
from console.domain.moments import day_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_CAUSES = {
    "payment_overdue": "Payment is overdue",
    "provider_fault": "The billing provider is at fault",
    "contract_renewal": "The contract is being renewed",
    "coverage_dispute": "What was paid for is disputed",
}
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`until` is exclusive, start of day UTC."""

    cause: str
    until: date


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(cause=values["cause"], until=values["until"])


def choices(field: str, _tools: Tools) -> tuple[Choice, ...]:
    """Return the causes for which grace is granted."""
    return tuple(Choice(value=key, label=label) for key, label in _CAUSES.items()) if field == "cause" else ()


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the tenant keeps until then, and what it loses when the grace is over; raises Fault."""
    grace, inputs = _grace(params, tools), tools.plane().inputs()
    changed = with_condition(inputs, grace)
    effects = what_if(inputs, changed, tools.now)
    return Preview(
        sentence=f"Grant grace until {day_of(params.until)}: {grace.cause}",
        changes=(Change(field="Grace", before=None, after=f"{grace.cause}, until {day_of(params.until)}, 00:00 UTC"),),
        fingerprint={"entitlement_version": tools.plane().account().entitlement_version, "grace": grace.id},
        facts={"days": -((tools.now - _until(params)) // timedelta(days=1))},
        warnings=_afterwards(grace, tools),
        customer=f"What is paid for by plan, contract and add-ons stays until {day_of(params.until)}.",
        target_type="grace",
        target_id=grace.id,
        access=access_effect(effects, also=behind(tools.plane().effective_set(), inputs, tools.now)),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Store the grace; raises Fault where one of this cause and reference stands already."""
    grace = _grace(params, tools)
    try:
        tools.plane().add_condition(grace, reference=tools.reason.reference, by=tools.requester, at=tools.now)
    except ConflictError:
        raise Fault("cause", _taken(grace.cause)) from None
    return Applied(
        sentence=f"Grace runs until {day_of(params.until)}.",
        changes=(Change(field="Grace", before=None, after=f"{grace.cause}, until {day_of(params.until)}"),),
    )


def _grace(params: Params, tools: Tools) -> Condition:
    if params.cause not in _CAUSES:
        raise Fault("cause", "Choose a cause from the list.")
    if _until(params) <= tools.now:
        raise Fault("until", f"Choose a day after today ({day_of(tools.now)}, UTC).")
    cause = _CAUSES[params.cause]
    grace = Condition(
        id=f"grace:{params.cause}:{tools.reason.reference}",
        kind=ConditionKind.GRACE,
        cause=cause,
        starts_at=tools.now,
        until=_until(params),
    )
    known = [each for each in tools.plane().inputs().conditions if each.kind is ConditionKind.GRACE]
    if any(each.id == grace.id or (each.cause == cause and each.is_live(tools.now)) for each in known):
        raise Fault("cause", _taken(cause))
    return grace


def _taken(cause: str) -> str:
    return (
        f"There was grace for this cause and reference already, or it still runs ({cause.lower()}): one for each cause."
    )


def _afterwards(grace: Condition, tools: Tools) -> tuple[str, ...]:
    """Return what is lost at the end of the grace, as far as is known today."""
    inputs, end = with_condition(tools.plane().inputs(), grace), grace.until
    if end is None:
        return ()
    lost = [
        f"{change.before.feature.name}: {said(change.before)} → {said(change.after)}"
        for change in differences(effective(inputs, end - timedelta(microseconds=1)), effective(inputs, end))
    ]
    if not lost:
        return ("As things stand nothing changes when it ends: the tenant has all of it without grace.",)
    more = f", and {len(lost) - _MOST_SHOWN} more" if len(lost) > _MOST_SHOWN else ""
    return (f"When it ends, unless it is paid by then: {'; '.join(lost[:_MOST_SHOWN])}{more}.",)


def _until(params: Params) -> datetime:
    return datetime.combine(params.until, time.min, tzinfo=UTC)


ACTION = Action(
    key=ActionKey("entitlement.grant_grace"),
    version=2,
    title="Grant grace",
    button="Grant grace",
    icon="hourglass",
    effect=Effect.WRITE,
    reach=Reach.TENANT,
    fields=(
        ParamField(name="cause", label="Cause", input=Input.CHOICE, help="One grace for each cause and reference."),
        ParamField(
            name="until",
            label="Until",
            input=Input.DATE,
            help="The first day on which it no longer holds (00:00 UTC). Mandatory.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Keeps what a tenant has not paid for, until a date and for one cause.",
    customer_sees="That it keeps its access until the date, and the grace with its reason in the access log.",
    place="entitlements",
    moves_access=True,
)
