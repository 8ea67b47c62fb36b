"""How everything that is granted for one feature becomes one value: what stands, what wins, and why the others lost.

Order: suspension and deny > set > plan or contract, trial, add-ons and grants by the feature's policy, plus what is
added > default.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.domain.entitlements import (
    Combining,
    Condition,
    Contract,
    Feature,
    Grant,
    GrantSource,
    Loser,
    Op,
    Usage,
)

PAID = frozenset({GrantSource.PLAN, GrantSource.CONTRACT, GrantSource.ADD_ON})
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
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
class Decided:
    """The value, its winners, and everything that lost."""

    value: int
    winners: list[Grant]
    losers: list[Loser]


def decided(feature: Feature, mine: list[Grant], frame: Frame) -> Decided:
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
        return Decided(value=0, winners=[], losers=losers)
    for op, why in ((Op.DENY, "taken away by an override"), (Op.SET, "replaced by the override")):
        chosen, others = _parted(standing, op)
        if chosen:
            winner = max(chosen, key=lambda grant: (grant.starts_at, grant.id, grant.value))
            losers += _lost((g for g in chosen if g is not winner), "replaced by a newer override")
            losers += _lost(others, why)
            value = 0 if op is Op.DENY else _bounded(feature, winner.value)
            return Decided(value=value, winners=[winner], losers=losers)
    return _combined(feature, standing, losers)


def _combined(feature: Feature, standing: list[Grant], losers: list[Loser]) -> Decided:
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
    return Decided(value=_bounded(feature, total), winners=[*winners, *added], losers=losers)


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


def _why_not(grant: Grant, frame: Frame) -> str:
    """Return why a grant does not stand at all at this moment; empty when it does."""
    now, contract = frame.now, frame.contract
    why = ""
    if not grant.is_live(now):
        why = _why_not_live(grant, now)
    elif grant.source in PAID and frame.lapse and frame.grace is None:
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
