"""Inputs as they would be after a change: what an action shows beforehand with `effective_store.what_if`."""

from dataclasses import replace
from datetime import UTC, datetime

from console.domain.changes import Change
from console.domain.effective_store import Effects, what_if
from console.domain.entitlements import Condition, ConditionKind, Inputs

# The status of an account has no history, so it holds for every moment that is asked about.
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
STATUS = "account status"


def suspended(inputs: Inputs, because: str | None) -> Inputs:
    """Return the inputs of a tenant whose account is suspended."""
    cause = because or "the tenant is suspended"
    blocked = Condition(id=STATUS, kind=ConditionKind.BLOCKED, cause=cause, starts_at=_ALWAYS, until=None)
    return replace(inputs, conditions=(blocked, *resumed(inputs).conditions))


def resumed(inputs: Inputs) -> Inputs:
    """Return the inputs of a tenant whose account is not suspended; other conditions stay."""
    return replace(inputs, conditions=tuple(each for each in inputs.conditions if each.id != STATUS))


def with_subscription(inputs: Inputs, status: str | None) -> Inputs:
    """Return the inputs with the subscription in another status, in the product's words (`canceled`, `past_due`)."""
    return replace(inputs, subscription=status)


def with_condition(inputs: Inputs, condition: Condition) -> Inputs:
    """Return the inputs with one condition more."""
    return replace(inputs, conditions=(*inputs.conditions, condition))


def without_grant(inputs: Inputs, grant: str) -> Inputs:
    """Return the inputs without the grants of an id."""
    return replace(inputs, grants=tuple(each for each in inputs.grants if each.id != grant))


def access_preview(inputs: Inputs, changed: Inputs, now: datetime) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """Return what a change of inputs does to the tenant's access, for a preview: its changes and its warnings."""
    effects = what_if(inputs, changed, now)
    return effects.changes(), loss_warnings(effects)


def loss_warnings(effects: Effects) -> tuple[str, ...]:
    """Return one warning where something is lost, none otherwise."""
    lost = len(effects.losses)
    if lost == 0:
        return ()
    what = "one feature, or part of it" if lost == 1 else f"{lost} features, or part of them"
    return (f"The tenant loses {what}, at once.",)
