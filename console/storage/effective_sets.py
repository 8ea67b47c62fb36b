"""The effective set that a tenant's product reads, and the raw events of what was used."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from console.domain.effective_store import UNSAID, StoredRow, StoredSet
from console.domain.ids import Digest
from console.domain.reconciling.books import UsageEvent
from console.storage.billing_tables import EffectiveSetRow, UsageEventRow
from console.storage.faults import is_taken
from console.storage.guards import GuardedSession, Scoped
from console.storage.rows import table_of


def stored_effective_set(session: GuardedSession) -> StoredSet | None:
    """Return the set of the session's tenant, or None."""
    return next((_shown(row) for row in session.scoped(_SET)), None)


def keep_effective_set(session: GuardedSession, wanted: StoredSet, *, cause: str, expected: int | None) -> bool:
    """Store a set in place of the version `expected`, None for none; False means that another one stands there."""
    values: dict[str, Any] = {
        "version": wanted.version,
        "computed_at": wanted.computed_at,
        "valid_until": wanted.valid_until,
        "inputs_digest": wanted.inputs_digest,
        "source_version": wanted.source_version,
        "cause": cause,
        "rows": [_kept(row) for row in wanted.rows],
    }
    if expected is not None:
        return (
            session.move(_REPLACE, expected=expected, **{f"new_{name}": value for name, value in values.items()}) == 1
        )
    try:
        session.put(EffectiveSetRow, **values)
    except IntegrityError as broken:
        if not is_taken(broken):
            raise
        return False
    return True


def stored_usage_events(session: GuardedSession, *, since: datetime, limit: int) -> Sequence[UsageEvent]:
    """Return events of use from a moment on, oldest first; one that the product sent twice comes twice."""
    return [
        UsageEvent(
            id=row.id, feature=row.feature_key, quantity=row.quantity, at=row.at, received_at=row.received_at
        )
        for row in session.scoped(_EVENTS, since=since, most=limit)
    ]  # fmt: skip


def _shown(row: Any) -> StoredSet:  # noqa: ANN401  a row of any making
    return StoredSet(
        version=row.version,
        computed_at=row.computed_at,
        valid_until=row.valid_until,
        inputs_digest=Digest(row.inputs_digest),
        source_version=row.source_version,
        rows=tuple(_shown_row(each) for each in row.rows),
    )


def _shown_row(said: Mapping[str, Any]) -> StoredRow:
    """Return one row; a set that was imported need not say where use stops."""
    return StoredRow(**{"hard": UNSAID, **{name: said[name] for name in _FIELDS if name in said}})


def _kept(row: StoredRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in _FIELDS}


_FIELDS = ("feature", "value", "access", "hard", "is_frozen")
_SET = Scoped(select(EffectiveSetRow))
_REPLACE = Scoped(
    update(EffectiveSetRow)
    .where(EffectiveSetRow.version == bindparam("expected"))
    .values(
        {
            column.name: bindparam(f"new_{column.name}")
            for column in table_of(EffectiveSetRow).c
            if not column.primary_key
        }
    )
)
_EVENTS = Scoped(
    select(UsageEventRow)
    .where(UsageEventRow.at >= bindparam("since", type_=UsageEventRow.at.type))
    .order_by(UsageEventRow.at, UsageEventRow.row)
    .limit(bindparam("most"))
)
