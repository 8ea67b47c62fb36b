"""What a tenant may use at a moment, and why: a pure function of its inputs and time.

Order: suspension and deny > set > plan or contract, trial, add-ons and grants by the feature's policy, plus what is
added > default; then grace, then usage against limits.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from console.domain.entitlements import (
    Access,
    Combining,
    Condition,
    ConditionKind,
    Contract,
    Entitlement,
    Feature,
    Grant,
    GrantSource,
    Inputs,
    Loser,
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
_PAID = frozenset({GrantSource.PLAN, GrantSource.CONTRACT, GrantSource.ADD_ON})
_SUSPENDING = frozenset({ConditionKind.BLOCKED, ConditionKind.READ_ONLY})
_Part = TypeVar("_Part", Grant, Usage)
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What holds for the whole tenant at a moment, before any one feature is looked at.

    Shape: `grants` and `usage` by feature; `boundary` is the first moment at which anything of the whole tenant ends or
    starts.
    """

    now: datetime
    grants: Mapping[str, list[Grant]]
    usage: Mapping[str, list[Usage]]
    boundary: datetime | None
    contract: Contract | None
    version: int | None
    lapse: str
    grace: Condition | None
    blocked: Condition | None
    frozen: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """The value, its winners, and everything that lost."""

    value: int
    winners: list[Grant]
    losers: list[Loser]


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


def _frame(inputs: Inputs, now: datetime) -> _Frame:
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
    return _Frame(
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


def _row(feature: Feature, frame: _Frame) -> Entitlement:
    mine, counts = frame.grants.get(feature.key, []), frame.usage.get(feature.key, [])
    spans = [(grant.starts_at, grant.end) for grant in mine]
    spans += [(max(count.starts_at, count.as_of), count.until) for count in counts]
    own = _next_boundary(spans, frame.now)
    usage = None
    if counts:
        usage = max((u for u in counts if u.is_live(frame.now)), key=lambda u: (u.starts_at, u.as_of), default=None)
    decided = _decided(feature, mine, frame)
    is_denied = frame.blocked is not None or any(grant.op is Op.DENY for grant in decided.winners)
    keeps = frame.grace if any(grant.source in _PAID for grant in decided.winners) else None
    is_counted = feature.is_counted
    soft = decided.value if is_counted else None
    hard = feature.hard_limit(decided.value)
    frozen = frame.frozen if is_counted and not is_denied else None
    if frozen is not None:
        used = 0 if usage is None else usage.used
        hard = used if hard is None else min(hard, used)
    return Entitlement(
        feature=feature,
        value=decided.value,
        access=Access.DENIED
        if is_denied
        else _access(feature, decided.value, usage, hard=hard, soft=soft, grace=keeps),
        winners=tuple(decided.winners),
        losers=tuple(decided.losers),
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


def _decided(feature: Feature, mine: list[Grant], frame: _Frame) -> _Decided:
    """Return the value in the order that the module's first lines name."""
    losers: list[Loser] = []
    standing: list[Grant] = []
    for grant in mine if len(mine) < 2 else sorted(mine, key=_order):
        why = _why_not(grant, frame)
        if why:
            losers.append(Loser(grant=grant, why=why))
        else:
            standing.append(grant)
    if frame.blocked is not None:
        losers += _lost(standing, f"access is blocked: {frame.blocked.cause}")
        return _Decided(value=0, winners=[], losers=losers)
    for op, why in ((Op.DENY, "taken away by an override"), (Op.SET, "replaced by the override")):
        chosen, others = _parted(standing, op)
        if chosen:
            winner = max(chosen, key=lambda grant: (grant.starts_at, grant.id, grant.value))
            losers += _lost((g for g in chosen if g is not winner), "replaced by a newer override")
            losers += _lost(others, why)
            value = 0 if op is Op.DENY else _bounded(feature, winner.value)
            return _Decided(value=value, winners=[winner], losers=losers)
    return _combined(feature, standing, losers)


def _combined(feature: Feature, standing: list[Grant], losers: list[Loser]) -> _Decided:
    added, parts = _parted(standing, Op.ADD)
    fallback = _default(feature)
    if fallback is not None and parts:
        losers += _lost([fallback], "something grants it")
    elif fallback is not None:
        parts = [fallback]
    policy = feature.policy
    value, winners = _POLICIES[policy](parts)
    if len(winners) < len(parts):
        losers += _lost((grant for grant in parts if grant not in winners), _OUTDONE[policy])
    total = value + sum(grant.value for grant in added) if added else value
    return _Decided(value=_bounded(feature, total), winners=[*winners, *added], losers=losers)


def _parted(standing: list[Grant], op: Op) -> tuple[list[Grant], list[Grant]]:
    """Return the overrides that do one thing, and all other grants, in two walks: a tenant may have hundreds."""
    chosen = [grant for grant in standing if grant.op is op and grant.source is GrantSource.OVERRIDE]
    if not chosen:
        return chosen, standing
    return chosen, [grant for grant in standing if grant.op is not op or grant.source is not GrantSource.OVERRIDE]


def _sum(parts: list[Grant]) -> tuple[int, list[Grant]]:
    return sum(grant.value for grant in parts), parts


def _max(parts: list[Grant]) -> tuple[int, list[Grant]]:
    largest = max((grant.value for grant in parts), default=0)
    return largest, [grant for grant in parts if grant.value == largest][:1]


def _last(parts: list[Grant]) -> tuple[int, list[Grant]]:
    winners = sorted(parts, key=lambda grant: (grant.starts_at, *_order(grant)))[-1:]
    return sum(grant.value for grant in winners), winners


def _any(parts: list[Grant]) -> tuple[int, list[Grant]]:
    says_on = [grant for grant in parts if grant.value]
    return int(bool(says_on)), says_on or parts


_POLICIES: dict[Combining, Callable[[list[Grant]], tuple[int, list[Grant]]]] = {
    Combining.SUM: _sum,
    Combining.MAX: _max,
    Combining.LAST: _last,
    Combining.ANY: _any,
}
_OUTDONE = {
    Combining.SUM: "",
    Combining.MAX: "the largest counts",
    Combining.LAST: "the latest counts",
    Combining.ANY: "says off",
}


def _why_not(grant: Grant, frame: _Frame) -> str:
    """Return why a grant does not stand at all at this moment; empty when it does."""
    now, contract = frame.now, frame.contract
    why = ""
    if not grant.is_live(now):
        why = _why_not_live(grant, now)
    elif grant.source in _PAID and frame.lapse and frame.grace is None:
        why = frame.lapse
    elif grant.source is GrantSource.PLAN and contract is not None:
        why = f"{contract.label} decides instead of the plan"
    elif grant.source is GrantSource.PLAN and frame.version is not None and grant.version != frame.version:
        why = f"version {frame.version} of the plan holds"
    elif grant.source is GrantSource.CONTRACT and contract is not None and grant.id != contract.id:
        why = f"{contract.label} is newer"
    return why


def _why_not_live(grant: Grant, now: datetime) -> str:
    end = grant.end
    if end is not None and end <= grant.starts_at:
        return "ended before it began"
    if now < grant.starts_at:
        return "not started yet"
    return "ended by hand" if grant.ended_at is not None and grant.ended_at == end else "expired"


def _order(grant: Grant) -> tuple[int, datetime, str, int, int]:
    return _RANK[grant.source], grant.starts_at, grant.id, grant.version, grant.value


_RANK = {source: rank for rank, source in enumerate(GrantSource)}


def _lost(grants: Iterable[Grant], why: str) -> list[Loser]:
    return [Loser(grant=grant, why=why) for grant in grants]


def _default(feature: Feature) -> Grant | None:
    if not feature.default:
        return None
    return Grant(
        source=GrantSource.DEFAULT,
        id="default",
        label="Default",
        feature=feature.key,
        value=feature.default,
        starts_at=_ALWAYS,
        until=None,
    )


def _bounded(feature: Feature, value: int) -> int:
    """Return a value that the feature can have: a config option that exists, on or off, and nothing below none."""
    if feature.options:
        value = min(value, len(feature.options) - 1)
    elif feature.kind == "switch":
        value = min(value, 1)
    return max(value, 0)


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
