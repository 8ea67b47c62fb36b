"""`entitlement.override`: give a tenant another value for one feature until a date."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from console.domain.access_changes import access_effect, behind
from console.domain.changes import Applied, Change, Preview
from console.domain.effective_changes import WORDS, next_change
from console.domain.effective_set import effective, effective_of, without_suspension
from console.domain.effective_store import what_if
from console.domain.entitlements import Access, Entitlement, FeatureKind, Grant, GrantSource, Inputs
from console.domain.ids import ActionKey
from console.domain.moments import day_of, minute_of
from console.domain.reasons import Effect
from console.ports.action_tools import Tools
from console.ports.actions import Action, Choice, Fault, Input, ParamField, Reach

_MOST_UNITS = 1_000_000_000
_MOST_PERCENT = 1_000_000
_NEW = "~new"  # sorts after every id, as the newest override does


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
    inputs = without_suspension(tools.plane().inputs())
    return tuple(
        Choice(value=row.feature.key, label=row.feature.name, current=_amount(row))
        for row in effective(inputs, tools.now)
    )


def current(params: Mapping[str, str], tools: Tools) -> Mapping[str, str]:
    """Return the current value beside the field, once a feature is chosen."""
    chosen = params.get("feature", "")
    if not chosen or all(feature.key != chosen for feature in tools.plane().features()):
        return {}
    return {"value": f"now {_amount(_entitlement(chosen, tools.plane().inputs(), tools.now))}"}


def units(params: Mapping[str, str], tools: Tools) -> Mapping[str, str]:
    """Return the chosen feature's unit; none before one is chosen, and none for a switch."""
    chosen = (f for f in tools.plane().features() if f.key == params.get("feature"))
    return {"value": next((f.unit for f in chosen if f.kind is not FeatureKind.SWITCH), "")}


def preview(params: Params, tools: Tools) -> Preview:
    """Return what the tenant would have instead, without changing it; raises Fault."""
    inputs = tools.plane().inputs()
    now = _entitlement(params.feature, inputs, tools.now)
    until = _until(params, tools)
    _check_value(params, now)
    feature = now.feature
    then = replace(inputs, grants=(*inputs.grants, _grant(params, tools, number=_NEW)))
    after = _entitlement(params.feature, then, tools.now)
    if after.value != params.value:
        raise Fault("value", f"This would have no effect: {_winner(after) or 'nothing'} gives {_amount(after)}.")
    is_raise = params.value > now.value
    back = feature.worded(_entitlement(params.feature, then, until).value)
    ends = next_change(params.feature, without_suspension(inputs), tools.now)
    return Preview(
        sentence=f"{feature.name}: {_amount(now)} → {_amount(after)} until {day_of(params.until)}",
        changes=(
            Change(field=feature.name, before=_amount(now), after=_amount(after)),
            Change(field="Decided by", before=_winner(now), after=_with("Override", tools.reason.reference)),
            Change(field="Valid until", before=_end(ends), after=f"{day_of(params.until)}, 00:00 UTC"),
        ),
        fingerprint={"entitlement_version": tools.plane().account().entitlement_version},
        facts={
            "is_raise": is_raise,
            "is_paid_raise": is_raise and feature.is_paid,
            "increase_percent": max(
                _increase_percent(each, params.value) for each in (now, _plain(params, inputs, tools))
            ),
            "days": -((tools.now - until) // timedelta(days=1)),
        },
        warnings=(*_warnings(now, after, is_raise=is_raise), *_suspended(feature.key, inputs, tools.now)),
        customer=f"{feature.name} changes to {_amount(after)} at once and goes back to {back} on "
        f"{day_of(params.until)}.",
        target_type="entitlement",
        target_id=feature.key,
        access=access_effect(
            what_if(inputs, then, tools.now), also=behind(tools.plane().effective_set(), inputs, tools.now)
        ),
    )


def apply(params: Params, tools: Tools) -> Applied:
    """Write the override; the caller has decided, and records the outcome."""
    before = _entitlement(params.feature, tools.plane().inputs(), tools.now)
    grant = _grant(params, tools, number=tools.ids.new("ovr"))
    tools.plane().add_override(grant, by=tools.requester, at=tools.now)
    feature = before.feature
    after = feature.worded(params.value)
    return Applied(
        sentence=f"{feature.name}: {after} until {day_of(params.until)}.",
        changes=(Change(field=feature.name, before=_amount(before), after=after),),
    )


def _grant(params: Params, tools: Tools, *, number: str) -> Grant:
    return Grant(
        source=GrantSource.OVERRIDE,
        id=number,
        label=_with(f"Override by {tools.requester_name}", tools.reason.reference),
        feature=params.feature,
        value=params.value,
        starts_at=tools.now,
        until=_until(params, tools),
        reference=tools.reason.reference,
        owner=tools.requester,
    )


def _warnings(now: Entitlement, after: Entitlement, *, is_raise: bool) -> tuple[str, ...]:
    found = []
    if now.winners and now.winners[0].source is GrantSource.OVERRIDE:
        found.append(f"This replaces the override that runs now: {now.winners[0].label}.")
    if not is_raise:
        found.append("The tenant will be able to use less than now.")
    if after.usage is not None and after.access in {Access.SOFT_EXCEEDED, Access.HARD_EXCEEDED}:
        found.append(
            f"{after.feature.worded(after.usage.used)} are in use, more than this gives: {WORDS[after.access]}."
        )
    return tuple(found)


def _suspended(key: str, inputs: Inputs, now: datetime) -> tuple[str, ...]:
    row = effective_of(key, inputs, now)
    if row is None or (row.blocked_by is None and row.frozen_by is None):
        return ()
    if row.blocked_by is not None:
        return (f"Access is blocked ({row.blocked_by.cause}); this has an effect only when that ends.",)
    return ("The tenant may only read; this has an effect on use only when that ends.",)


def _plain(params: Params, inputs: Inputs, tools: Tools) -> Entitlement:
    """Return what the tenant would have without colleagues' overrides: a large raise in small parts is as large."""
    grants = tuple(each for each in inputs.grants if each.source is not GrantSource.OVERRIDE or not each.owner)
    return _entitlement(params.feature, replace(inputs, grants=grants), tools.now)


def _increase_percent(now: Entitlement, value: int) -> int:
    """Return the size of a raise; turning a switch on is 100 %, and from nothing each unit counts 100 %."""
    if value <= now.value:
        return 0
    if now.feature.kind is FeatureKind.SWITCH:
        return 100
    return min((value - now.value) * 100 // max(now.value, 1), _MOST_PERCENT)


def _entitlement(key: str, inputs: Inputs, at: datetime) -> Entitlement:
    """Return the row that is asked for, measured as if nobody had suspended the tenant; raises Fault."""
    found = effective_of(key, without_suspension(inputs), at)
    if found is None:
        raise Fault("feature", "Choose one of the features in the list.")
    return found


def _until(params: Params, tools: Tools) -> datetime:
    until = datetime.combine(params.until, time.min, tzinfo=UTC)
    if until <= tools.now:
        raise Fault("until", f"Choose a day after today ({day_of(tools.now)}, UTC).")
    return until


def _check_value(params: Params, now: Entitlement) -> None:
    if now.feature.kind is FeatureKind.SWITCH and params.value not in {0, 1}:
        raise Fault("value", "This feature is a switch: 1 turns it on, 0 turns it off.")
    if params.value == now.value:
        raise Fault("value", f"The tenant already has {_amount(now)}; give another value.")
    if now.feature.options and params.value >= len(now.feature.options):
        words = ", ".join(f"{number} {word}" for number, word in enumerate(now.feature.options))
        raise Fault("value", f"This feature is one of: {words}.")


def _amount(entitlement: Entitlement) -> str:
    return entitlement.feature.worded(entitlement.value)


def _winner(entitlement: Entitlement) -> str | None:
    return " + ".join(grant.label for grant in entitlement.winners) or None


def _with(what: str, reference: str) -> str:
    return f"{what} ({reference})" if reference else what


def _end(moment: datetime | None) -> str:
    return "no end" if moment is None else minute_of(moment)


ACTION = Action(
    key=ActionKey("entitlement.override"),
    version=2,
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
    moves_access=True,
)
