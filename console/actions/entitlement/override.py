"""`entitlement.override`: give a tenant another value for one feature until a date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from console.domain.changes import Applied, Change, Preview
from console.domain.entitlements import Entitlement, FeatureKind, Grant, GrantSource, effective
from console.domain.ids import ActionKey
from console.domain.reasons import Effect
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach, Tools

_MOST_UNITS = 1_000_000_000
_MOST_PERCENT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`value` in units of the feature; `until` is exclusive, start of day UTC."""

    feature: str
    value: int
    until: date


def build(values: Mapping[str, Any]) -> Params:
    """Return typed parameters from parsed values."""
    return Params(feature=values["feature"], value=values["value"], until=values["until"])


def choices(field: str, tools: Tools) -> tuple[Choice, ...]:
    """Return the features of the plane, each with what the tenant has now."""
    if field != "feature":
        return ()
    plane = tools.plane()
    grants = plane.grants()
    return tuple(
        Choice(value=f.key, label=f.name, current=_amount(effective(f, grants, tools.now))) for f in plane.features()
    )


def current(params: Mapping[str, str], tools: Tools) -> Mapping[str, str]:
    """Return the current value beside the field, once a feature is chosen."""
    chosen = params.get("feature", "")
    if not chosen or all(feature.key != chosen for feature in tools.plane().features()):
        return {}
    return {"value": f"now {_amount(_entitlement(chosen, tools))}"}


def units(params: Mapping[str, str], tools: Tools) -> Mapping[str, str]:
    """Return the chosen feature's unit; none before one is chosen, and none for a switch."""
    chosen = (f for f in tools.plane().features() if f.key == params.get("feature"))
    return {"value": next((f.unit for f in chosen if f.kind is not FeatureKind.SWITCH), "")}


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the tenant would have instead, without changing it; raises Fault."""
    now = _entitlement(params.feature, tools)
    until = _until(params, tools)
    _check_value(params, now)
    feature = now.feature
    is_raise = params.value > now.value
    increase = _increase_percent(now, params.value)
    warnings = []
    if now.winners and now.winners[0].source is GrantSource.OVERRIDE:
        warnings.append(f"This replaces the override that runs now ({now.winners[0].label}).")
    if not is_raise:
        warnings.append("The tenant will be able to use less than now.")
    after = feature.worded(params.value)
    return Preview(
        sentence=f"{feature.name}: {_amount(now)} → {after} until {params.until:%-d %b %Y}",
        changes=(
            Change(field=feature.name, before=_amount(now), after=after),
            Change(field="Decided by", before=_winner(now), after=_override(tools.reason.reference)),
            Change(field="Valid until", before=_end(now.valid_until), after=f"{params.until:%Y-%m-%d} 00:00 UTC"),
        ),
        fingerprint={"entitlement_version": tools.plane().account().entitlement_version},
        facts={
            "is_raise": is_raise,
            "is_paid_raise": is_raise and feature.is_paid,
            "increase_percent": increase,
            "days": -((tools.now - until) // timedelta(days=1)),
        },
        warnings=tuple(warnings),
        customer=f"{feature.name} changes to {after} at once and goes back on {params.until:%-d %b %Y}.",
        target_type="entitlement",
        target_id=feature.key,
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the override; the caller has decided, and records the outcome."""
    before = _entitlement(params.feature, tools)
    grant = Grant(
        source=GrantSource.OVERRIDE,
        id=tools.ids.new("ovr"),
        label=f"Override by {tools.requester_name} ({tools.reason.reference})",
        feature=params.feature,
        value=params.value,
        starts_at=tools.now,
        until=_until(params, tools),
        reference=tools.reason.reference,
    )
    tools.plane().add_override(grant, by=tools.requester, at=tools.now)
    feature = before.feature
    after = feature.worded(params.value)
    return Applied(
        sentence=f"{feature.name} is {after} until {params.until:%-d %b %Y}.",
        changes=(Change(field=feature.name, before=_amount(before), after=after),),
    )


def _increase_percent(now: Entitlement, value: int) -> int:
    """Return the size of a raise; turning a switch on is 100 %, and from nothing each unit counts 100 %."""
    if value <= now.value:
        return 0
    if now.feature.kind is FeatureKind.SWITCH:
        return 100
    return min((value - now.value) * 100 // max(now.value, 1), _MOST_PERCENT)


def _entitlement(key: str, tools: Tools) -> Entitlement:
    plane = tools.plane()
    for feature in plane.features():
        if feature.key == key:
            return effective(feature, plane.grants(key), tools.now)
    raise Fault("feature", "Choose one of the features in the list.")


def _until(params: Params, tools: Tools) -> datetime:
    until = datetime.combine(params.until, time.min, tzinfo=UTC)
    if until <= tools.now:
        raise Fault("until", f"Choose a day after today ({tools.now:%Y-%m-%d}, UTC).")
    return until


def _check_value(params: Params, now: Entitlement) -> None:
    if now.feature.kind is FeatureKind.SWITCH and params.value not in {0, 1}:
        raise Fault("value", "This feature is a switch: 1 turns it on, 0 turns it off.")
    if params.value == now.value:
        raise Fault("value", f"The tenant already has {_amount(now)}; give another value.")


def _amount(entitlement: Entitlement) -> str:
    return entitlement.feature.worded(entitlement.value)


def _winner(entitlement: Entitlement) -> str | None:
    return " + ".join(grant.label for grant in entitlement.winners) or None


def _override(reference: str) -> str:
    return f"Override ({reference})" if reference else "Override"


def _end(moment: datetime | None) -> str:
    return "no end" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


ACTION = Action(
    key=ActionKey("entitlement.override"),
    version=1,
    title="Override a limit",
    button="Override limit",
    icon="sliders-horizontal",
    effect=Effect.DANGEROUS,
    reach=Reach.TENANT,
    fields=(
        ParamField(
            name="feature", label="Feature", input=Input.CHOICE, help="What the tenant has now stands beside it."
        ),
        ParamField(
            name="value",
            label="New value",
            input=Input.INTEGER,
            help="The value that holds while the override runs; for a switch 1 is on and 0 is off.",
            unit="units",
            least=0,
            most=_MOST_UNITS,
        ),
        ParamField(
            name="until",
            label="Until",
            input=Input.DATE,
            help="The first day on which the override no longer holds (00:00 UTC). Mandatory.",
        ),
    ),
    build=build,
    preview=preview,
    apply=apply,
    choices=choices,
    current=current,
    units=units,
    documentation="Gives a tenant a different value for one feature until a date; the plan stays as it is.",
    customer_sees="The new limit at once, and the change with its reason in the access log.",
    undo=ActionKey("entitlement.end_override"),
    place="entitlements",
)
