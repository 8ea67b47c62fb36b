"""Impersonations and their one-use codes inside a unit of work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from console.domain.freezes import FreezeScope
from console.domain.ids import (
    ImpersonationId,
    LeaseId,
    MemberId,
    ReasonCode,
    RequestId,
    SessionKey,
    StaffId,
    TenantId,
)
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.product_tokens import HandOffCode
from console.domain.reasons import Reason
from console.storage.control_tables import StaffRow
from console.storage.impersonation_tables import ImpersonationCodeRow, ImpersonationRow
from console.storage.prepared import Prepared
from console.storage.rows import add, add_unless_taken, done, found, table_of


class StoredImpersonations:
    """The ImpersonationBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, row: Impersonation) -> bool:
        """Store a new one; False when this staff member has one already that nothing has ended."""
        values = {
            "id": row.id,
            "staff": row.staff,
            "session": row.session,
            "lease": row.lease,
            "tenant": row.tenant,
            "member": row.member,
            "mode": row.mode,
            "reason_code": row.reason.code,
            "reason_reference": row.reason.reference,
            "reason_note": row.reason.note,
            "request": row.request,
            "widened_by": row.widened_by,
            "started_at": row.started_at,
            "last_used_at": row.last_used_at,
            "not_after": row.not_after,
            "idle_minutes": row.idle_minutes,
            "ended_at": row.ended_at,
            "ended_by": row.ended_by,
        }
        return add_unless_taken(self._session, ImpersonationRow, values)

    def get(self, impersonation: ImpersonationId) -> Impersonation | None:
        """Return one, ended or not."""
        return next((_shown(row) for row in found(self._session, _ONE, its_id=impersonation)), None)

    def open_of(self, staff: StaffId) -> Impersonation | None:
        """Return the one of a person that nothing has ended in the store."""
        return next((_shown(row) for row in found(self._session, _OPEN_OF, staff=staff)), None)

    def touch(self, impersonation: ImpersonationId, at: datetime) -> None:
        """Move the idle clock of one that is not ended; it never goes back."""
        done(self._session, _TOUCH, its_id=impersonation, moment=at)

    def widen(self, impersonation: ImpersonationId, *, by: RequestId) -> bool:
        """Let one that only reads write; False when it is ended or writes already."""
        return done(self._session, _WIDEN, its_id=impersonation, by=by) == 1

    def end(self, impersonation: ImpersonationId, *, by: ImpersonationEnd, at: datetime) -> bool:
        """End one; False when it was ended before."""
        return done(self._session, _END, its_id=impersonation, moment=at, word=by) == 1

    def open_after(self, after: ImpersonationId | None, *, limit: int) -> Sequence[Impersonation]:
        """Return those that nothing has ended in the store, in order of id."""
        return [_shown(row) for row in found(self._session, _OPEN_AFTER, after=after or "", most=limit)]

    def open_on(self, tenant: TenantId, members: Sequence[MemberId]) -> Sequence[Impersonation]:
        """Return those on some members of a tenant that nothing has ended in the store."""
        return [_shown(row) for row in found(self._session, _OPEN_ON, tenant=tenant, members=list(members))]

    def open_in(self, session: SessionKey) -> Sequence[Impersonation]:
        """Return those that a session began and nothing has ended in the store."""
        return [_shown(row) for row in found(self._session, _OPEN_IN, its_session=session)]

    def open_under(self, scope: FreezeScope, subject: str, *, limit: int) -> Sequence[Impersonation]:
        """Return those of a person, a vendor's people, on a tenant, or of all, that nothing has ended in the store."""
        wanted = select(_TABLE).where(_IS_OPEN)
        if scope is FreezeScope.PERSON:
            wanted = wanted.where(_TABLE.c.staff == subject)
        elif scope is FreezeScope.TENANT:
            wanted = wanted.where(_TABLE.c.tenant == subject)
        elif scope is FreezeScope.VENDOR:
            wanted = wanted.where(_TABLE.c.staff.in_(select(_STAFF.c.id).where(_STAFF.c.vendor == subject)))
        return [_shown(row) for row in self._session.execute(wanted.order_by(_TABLE.c.id).limit(limit))]

    def of_tenant(
        self, tenant: TenantId, *, before: ImpersonationId | None, limit: int
    ) -> Sequence[tuple[Impersonation, str]]:
        """Return those of a tenant, newest first, each with its staff member's name."""
        rows = found(self._session, _OF_TENANT, tenant=tenant, before=before or _LAST, most=limit)
        return [(_shown(row), row.staff_name) for row in rows]

    def add_code(self, code: HandOffCode) -> None:
        """Store a one-use code by its digest."""
        values = {
            "digest": code.digest,
            "impersonation": code.impersonation,
            "session": code.session,
            "challenge": code.challenge,
            "made_at": code.made_at,
            "until": code.until,
            "used_at": code.used_at,
        }
        add(self._session, ImpersonationCodeRow, values)

    def code(self, digest: str) -> HandOffCode | None:
        """Return a code, used or not."""
        return next((_code(row) for row in found(self._session, _CODE, digest=digest)), None)

    def spend(self, digest: str, at: datetime) -> bool:
        """Use a code; False when it was used before."""
        return done(self._session, _SPEND, its_digest=digest, moment=at) == 1


_LAST = "~"  # behind every id
_TABLE, _CODES, _STAFF = table_of(ImpersonationRow), table_of(ImpersonationCodeRow), table_of(StaffRow)
_IS_OPEN = _TABLE.c.ended_at.is_(None)
_LIVE = update(_TABLE).where(_TABLE.c.id == bindparam("its_id"), _IS_OPEN)
_ONE = Prepared(select(_TABLE).where(_TABLE.c.id == bindparam("its_id")))
_OPEN_OF = Prepared(select(_TABLE).where(_TABLE.c.staff == bindparam("staff"), _IS_OPEN))
_TOUCH = Prepared(
    _LIVE.where(_TABLE.c.last_used_at < bindparam("moment")).values(last_used_at=bindparam("moment"))
)  # fmt: skip
_WIDEN = Prepared(
    _LIVE.where(_TABLE.c.mode == Mode.READ.value).values(mode=Mode.WRITE.value, widened_by=bindparam("by"))
)  # fmt: skip
_END = Prepared(_LIVE.values(ended_at=bindparam("moment"), ended_by=bindparam("word")))
_OPEN_AFTER = Prepared(
    select(_TABLE).where(_IS_OPEN, _TABLE.c.id > bindparam("after")).order_by(_TABLE.c.id).limit(bindparam("most"))
)
_OPEN_ON = Prepared(
    select(_TABLE).where(
        _IS_OPEN,
        _TABLE.c.tenant == bindparam("tenant"),
        _TABLE.c.member.in_(bindparam("members", expanding=True)),
    )
)
_OPEN_IN = Prepared(select(_TABLE).where(_TABLE.c.session == bindparam("its_session"), _IS_OPEN).order_by(_TABLE.c.id))
_OF_TENANT = Prepared(
    select(_TABLE, _STAFF.c.name.label("staff_name"))
    .join(_STAFF, _STAFF.c.id == _TABLE.c.staff)
    .where(_TABLE.c.tenant == bindparam("tenant"), _TABLE.c.id < bindparam("before"))
    .order_by(_TABLE.c.id.desc())
    .limit(bindparam("most"))
)
_CODE = Prepared(select(_CODES).where(_CODES.c.digest == bindparam("digest")))
_SPEND = Prepared(
    update(_CODES)
    .where(_CODES.c.digest == bindparam("its_digest"), _CODES.c.used_at.is_(None))
    .values(used_at=bindparam("moment"))
)


def _shown(row: Any) -> Impersonation:  # noqa: ANN401  a row of a prepared statement
    return Impersonation(
        id=ImpersonationId(row.id),
        staff=StaffId(row.staff),
        session=SessionKey(row.session),
        lease=LeaseId(row.lease),
        tenant=TenantId(row.tenant),
        member=MemberId(row.member),
        mode=Mode(row.mode),
        reason=Reason(code=ReasonCode(row.reason_code), reference=row.reason_reference, note=row.reason_note),
        request=None if row.request is None else RequestId(row.request),
        widened_by=None if row.widened_by is None else RequestId(row.widened_by),
        started_at=row.started_at,
        last_used_at=row.last_used_at,
        not_after=row.not_after,
        idle_minutes=row.idle_minutes,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else ImpersonationEnd(row.ended_by),
    )


def _code(row: Any) -> HandOffCode:  # noqa: ANN401  a row of a prepared statement
    return HandOffCode(
        digest=row.digest,
        impersonation=ImpersonationId(row.impersonation),
        session=SessionKey(row.session),
        challenge=row.challenge,
        made_at=row.made_at,
        until=row.until,
        used_at=row.used_at,
    )
