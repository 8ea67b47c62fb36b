"""Reading the trail in keyset pages."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, Select, select
from sqlalchemy.orm import Session

from console.domain.ids import EntryUid
from console.ports.trail import EntryFilter, StoredCheckpoint, StoredEntry
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
        return self._many(page_statement(wanted, before=before, limit=limit))

    def one(self, uid: EntryUid) -> StoredEntry | None:
        """Return one entry."""
        return next(iter(self._many(_found().where(AuditEventRow.uid == uid))), None)

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """Return the newest signed checkpoint in the database."""
        newest = select(AuditCheckpointRow).order_by(AuditCheckpointRow.size.desc()).limit(1)
        row = self._session.scalar(newest)
        return None if row is None else StoredCheckpoint(size=row.size, root=row.root, note=row.note, at=row.at)

    def _many(self, statement: _Found) -> list[StoredEntry]:
        return [
            StoredEntry(id=number, uid=EntryUid(uid or ""), body=body.encode(), leaf=leaf, position=position)
            for number, uid, body, leaf, position in self._session.connection().execute(statement)
        ]


def page_statement(wanted: EntryFilter, *, before: int | None, limit: int) -> _Found:
    """Return the statement of one page; every filter has an index that ends in the row id."""
    statement = _found()
    exact = {
        AuditEventRow.tenant: wanted.tenant,
        AuditEventRow.actor: wanted.actor,
        AuditEventRow.action: wanted.action,
        AuditEventRow.outcome: wanted.outcome,
        AuditEventRow.target: wanted.target,
        AuditEventRow.correlation: wanted.correlation,
    }
    for column, value in exact.items():
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(AuditEventRow.ts_us >= wanted.since, AuditEventRow.id >= _first_from(wanted.since))
    if wanted.until is not None:
        statement = statement.where(AuditEventRow.ts_us < wanted.until, AuditEventRow.id <= _last_before(wanted.until))
    if before is not None:
        statement = statement.where(AuditEventRow.id < before)
    return statement.order_by(AuditEventRow.id.desc()).limit(limit)


def _first_from(since: datetime) -> ScalarSelect[int]:
    """Return the row id from which on entries can be that young, so that the years after it are not walked through.

    Ids follow the commits and times the clocks, which differ by seconds; a day leaves room for a clock put right.
    """
    young = select(AuditEventRow.id).where(AuditEventRow.ts_us >= _moved(since, -_DRIFT))
    return young.order_by(AuditEventRow.ts_us, AuditEventRow.id).limit(1).scalar_subquery()


def _last_before(until: datetime) -> ScalarSelect[int]:
    """Return the row id up to which entries can be that old."""
    old = select(AuditEventRow.id).where(AuditEventRow.ts_us < _moved(until, _DRIFT))
    return old.order_by(AuditEventRow.ts_us.desc(), AuditEventRow.id.desc()).limit(1).scalar_subquery()


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the first or the last day that there is
        return moment


def _found() -> _Found:
    return select(AuditEventRow.id, AuditEventRow.uid, AuditEventRow.body, AuditEventRow.leaf, AuditSeqRow.seq).join(
        AuditSeqRow, AuditSeqRow.event == AuditEventRow.id, isouter=True
    )
