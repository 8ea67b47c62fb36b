"""Questions to tenants' administrators, and their answers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from console.domain.ids import ImpersonationId, MemberId, StaffId, TenantId
from console.domain.trust.consents import Consent, ConsentState
from console.storage.rows import add, changed, table_of
from console.storage.trust_tables import ConsentRow

_TABLE = table_of(ConsentRow)


class StoredConsents:
    """The ConsentBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, consent: Consent) -> None:
        """Store a question."""
        add(self._session, ConsentRow, asdict(consent))

    def get(self, consent: str) -> Consent | None:
        """Return one, whatever became of it."""
        return next(iter(self._many(select(_TABLE).where(_TABLE.c.id == consent))), None)

    def settle(self, consent: Consent, to: ConsentState, *, by: str, at: datetime) -> bool:
        """Move it by one conditional update on state and version; False when somebody was faster."""
        row = _TABLE.c
        same = (row.id == consent.id, row.state == consent.state, row.version == consent.version)
        values = {"state": to, "version": consent.version + 1, "decided_at": at, "decided_by": by}
        return changed(self._session, update(_TABLE).where(*same).values(**values)) == 1

    def use(self, consent: Consent, *, by: ImpersonationId, at: datetime) -> bool:
        """Spend what was approved on one access, by one conditional update; False when it was spent or taken back."""
        row = _TABLE.c
        whole = (row.id == consent.id, row.state == ConsentState.APPROVED, row.version == consent.version)
        values = {"state": ConsentState.USED, "version": consent.version + 1, "used_at": at, "used_by": by}
        return changed(self._session, update(_TABLE).where(*whole, row.use_by > at).values(**values)) == 1

    def used_by(self, access: ImpersonationId) -> Sequence[Consent]:
        """Return what was spent on one access."""
        return self._many(select(_TABLE).where(_TABLE.c.used_by == access).order_by(_TABLE.c.id))

    def reminded(self, consent: Consent, *, at: datetime) -> bool:
        """Remember that a reminder was queued; False when one was, or it is decided."""
        row = _TABLE.c
        open_ = (row.id == consent.id, row.state == ConsentState.PENDING, row.reminded_at.is_(None))
        return changed(self._session, update(_TABLE).where(*open_).values(reminded_at=at)) == 1

    def of_tenant(self, tenant: TenantId, *, limit: int) -> Sequence[Consent]:
        """Return a tenant's questions, newest first."""
        row = _TABLE.c
        wanted = select(_TABLE).where(row.tenant == tenant).order_by(row.asked_at.desc(), row.id.desc())
        return self._many(wanted.limit(limit))

    def of_staff(self, staff: StaffId, tenant: TenantId, *, limit: int) -> Sequence[Consent]:
        """Return what somebody asked a tenant, newest first."""
        row = _TABLE.c
        wanted = select(_TABLE).where(row.staff == staff, row.tenant == tenant).order_by(row.asked_at.desc())
        return self._many(wanted.limit(limit))

    def pending(self, *, now: datetime, before: datetime, limit: int) -> Sequence[Consent]:
        """Return undecided questions that are over, or end before a moment and were not reminded of; soonest first."""
        row = _TABLE.c
        to_do = or_(row.decide_by <= now, row.reminded_at.is_(None))
        wanted = select(_TABLE).where(row.state == "pending", row.decide_by < before, to_do)
        return self._many(wanted.order_by(row.decide_by, row.id).limit(limit))

    def _many(self, wanted: Select[*tuple[Any, ...]]) -> list[Consent]:
        return [_consent(row) for row in self._session.execute(wanted)]


def _consent(row: Any) -> Consent:  # noqa: ANN401  a row of the table
    return Consent(
        **{
            **row._mapping,  # noqa: SLF001  SQLAlchemy's own name
            "tenant": TenantId(row.tenant),
            "staff": StaffId(row.staff),
            "member": None if row.member is None else MemberId(row.member),
            "state": ConsentState(row.state),
            "used_by": None if row.used_by is None else ImpersonationId(row.used_by),
        }
    )
