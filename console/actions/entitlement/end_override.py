"""`entitlement.end_override`: end an override before its date, so that plan and add-ons decide again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from console.domain.access_changes import access_effect, behind
from console.domain.changes import Applied, Change, Preview
from console.domain.effective_set import effective_of, without_suspension
from console.domain.effective_store import what_if
from console.domain.entitlements import Entitlement, Grant, GrantSource, Inputs
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`override` is the id of a live override of this tenant."""

    override: str


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(override=values["override"])


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the overrides that run now."""
    if field != "override":
        return ()
    live = [grant for grant in _overrides(tools) if grant.is_live(tools.now)]
    return tuple(
        Choice(value=grant.id, label=f"{grant.feature}: {grant.value:,}", current=grant.label) for grant in live
    )


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the tenant would fall back to; raises Fault."""
    grant = _live(params, tools)
    inputs = tools.plane().inputs()
    now, then = _now_and_then(grant, inputs, tools)
    effects = what_if(inputs, _without(grant, inputs), tools.now)
    return Preview(
        sentence=f"End the override of {now.feature.name}: {_shown(now)} → {_shown(then)}",
        changes=(
            Change(field=now.feature.name, before=_shown(now), after=_shown(then)),
            Change(field="Override", before=grant.label, after="ended"),
        ),
        fingerprint={"entitlement_version": tools.plane().account().entitlement_version, "override": grant.id},
        facts={"is_raise": then.value > now.value},
        warnings=("The tenant will be able to use less than now.",) if then.value < now.value else (),
        customer=f"{now.feature.name} changes to {_shown(then)} at once.",
        target_type="override",
        target_id=grant.id,
        access=access_effect(effects, also=behind(tools.plane().effective_set(), inputs, tools.now)),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """End the override; raises Fault when it ended meanwhile."""
    grant = _live(params, tools)
    now, then = _now_and_then(grant, tools.plane().inputs(), tools)
    if not tools.plane().end_override(grant.id, at=tools.now):
        raise Fault("override", "This override ended meanwhile; there is nothing left to do.")
    return Applied(
        sentence=f"The override of {now.feature.name} ended; it is {_shown(then)} now.",
        changes=(Change(field=now.feature.name, before=_shown(now), after=_shown(then)),),
    )


def _overrides(tools: Tools) -> list[Grant]:
    return [grant for grant in tools.plane().grants() if grant.source is GrantSource.OVERRIDE]


def _live(params: Params, tools: Tools) -> Grant:
    for grant in _overrides(tools):
        if grant.id == params.override and grant.is_live(tools.now):
            return grant
    raise Fault("override", "Choose an override that runs now.")


def _without(grant: Grant, inputs: Inputs) -> Inputs:
    return replace(inputs, grants=tuple(other for other in inputs.grants if other.id != grant.id))


def _now_and_then(grant: Grant, inputs: Inputs, tools: Tools) -> tuple[Entitlement, Entitlement]:
    """Return the row with and without the override, measured as if nobody had suspended the tenant; raises Fault."""
    known = without_suspension(inputs)
    now = effective_of(grant.feature, known, tools.now)
    then = effective_of(grant.feature, _without(grant, known), tools.now)
    if now is None or then is None:
        raise Fault("override", "The catalogue no longer has this feature, so the override has no effect.")
    return now, then


def _shown(entitlement: Entitlement) -> str:
    return entitlement.feature.worded(entitlement.value)


ACTION = Action(
    key=ActionKey("entitlement.end_override"),
    version=2,
    title="End an override",
    button="End override",
    icon="undo-2",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="override",
            label="Override",
            input=Input.CHOICE,
            help="Only overrides that run now can be ended.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    documentation="Ends an override before its date; plan and add-ons decide again from that moment.",
    customer_sees="The limit of the plan at once, and the change in the access log.",
    place="entitlements",
    is_beside_its_thing=True,
    moves_access=True,
)
