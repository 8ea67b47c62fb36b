"""The effective set that the product reads: from what it was computed, whether it still holds, what a new one changes.

What is stored says what a tenant may use, and not how much of it is used: the product counts that itself. So neither
rows, nor digest, nor end move with a count (docs/entitlements.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from console.domain.changes import Change
from console.domain.effective_changes import WORDS
from console.domain.effective_digest import inputs_digest
from console.domain.effective_set import effective
from console.domain.entitlements import (
    Access,
    Entitlement,
    Feature,
    Inputs,
)
from console.domain.ids import Digest

UNSAID = -1


class Standing(StrEnum):
    """How a stored set stands: the first of these that holds, `current` last."""

    MISSING = "missing"  # nothing was ever stored
    ENDED = "ended"  # a date has passed at which something started or ended
    OUTDATED = "outdated"  # something that decides has changed since
    CURRENT = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """One feature as the product was told it: what may be used, and whether at all.

    Shape: `access` is granted, granted_in_grace or denied, and never moves with a count; `hard` is where use stops,
    None for never and UNSAID where whoever stored it did not say; `is_frozen` says that nothing may be added.
    """

    feature: str
    value: int
    access: str
    hard: int | None = None
    is_frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSet:
    """The effective set that the product reads. `source_version` is the entitlement version it was computed from."""

    version: int
    computed_at: datetime
    valid_until: datetime | None
    inputs_digest: Digest
    source_version: int
    rows: tuple[StoredRow, ...]


class Direction(StrEnum):
    """What a change of a row means to the tenant; where it is both, the loss counts."""

    GAIN = "gain"
    LOSS = "loss"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowEffect:
    """One feature whose row changes; None is a row that is not there."""

    name: str
    before: str | None
    after: str | None
    because: str
    direction: Direction

    @property
    def sentence(self) -> str:
        """Return the change in one line."""
        return f"{self.name}: {self.before or 'nothing'} → {self.after or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a new set changes for a tenant. `is_first` is where none was stored: then nobody gains or loses."""

    rows: tuple[RowEffect, ...]
    is_first: bool = False

    @property
    def gains(self) -> tuple[str, ...]:
        """Return in words what the tenant gains."""
        return tuple(row.sentence for row in self.rows if row.direction is Direction.GAIN)

    @property
    def losses(self) -> tuple[str, ...]:
        """Return in words what the tenant loses."""
        return tuple(row.sentence for row in self.rows if row.direction is Direction.LOSS)

    def changes(self) -> tuple[Change, ...]:
        """Return the rows as a preview lists them, each with its reason."""
        return tuple(
            Change(
                field=row.name,
                before=row.before,
                after=f"{row.after} · {row.because}" if row.after and row.because else row.after,
            )
            for row in self.rows
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalculation:
    """What recalculating found and did. `is_written` is False where the stored set was up to date."""

    before: StoredSet | None
    after: StoredSet
    standing: Standing
    effects: Effects
    is_written: bool


def stored_rows(computed: Sequence[Entitlement]) -> tuple[StoredRow, ...]:
    """Return rows as the product is told them: the same whatever is counted."""
    return tuple(_stored(row) for row in computed)


def stored_set(inputs: Inputs, *, version: int, source_version: int, now: datetime) -> StoredSet:
    """Return the set that ought to be stored at a moment, with the first moment at which it may change."""
    digest, computed = inputs_digest(inputs), _uncounted(inputs, now)
    return _stored_set(computed, digest, version=version, source_version=source_version, now=now)


def standing(stored: StoredSet | None, inputs: Inputs, *, source_version: int, now: datetime) -> Standing:
    """Return how a stored set stands at a moment; its end is exclusive."""
    return _standing(stored, inputs_digest(inputs), source_version=source_version, now=now)


def recalculation(stored: StoredSet | None, inputs: Inputs, *, source_version: int, now: datetime) -> Recalculation:
    """Return what recalculating finds: the stored set itself while it is current, else its successor.

    Shape: a set whose rows no longer are what the inputs give is replaced too, whatever its digest says.
    """
    digest, computed = inputs_digest(inputs), _uncounted(inputs, now)
    found = _standing(stored, digest, source_version=source_version, now=now)
    effects = _effects_on(stored, computed)
    if stored is not None and found is Standing.CURRENT and not effects.rows:
        return Recalculation(before=stored, after=stored, standing=found, effects=effects, is_written=False)
    version = 1 if stored is None else stored.version + 1
    wanted = _stored_set(computed, digest, version=version, source_version=source_version, now=now)
    return Recalculation(before=stored, after=wanted, standing=found, effects=effects, is_written=True)


def effects_on(stored: StoredSet | None, inputs: Inputs, now: datetime) -> Effects:
    """Return what a tenant gains and loses when what is stored becomes what the inputs give."""
    return _effects_on(stored, _uncounted(inputs, now))


def _uncounted(inputs: Inputs, now: datetime) -> tuple[Entitlement, ...]:
    """Return what holds at a moment, whatever was used: a count moves neither rows nor what is said of them."""
    return effective(replace(inputs, usage=()), now)


def _stored_set(
    computed: Sequence[Entitlement], digest: Digest, *, version: int, source_version: int, now: datetime
) -> StoredSet:
    return StoredSet(
        version=version,
        computed_at=now,
        valid_until=min((row.valid_until for row in computed if row.valid_until is not None), default=None),
        inputs_digest=digest,
        source_version=source_version,
        rows=stored_rows(computed),
    )


def _standing(stored: StoredSet | None, digest: Digest, *, source_version: int, now: datetime) -> Standing:
    if stored is None:
        return Standing.MISSING
    if stored.valid_until is not None and stored.valid_until <= now:
        return Standing.ENDED
    is_same = stored.inputs_digest == digest and stored.source_version >= source_version
    return Standing.CURRENT if is_same else Standing.OUTDATED


def _effects_on(stored: StoredSet | None, computed: Sequence[Entitlement]) -> Effects:
    if stored is None:
        return _effects((), stored_rows(computed), computed, is_first=True)
    return _effects(stored.rows, stored_rows(computed), computed)


def what_if(inputs: Inputs, changed: Inputs, now: datetime) -> Effects:
    """Return what a tenant would gain and lose if other inputs held: the preview of whatever changes them."""
    computed = effective(changed, now)
    return _effects(stored_rows(effective(inputs, now)), stored_rows(computed), computed)


def _effects(
    before: Sequence[StoredRow], after: Sequence[StoredRow], computed: Sequence[Entitlement], *, is_first: bool = False
) -> Effects:
    known = {row.feature.key: row for row in computed}
    old = {row.feature: row for row in before}
    new = {row.feature: row for row in after}
    found = [_effect(old.get(key), new.get(key), known, is_first=is_first) for key in dict.fromkeys([*old, *new])]
    return Effects(rows=tuple(each for each in found if each is not None), is_first=is_first)


def _effect(
    before: StoredRow | None, after: StoredRow | None, known: Mapping[str, Entitlement], *, is_first: bool
) -> RowEffect | None:
    row = after or before
    old = before
    if old is not None and after is not None and old.hard == UNSAID:
        old = replace(old, hard=after.hard)
    if old == after or row is None:
        return None
    entitlement = known.get(row.feature)
    feature = None if entitlement is None else entitlement.feature
    return RowEffect(
        name=row.feature if feature is None else feature.name,
        before=None if before is None else worded(before, feature),
        after=None if after is None else worded(after, feature),
        because="" if entitlement is None else because(entitlement),
        direction=Direction.NEITHER if is_first else direction(old, after),
    )


def direction(before: StoredRow | None, after: StoredRow | None) -> Direction:
    """Return what a change of one row means; a row that is not there gives nothing."""
    old, new = _reach(before), _reach(after)
    if any(now < then for then, now in zip(old, new, strict=True)):
        return Direction.LOSS
    return Direction.GAIN if old != new else Direction.NEITHER


def worded(row: StoredRow, feature: Feature | None) -> str:
    """Return value and access of a stored row in words; without its feature as a bare number."""
    value = str(row.value) if feature is None else feature.worded(row.value)
    marks = [] if row.access == Access.GRANTED else [_access_words(row.access)]
    marks += ["growth stops"] if row.is_frozen else []
    if row.hard not in {None, UNSAID, row.value}:
        marks.append(f"use stops at {row.hard if feature is None else feature.worded(row.hard or 0)}")
    return f"{value} ({', '.join(marks)})" if marks else value


def because(row: Entitlement) -> str:
    """Return in a few words why a row is as it is: what decides, or what takes it away."""
    if row.blocked_by is not None:
        return row.blocked_by.cause
    if row.frozen_by is not None:
        return row.frozen_by.cause
    if row.winners:
        return " + ".join(grant.label for grant in row.winners)
    whys = dict.fromkeys(lost.why for lost in row.losers)
    return "; ".join(whys) or "nothing gives it"


def _access_words(access: str) -> str:
    return WORDS[Access(access)] if access in set(Access) else access


def _reach(row: StoredRow | None) -> tuple[int, float, int]:
    """Return what a row lets a tenant do: how much, where use stops, whether it may grow; more is never less."""
    if row is None or row.access == Access.DENIED:
        return 0, 0, 0
    return row.value + 1, float("inf") if row.hard is None else row.hard + 1, 0 if row.is_frozen else 1


def _stored(row: Entitlement) -> StoredRow:
    access = Access.GRANTED if row.grace is None else Access.GRANTED_IN_GRACE
    is_frozen = row.frozen_by is not None and row.access is not Access.DENIED
    return StoredRow(
        feature=row.feature.key,
        value=row.value,
        access=Access.DENIED.value if row.access is Access.DENIED else access.value,
        hard=row.feature.hard_limit(row.value),
        is_frozen=is_frozen,
    )
