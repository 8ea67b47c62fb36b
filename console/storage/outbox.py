"""Notices to staff."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from console.domain.ids import NoticeId, StaffId
from console.ports.outbox import Notice
from console.storage.control_tables import NoticeRow
from console.storage.prepared import Prepared
from console.storage.rows import add, changed, found, table_of


class StoredOutbox:
    """The Outbox of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, notice: Notice) -> None:
        """Queue a notice."""
        values = {
            "id": notice.id,
            "to_staff": notice.to,
            "kind": notice.kind,
            "sentence": notice.sentence,
            "path": notice.path,
            "at": notice.at,
            "read_at": notice.read_at,
        }
        add(self._session, NoticeRow, values)

    def unread(self, staff: StaffId, *, limit: int) -> Sequence[Notice]:
        """Return unread notices, newest first."""
        return [_notice(row) for row in found(self._session, _UNREAD, staff=staff, most=limit)]

    def mark_read(self, staff: StaffId, at: datetime) -> int:
        """Mark all of a person's notices read and return how many."""
        unread = update(NoticeRow).where(NoticeRow.to_staff == staff, NoticeRow.read_at.is_(None))
        return changed(self._session, unread.values(read_at=at))

    def undelivered(self, *, but: Collection[StaffId] = (), limit: int) -> Sequence[Notice]:
        """Return notices that no outside sink has taken yet, oldest first, none of them to `but`."""
        wanted = select(NoticeRow).where(NoticeRow.delivered_at.is_(None), NoticeRow.to_staff.not_in(but))
        return self._many(wanted.order_by(NoticeRow.at, NoticeRow.id).limit(limit))

    def delivered(self, notice: NoticeId, at: datetime) -> None:
        """Remember that the outside sink has taken a notice."""
        waiting = update(NoticeRow).where(NoticeRow.id == notice, NoticeRow.delivered_at.is_(None))
        changed(self._session, waiting.values(delivered_at=at))

    def _many(self, wanted: Select[NoticeRow]) -> list[Notice]:
        return [_notice(row) for row in self._session.scalars(wanted)]


_TABLE = table_of(NoticeRow)
_UNREAD = Prepared(
    select(_TABLE)
    .where(_TABLE.c.to_staff == bindparam("staff"), _TABLE.c.read_at.is_(None))
    .order_by(_TABLE.c.at.desc(), _TABLE.c.id.desc())
    .limit(bindparam("most"))
)


def _notice(row: Any) -> Notice:  # noqa: ANN401  a row, mapped or not
    return Notice(
        id=NoticeId(row.id),
        to=StaffId(row.to_staff),
        kind=row.kind,
        sentence=row.sentence,
        path=row.path,
        at=row.at,
        read_at=row.read_at,
    )
