"""What the product told, inside a unit of work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, tuple_
from sqlalchemy.orm import Session

from console.domain.ids import ImpersonationId, MemberId, TenantId
from console.domain.product_reports import ProductEvent, Report, ReportedEffect, ReportedOutcome
from console.storage.impersonation_tables import ProductEventRow, ProductReportRow
from console.storage.prepared import Prepared
from console.storage.rows import add_unless_taken, found, table_of


class StoredProductReports:
    """The ProductReports of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, report: Report, *, at: datetime) -> bool:
        """Store one request; False when it was told before."""
        values = {
            "id": report.id,
            "impersonation": report.sid,
            "at": report.at,
            "received_at": at,
            "method": report.method,
            "route": report.route,
            "effect": report.effect,
            "outcome": report.outcome,
            "status": report.status,
            "code": report.code,
        }
        return add_unless_taken(self._session, ProductReportRow, values)

    def of(self, impersonation: ImpersonationId, *, before: str | None, limit: int) -> Sequence[Report]:
        """Return the requests of one impersonation, newest first, those after `before`."""
        wanted = select(ProductReportRow).where(ProductReportRow.impersonation == impersonation)
        if before is not None:
            edge = select(ProductReportRow.at).where(ProductReportRow.id == before).scalar_subquery()
            wanted = wanted.where(tuple_(ProductReportRow.at, ProductReportRow.id) < tuple_(edge, before))
        newest = wanted.order_by(ProductReportRow.at.desc(), ProductReportRow.id.desc()).limit(limit)
        return [_shown(row) for row in self._session.scalars(newest)]

    def note(self, event: ProductEvent, *, tenant: TenantId, member: MemberId, at: datetime) -> bool:
        """Store an event; False when it was told before."""
        values = {
            "id": event.id,
            "kind": event.kind,
            "tenant": tenant,
            "member": event.member,
            "imported_member": member,
            "at": event.at,
            "received_at": at,
        }
        return add_unless_taken(self._session, ProductEventRow, values)

    def was_reset(self, tenant: TenantId, member: MemberId, *, since: datetime) -> bool:
        """Return whether an event about a member came since a moment."""
        return bool(found(self._session, _RESET, tenant=tenant, member=member, since=since))


_EVENTS = table_of(ProductEventRow)
_RESET = Prepared(
    select(_EVENTS.c.id)
    .where(
        _EVENTS.c.tenant == bindparam("tenant"),
        _EVENTS.c.received_at >= bindparam("since"),
        or_(_EVENTS.c.member == bindparam("member"), _EVENTS.c.imported_member == bindparam("member")),
    )
    .limit(1)
)


def _shown(row: Any) -> Report:  # noqa: ANN401  a mapped row
    return Report(
        id=row.id,
        sid=ImpersonationId(row.impersonation),
        at=row.at,
        method=row.method,
        route=row.route,
        effect=ReportedEffect(row.effect),
        outcome=ReportedOutcome(row.outcome),
        status=row.status,
        code=row.code,
    )
