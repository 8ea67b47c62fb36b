"""Signed-in browsers of staff."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.orm import Session

from console.domain.errors import NotFoundError
from console.domain.ids import SessionKey, StaffId
from console.domain.staff import SignInMethod, StaffSession, StepUpMethod
from console.storage.control_tables import LeaseRow, StaffSessionRow
from console.storage.impersonation_tables import ImpersonationRow
from console.storage.prepared import Prepared
from console.storage.rows import changed, done, found, table_of


class StoredSessions:
    """The SessionBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, session: StaffSession) -> None:
        """Store a new session."""
        self._session.execute(
            insert(StaffSessionRow).values(
                key=session.key,
                staff=session.staff,
                signed_in_by=session.signed_in_by,
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
                not_after=session.not_after,
                stepped_up_at=session.stepped_up_at,
                stepped_up_by=session.stepped_up_by,
                revoked_at=session.revoked_at,
                ip=session.ip,
                agent=session.agent,
                values=session.values,
                idp_sid=session.idp_sid,
            )
        )

    def get(self, key: SessionKey) -> StaffSession | None:
        """Return a session, ended or not."""
        return next((_session(row) for row in found(self._session, _ONE, key=key)), None)

    def hold(self, key: SessionKey) -> bool:
        """Keep a live session from ending or moving on until the unit ends; False where it is none (any more)."""
        live = select(StaffSessionRow.key).where(StaffSessionRow.key == key, StaffSessionRow.revoked_at.is_(None))
        return self._session.scalar(live.with_for_update()) is not None

    def touch(self, key: SessionKey, at: datetime) -> None:
        """Move the idle clock of a live session; it never goes back."""
        live = update(StaffSessionRow).where(
            StaffSessionRow.key == key, StaffSessionRow.revoked_at.is_(None), StaffSessionRow.last_seen_at < at
        )
        changed(self._session, live.values(last_seen_at=at))

    def save_values(self, key: SessionKey, values: Mapping[str, object]) -> None:
        """Store the small signed-in values."""
        _found_one(done(self._session, _SAVE, its_key=key, kept=dict(values)))

    def step_up(self, key: SessionKey, *, by: StepUpMethod, at: datetime) -> None:
        """Remember a second factor. Raises: NotFoundError where the session is not live (any more)."""
        self._set(key, {"stepped_up_by": by, "stepped_up_at": at})

    def rotate(self, key: SessionKey, new_key: SessionKey) -> None:
        """Give a live session a new key; open leases and what acts for a member follow; the old key is dead at once.

        Raises: NotFoundError where the session is not live (any more).
        """
        self._set(key, {"key": new_key})
        # in the order in which they end, so that nobody waits in a circle
        acting = update(ImpersonationRow).where(ImpersonationRow.session == key, ImpersonationRow.ended_at.is_(None))
        changed(self._session, acting.values(session=new_key))
        held = update(LeaseRow).where(LeaseRow.session == key, LeaseRow.ended_at.is_(None))
        changed(self._session, held.values(session=new_key))

    def revoke(self, key: SessionKey, at: datetime) -> bool:
        """End a session; False when it was over already."""
        live = update(StaffSessionRow).where(StaffSessionRow.key == key, StaffSessionRow.revoked_at.is_(None))
        return changed(self._session, live.values(revoked_at=at)) == 1

    def live_of(self, staff: StaffId, now: datetime) -> Sequence[StaffSession]:
        """Return a person's sessions that are neither revoked nor past their absolute end."""
        live = select(StaffSessionRow).where(
            StaffSessionRow.staff == staff, StaffSessionRow.not_after > now, StaffSessionRow.revoked_at.is_(None)
        )
        return self._many(live.order_by(StaffSessionRow.created_at.desc(), StaffSessionRow.key))

    def overdue(self, now: datetime, *, idle_minutes: int, limit: int) -> Sequence[StaffSession]:
        """Return sessions that are not ended and whose clocks have run out."""
        idle_since = now - timedelta(minutes=idle_minutes)
        late = select(StaffSessionRow).where(
            StaffSessionRow.revoked_at.is_(None),
            (StaffSessionRow.not_after <= now) | (StaffSessionRow.last_seen_at <= idle_since),
        )
        return self._many(late.order_by(StaffSessionRow.not_after, StaffSessionRow.key).limit(limit))

    def _set(self, key: SessionKey, values: dict[str, object]) -> None:
        live = update(StaffSessionRow).where(StaffSessionRow.key == key, StaffSessionRow.revoked_at.is_(None))
        _found_one(changed(self._session, live.values(values)))

    def _many(self, wanted: Select[StaffSessionRow]) -> list[StaffSession]:
        return [_session(row) for row in self._session.scalars(wanted)]


def _found_one(rows: int) -> None:
    if rows != 1:
        message = "There is no such session."
        raise NotFoundError(message)


_TABLE = table_of(StaffSessionRow)
_SAVE = Prepared(update(_TABLE).where(_TABLE.c.key == bindparam("its_key")).values({"values": bindparam("kept")}))
_ONE = Prepared(select(_TABLE).where(_TABLE.c.key == bindparam("key")))


def _session(row: Any) -> StaffSession:  # noqa: ANN401  a row, mapped or not
    return StaffSession(
        key=SessionKey(row.key),
        staff=StaffId(row.staff),
        signed_in_by=SignInMethod(row.signed_in_by),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        not_after=row.not_after,
        stepped_up_at=row.stepped_up_at,
        stepped_up_by=None if row.stepped_up_by is None else StepUpMethod(row.stepped_up_by),
        revoked_at=row.revoked_at,
        ip=row.ip,
        agent=row.agent,
        values=row.values,
        idp_sid=row.idp_sid,
    )
