"""Reading the trail in keyset pages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ScalarSelect, Select, bindparam, select
from sqlalchemy.orm import Session

from console.domain.ids import EntryUid
from console.ports.trail import EntryFilter, StoredCheckpoint, StoredEntry
from console.storage.prepared import Prepared
from console.storage.rows import found, table_of
from console.storage.trail_tables import AuditCheckpointRow, AuditEventRow, AuditSeqRow

_DRIFT = timedelta(days=1)
_Found = Select[int, str | None, str, bytes, int | None]


class StoredTrailReader:
    """The TrailReader of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def page(self, wanted: EntryFilter, *, before: int | None, limit: int) -> Sequence[StoredEntry]:
        """Return entries newest first, `before` a row id (exclusive)."""
        values = _values(wanted, before=before, limit=limit)
        names = frozenset(values)
        page = _pages.get(names)
        if page is None:
            page = _pages[names] = Prepared(_shaped(names))
        return [_entry(row) for row in found(self._session, page, **values)]

    def placed_after(self, position: int, *, limit: int) -> Sequence[StoredEntry]:
        """Return entries in the order of their positions, from the one after `position` on."""
        return [_entry(row) for row in found(self._session, _NEXT, position=position, most=limit)]

    def one(self, uid: EntryUid) -> StoredEntry | None:
        """Return one entry."""
        return next((_entry(row) for row in found(self._session, _ONE, uid=uid)), None)

    def many(self, events: Sequence[int]) -> Sequence[StoredEntry]:
        """Return entries by row id, in any order."""
        if not events:
            return []
        wanted = _found().where(AuditEventRow.id.in_(events))
        return [_entry(row) for row in self._session.execute(wanted)]

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """Return the newest signed checkpoint in the database."""
        newest = found(self._session, _CHECKPOINT)
        return next((StoredCheckpoint(size=r.size, root=r.root, note=r.note, at=r.at) for r in newest), None)


def page_statement(wanted: EntryFilter, *, before: int | None, limit: int) -> _Found:
    """Return the statement of one page with its values; every filter has an index that ends in the row id."""
    values = _values(wanted, before=before, limit=limit)
    return _shaped(frozenset(values)).params(values)


def _values(wanted: EntryFilter, *, before: int | None, limit: int) -> dict[str, object]:
    """Return what a page is asked by, under the names of its places."""
    given: dict[str, object] = {name: value for name in _EXACT if (value := getattr(wanted, name)) is not None}
    if wanted.since is not None:
        given |= {"since": wanted.since, "young": _moved(wanted.since, -_DRIFT)}
    if wanted.until is not None:
        given |= {"until": wanted.until, "old": _moved(wanted.until, _DRIFT)}
    if before is not None:
        given["before"] = before
    return {**given, "most": limit}


def _shaped(names: frozenset[str]) -> _Found:
    """Return the statement of a page that is asked by these names."""
    statement = _found()
    for name, column in _EXACT.items():
        if name in names:
            statement = statement.where(column == bindparam(name))
    if "since" in names:
        is_young = AuditEventRow.ts_us >= bindparam("since")
        statement = statement.where(is_young, AuditEventRow.id >= _first_from(bindparam("young")))
    if "until" in names:
        is_old = AuditEventRow.ts_us < bindparam("until")
        statement = statement.where(is_old, AuditEventRow.id <= _last_before(bindparam("old")))
    if "before" in names:
        statement = statement.where(AuditEventRow.id < bindparam("before"))
    return statement.order_by(AuditEventRow.id.desc()).limit(bindparam("most"))


def _first_from(young: BindParameter[datetime]) -> ScalarSelect[int]:
    """Return the row id from which on entries can be that young, so that the years after it are not walked through.

    Ids follow the commits and times the clocks, which differ by seconds; a day leaves room for a clock put right.
    """
    found = select(AuditEventRow.id).where(AuditEventRow.ts_us >= young)
    return found.order_by(AuditEventRow.ts_us, AuditEventRow.id).limit(1).scalar_subquery()


def _last_before(old: BindParameter[datetime]) -> ScalarSelect[int]:
    """Return the row id up to which entries can be that old."""
    found = select(AuditEventRow.id).where(AuditEventRow.ts_us < old)
    return found.order_by(AuditEventRow.ts_us.desc(), AuditEventRow.id.desc()).limit(1).scalar_subquery()


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the first or the last day that there is
        return moment


def _entry(row: Any) -> StoredEntry:  # noqa: ANN401  a row of _found
    return StoredEntry(id=row.id, uid=EntryUid(row.uid or ""), body=row.body.encode(), leaf=row.leaf, position=row.seq)


def _found() -> _Found:
    return select(AuditEventRow.id, AuditEventRow.uid, AuditEventRow.body, AuditEventRow.leaf, AuditSeqRow.seq).join(
        AuditSeqRow, AuditSeqRow.event == AuditEventRow.id, isouter=True
    )


_EXACT = {
    "tenant": AuditEventRow.tenant,
    "actor": AuditEventRow.actor,
    "action": AuditEventRow.action,
    "outcome": AuditEventRow.outcome,
    "target": AuditEventRow.target,
    "correlation": AuditEventRow.correlation,
}
_ONE = Prepared(_found().where(AuditEventRow.uid == bindparam("uid")))
_NEXT = Prepared(
    select(AuditEventRow.id, AuditEventRow.uid, AuditEventRow.body, AuditEventRow.leaf, AuditSeqRow.seq)
    .select_from(AuditSeqRow)
    .join(AuditEventRow, AuditEventRow.id == AuditSeqRow.event)
    .where(AuditSeqRow.seq > bindparam("position"))
    .order_by(AuditSeqRow.seq)
    .limit(bindparam("most"))
)
_CHECKPOINTS = table_of(AuditCheckpointRow)
_CHECKPOINT = Prepared(select(_CHECKPOINTS).order_by(_CHECKPOINTS.c.size.desc()).limit(1))
_pages: dict[frozenset[str], Prepared] = {}
