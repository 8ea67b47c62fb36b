"""What a tenant may use at a moment, and why: a pure function of its inputs and time.

What is granted becomes one value (console/domain/combining.py has the order); then grace, then usage against limits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from console.domain.combining import PAID, Frame, decided
from console.domain.entitlements import (
    Access,
    Condition,
    ConditionKind,
    Contract,
    Entitlement,
    Feature,
    Grant,
    Inputs,
    Op,
    PlanVersion,
    Usage,
)

# A past-due subscription lapses when its grace is over; where none is known it goes on: nobody said until when. What is
# no word of these pays for nothing: a state that nobody here knows never grants.
_COVERING = frozenset({"active", "trialing"})
_OVERDUE = "past_due"
_LAPSED = {
    "canceled": "the subscription is cancelled",
    "paused": "the subscription is paused",
    "unpaid": "the subscription is unpaid",
    "incomplete": "the first payment has not come",
    "incomplete_expired": "the first payment never came",
}
_SUSPENDING = frozenset({ConditionKind.BLOCKED, ConditionKind.READ_ONLY})
_Part = TypeVar("_Part", Grant, Usage)


def effective(inputs: Inputs, now: datetime) -> tuple[Entitlement, ...]:
    """Return one row for each feature, in the order of the catalogue."""
    frame = _frame(inputs, now)
    return tuple(_row(feature, frame) for feature in inputs.features)


def effective_of(key: str, inputs: Inputs, now: datetime) -> Entitlement | None:
    """Return the row of one feature, or None where the catalogue has none of that key."""
    feature = next((each for each in inputs.features if each.key == key), None)
    return None if feature is None else _row(feature, _frame(inputs, now))


def without_suspension(inputs: Inputs) -> Inputs:
    """Return the inputs as if nobody had suspended the tenant: what is asked for is measured against that."""
    kept = tuple(each for each in inputs.conditions if each.kind not in _SUSPENDING)
    return replace(inputs, conditions=kept)


def _frame(inputs: Inputs, now: datetime) -> Frame:
    contract = max((c for c in inputs.contracts if c.is_live(now)), key=lambda c: (c.starts_at, c.id), default=None)
    version = max((v.version for v in inputs.plan_versions if v.is_live(now)), default=None)
    graces = [each for each in inputs.conditions if each.kind is ConditionKind.GRACE]
    uncovered = _longest((c for c in inputs.conditions if c.kind is ConditionKind.COVERAGE_ENDED), now)
    lapse = _lapse(inputs.subscription, had_grace=any(each.starts_at <= now for each in graces))
    if uncovered is not None:  # grace for what was not paid says nothing of what was paid back; a later one does
        lapse = f"the coverage ended: {uncovered.cause}"
        graces = [each for each in graces if each.starts_at >= uncovered.starts_at]
    spans: tuple[PlanVersion | Contract | Condition, ...] = (
        *inputs.plan_versions,
        *inputs.contracts,
        *inputs.conditions,
    )
    return Frame(
        now=now,
        grants=_by_feature(inputs.grants),
        usage=_by_feature(inputs.usage),
        boundary=_next_boundary(((each.starts_at, each.until) for each in spans), now),
        contract=contract,
        version=version,
        lapse=lapse,
        grace=_longest(graces, now) if lapse else None,
        blocked=_longest((c for c in inputs.conditions if c.kind is ConditionKind.BLOCKED), now),
        frozen=_longest((c for c in inputs.conditions if c.kind is ConditionKind.READ_ONLY), now),
    )


def _by_feature(parts: Iterable[_Part]) -> Mapping[str, list[_Part]]:
    found: dict[str, list[_Part]] = {}
    for each in parts:
        found.setdefault(each.feature, []).append(each)
    return found


def _lapse(status: str | None, *, had_grace: bool) -> str:
    """Return why a subscription in a status covers nothing; empty where it does, and where there is none."""
    if status is None or status in _COVERING:
        return ""
    if status == _OVERDUE:
        return "payment is overdue and the grace is over" if had_grace else ""
    return _LAPSED.get(status, f"the subscription is {status}, a state that is not known here")


def _longest(conditions: Iterable[Condition], now: datetime) -> Condition | None:
    """Return the live condition that ends last; one without an end outlasts all."""
    live = [each for each in conditions if each.is_live(now)]
    return max(live, key=lambda each: (each.until is None, each.until or now, each.id), default=None)


def _row(feature: Feature, frame: Frame) -> Entitlement:
    mine, counts = frame.grants.get(feature.key, []), frame.usage.get(feature.key, [])
    spans = [(grant.starts_at, grant.end) for grant in mine]
    spans += [(max(count.starts_at, count.as_of), count.until) for count in counts]
    own = _next_boundary(spans, frame.now)
    usage = None
    if counts:
        usage = max((u for u in counts if u.is_live(frame.now)), key=lambda u: (u.starts_at, u.as_of), default=None)
    outcome = decided(feature, mine, frame)
    is_denied = frame.blocked is not None or any(grant.op is Op.DENY for grant in outcome.winners)
    keeps = frame.grace if any(grant.source in PAID for grant in outcome.winners) else None
    is_counted = feature.is_counted
    soft = outcome.value if is_counted else None
    hard = feature.hard_limit(outcome.value)
    frozen = frame.frozen if is_counted and not is_denied else None
    if frozen is not None:
        used = 0 if usage is None else usage.used
        hard = used if hard is None else min(hard, used)
    return Entitlement(
        feature=feature,
        value=outcome.value,
        access=Access.DENIED
        if is_denied
        else _access(feature, outcome.value, usage, hard=hard, soft=soft, grace=keeps),
        winners=tuple(outcome.winners),
        losers=tuple(outcome.losers),
        valid_until=min((each for each in (own, frame.boundary) if each is not None), default=None),
        soft=soft,
        hard=hard,
        usage=usage,
        blocked_by=frame.blocked,
        frozen_by=frozen,
        grace=keeps,
    )


def _access(
    feature: Feature, value: int, usage: Usage | None, *, hard: int | None, soft: int | None, grace: Condition | None
) -> Access:
    if value == 0 and (feature.is_counted or not feature.options):
        return Access.DENIED
    used = 0 if usage is None else usage.used
    if hard is not None and used > hard:
        return Access.HARD_EXCEEDED
    if soft is not None and used > soft:
        return Access.SOFT_EXCEEDED
    return Access.GRANTED_IN_GRACE if grace is not None else Access.GRANTED


def _next_boundary(spans: Iterable[tuple[datetime, datetime | None]], now: datetime) -> datetime | None:
    """Return the first moment after `now` at which any of these starts or ends; what ends before it starts is none."""
    first: datetime | None = None
    for start, end in spans:
        if end is not None and end <= start:
            continue
        moment = start if start > now else end
        if moment is not None and moment > now and (first is None or moment < first):
            first = moment
    return first
