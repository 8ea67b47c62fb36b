"""What differs between two effective sets, and what changes as time goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.domain.effective_set import effective
from console.domain.entitlements import Access, Entitlement, Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One feature, before and after."""

    before: Entitlement
    after: Entitlement


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A moment at which something changes, and what."""

    at: datetime
    changes: tuple[RowChange, ...]


def differences(before: Sequence[Entitlement], after: Sequence[Entitlement]) -> tuple[RowChange, ...]:
    """Return the features whose value, limits or access differ; both sets are of the same catalogue."""
    pairs = zip(before, after, strict=True)
    return tuple(RowChange(before=old, after=new) for old, new in pairs if _meaning(old) != _meaning(new))


def upcoming(inputs: Inputs, now: datetime, *, most: int, boundaries: int = 60) -> tuple[Upcoming, ...]:
    """Return the next moments at which a row really changes; looks at no more than so many boundaries."""
    found: list[Upcoming] = []
    rows = effective(inputs, now)
    moment = _first_boundary(rows)
    for _ in range(boundaries):
        if moment is None or len(found) == most:
            break
        later = effective(inputs, moment)
        changes = differences(rows, later)
        if changes:
            found.append(Upcoming(at=moment, changes=changes))
        rows, moment = later, _first_boundary(later)
    return tuple(found)


def _first_boundary(rows: Sequence[Entitlement]) -> datetime | None:
    return min((row.valid_until for row in rows if row.valid_until is not None), default=None)


def _meaning(row: Entitlement) -> tuple[object, ...]:
    return row.value, row.access, row.soft, row.hard


def next_change(key: str, inputs: Inputs, now: datetime) -> datetime | None:
    """Return when a feature's row next really changes; None where nothing known changes it."""
    alone = replace(inputs, features=tuple(feature for feature in inputs.features if feature.key == key))
    return next((each.at for each in upcoming(alone, now, most=1)), None)


def said(row: Entitlement) -> str:
    """Return value and access in words."""
    value = row.feature.worded(row.value)
    return value if row.access is Access.GRANTED else f"{value} ({WORDS[row.access]})"


WORDS = {
    Access.GRANTED: "granted",
    Access.GRANTED_IN_GRACE: "granted in grace",
    Access.SOFT_EXCEEDED: "above what is included",
    Access.HARD_EXCEEDED: "above the limit",
    Access.DENIED: "denied",
}
