"""Inputs as they would be after a change: what an action shows beforehand with `effective_store.what_if`."""

from dataclasses import replace
from datetime import UTC, datetime

from console.domain.changes import AccessEffect
from console.domain.effective_store import Effects, StoredSet, effects_on
from console.domain.entitlements import Condition, ConditionKind, Inputs

# The status of an account has no history, so it holds for every moment that is asked about.
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
STATUS = "account status"
AT_ONCE = "at once"
ANSWERED = "once the provider has answered"
_MOST_SHOWN = 12


def suspended(inputs: Inputs, because: str | None) -> Inputs:
    """Return the inputs of a tenant whose account is suspended."""
    cause = because or "the tenant is suspended"
    blocked = Condition(id=STATUS, kind=ConditionKind.BLOCKED, cause=cause, starts_at=_ALWAYS, until=None)
    return replace(inputs, conditions=(blocked, *resumed(inputs).conditions))


def resumed(inputs: Inputs) -> Inputs:
    """Return the inputs of a tenant whose account is not suspended; other conditions stay."""
    return replace(inputs, conditions=tuple(each for each in inputs.conditions if each.id != STATUS))


def with_condition(inputs: Inputs, condition: Condition) -> Inputs:
    """Return the inputs with one condition more."""
    return replace(inputs, conditions=(*inputs.conditions, condition))


def without_grant(inputs: Inputs, grant: str) -> Inputs:
    """Return the inputs without the grants of an id."""
    return replace(inputs, grants=tuple(each for each in inputs.grants if each.id != grant))


def behind(stored: StoredSet | None, inputs: Inputs, now: datetime) -> Effects | None:
    """Return what bringing the stored set up to date would change by itself, None where it is as it ought to be."""
    effects = None if stored is None else effects_on(stored, inputs, now)
    return effects if effects is not None and effects.rows else None


def access_effect(
    effects: Effects, *, when: str = AT_ONCE, also: Effects | None = None, beside: str = ""
) -> AccessEffect:
    """Return what a change does to access as every preview says it: each row, and when it takes effect.

    Shape: `also` is what the product reads wrong today and what the same transaction puts right (`behind`).
    """
    rows = len(effects.rows)
    said = [f"Access changes {when}: {rows} feature{'' if rows == 1 else 's'}." if rows else "No access changes."]
    said += [beside] if beside else []
    if also is not None:
        named = "; ".join(row.sentence for row in also.rows[:_MOST_SHOWN])
        more = f", and {len(also.rows) - _MOST_SHOWN} more" if len(also.rows) > _MOST_SHOWN else ""
        said.append(f"What the product reads is out of date and is brought up to date by it: {named}{more}.")
    return AccessEffect(sentence=" ".join(said), changes=effects.changes())


def no_access_change(beside: str = "") -> AccessEffect:
    """Return that nothing of what a tenant may use changes, and perhaps why."""
    return access_effect(Effects(rows=()), beside=beside)


def loss_warnings(effects: Effects, *, when: str = AT_ONCE) -> tuple[str, ...]:
    """Return one warning where something is lost, none otherwise."""
    lost = len(effects.losses)
    if lost == 0:
        return ()
    what = "one feature, or part of it" if lost == 1 else f"{lost} features, or part of them"
    return (f"The tenant loses {what}, {when}.",)
