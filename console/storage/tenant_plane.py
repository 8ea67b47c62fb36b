"""One tenant's data in one transaction: what is read, and the few things that Sallyport writes."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import BindParameter, bindparam, func, or_, select, update

from console.domain.ids import ExecutionId, MemberId
from console.domain.product_jobs import ProductJob, ProductJobState
from console.domain.tenancy import TenantStatus
from console.domain.workspace import ADMINISTRATOR_ROLES, Invoice, Member, Note, Subscription
from console.storage.access import StoredAccess
from console.storage.account_state import ensure_state
from console.storage.billed import Billed
from console.storage.bought import stored_invoice, stored_invoices, stored_subscription
from console.storage.guards import Scoped
from console.storage.mirror import StoredMirror
from console.storage.own_tables import AccountStateRow, AppliedExecutionRow, NoteRow
from console.storage.periods import StoredPeriodSets
from console.storage.plane_rows import shown_member, shown_note, shown_product_job
from console.storage.rows import changed
from console.storage.tenant_tables import MemberRow, ProductJobRow
from console.storage.webhooks import StoredWebhooks


class StoredTenantPlane(StoredAccess, Billed):
    """The TenantPlane of one unit; the session adds the tenant to every statement."""

    def subscription(self) -> Subscription | None:
        """Return the subscription as the product mirrors it, or as ours knows it where that is fresher."""
        return stored_subscription(self._session)

    def members(self, *, after: MemberId | None, limit: int) -> Sequence[Member]:
        """Return members in order of id."""
        return [shown_member(row) for row in self._session.scoped(_MEMBERS, after=after or "", most=limit)]

    def member(self, member: MemberId) -> Member | None:
        """Return one member of this tenant."""
        row = self._session.scalar(select(MemberRow).where(MemberRow.id == member))
        return None if row is None else shown_member(row)

    def administrators(self, *, limit: int) -> Sequence[Member]:
        """Return active members who answer for the tenant, in order of id."""
        wanted = select(MemberRow).where(MemberRow.role.in_(ADMINISTRATOR_ROLES), MemberRow.is_active.is_(True))
        return [shown_member(row) for row in self._session.scalars(wanted.order_by(MemberRow.id).limit(limit))]

    def member_count(self, *, most: int) -> int:
        """Return how many members there are, counting no further than `most`."""
        return int(self._session.scoped(_MEMBER_COUNT, most=most)[0][0])

    def invoices(self, *, limit: int) -> Sequence[Invoice]:
        """Return the newest invoices."""
        return stored_invoices(self._session, limit=limit)

    def invoice(self, number: str) -> Invoice | None:
        """Return one invoice."""
        return stored_invoice(self._session, number)

    @cached_property
    def mirror(self) -> StoredMirror:
        """Return the tenant's mirror of the billing provider."""
        return StoredMirror(self._session)

    @cached_property
    def webhooks(self) -> StoredWebhooks:
        """Return the tenant's webhooks."""
        return StoredWebhooks(self._session)

    @cached_property
    def periods(self) -> StoredPeriodSets:
        """Return what accounting periods hold of the tenant."""
        return StoredPeriodSets(self._session)

    def product_jobs(self, *, state: ProductJobState | None, before: str | None, limit: int) -> Sequence[ProductJob]:
        """Return the product's own jobs, newest first, those after `before`; none when there is no such job."""
        given: dict[str, object] = {} if state is None else {"state": state.value}
        if before is not None:
            edge = next((row.created_at for row in self._session.scoped(_PRODUCT_JOB, id=before)), None)
            if edge is None:
                return ()
            given |= {"edge": edge, "before": before}
        wanted = _PRODUCT_JOBS[state is not None, before is not None]
        return [shown_product_job(row) for row in self._session.scoped(wanted, **given, most=limit)]

    def notes(self, *, before: str | None, limit: int) -> Sequence[Note]:
        """Return notes newest first, those after the note `before`; none after one that is not there."""
        if before is None:
            return [shown_note(row) for row in self._session.scoped(_NOTES, most=limit)]
        edge = next((row.at for row in self._session.scoped(_WRITTEN_AT, id=before)), None)
        if edge is None:
            return []
        return [shown_note(row) for row in self._session.scoped(_OLDER_NOTES, edge=edge, before=before, most=limit)]

    def add_note(self, note: Note) -> None:
        """Store a note."""
        self._add(NoteRow, id=note.id, author=note.author, text=note.text, at=note.at)

    def set_status(self, status: TenantStatus, *, because: str | None, version: int) -> bool:
        """Change the status by one conditional update on `version`; False means somebody was faster."""
        ensure_state(self._session)
        fenced = update(AccountStateRow).where(AccountStateRow.version == version)
        values = {"status": status.value, "status_because": because, "version": version + 1}
        return changed(self._session, fenced.values(values)) == 1

    def applied(self, execution: ExecutionId) -> str | None:
        """Return the outcome that this plane recorded for an execution, or None."""
        return next((str(row.outcome) for row in self._session.scoped(_APPLIED, execution=execution)), None)

    def mark_applied(self, execution: ExecutionId, *, outcome: str, at: datetime) -> None:
        """Record an execution in this transaction; raises ConflictError when one is recorded already."""
        self._add(AppliedExecutionRow, execution=execution, outcome=outcome, at=at)


_MOST: BindParameter[int] = bindparam("most")
_MEMBERS = Scoped(select(MemberRow).where(MemberRow.id > bindparam("after")).order_by(MemberRow.id).limit(_MOST))
_MEMBER_COUNT = Scoped(select(func.count()).select_from(select(MemberRow.id).limit(_MOST).subquery()))
_NOTES = Scoped(select(NoteRow).order_by(NoteRow.at.desc(), NoteRow.id.desc()).limit(_MOST))
_WRITTEN_AT = Scoped(select(NoteRow.at).where(NoteRow.id == bindparam("id")))
_EDGE = bindparam("edge", type_=NoteRow.at.type)
_OLDER_NOTES = Scoped(  # not as a pair with the id: SQLite would walk from the newest down to it
    select(NoteRow)
    .where(NoteRow.at <= _EDGE, or_(NoteRow.at < _EDGE, NoteRow.id < bindparam("before")))
    .order_by(NoteRow.at.desc(), NoteRow.id.desc())
    .limit(_MOST)
)
_APPLIED = Scoped(select(AppliedExecutionRow.outcome).where(AppliedExecutionRow.execution == bindparam("execution")))
_PRODUCT_JOB = Scoped(select(ProductJobRow.created_at).where(ProductJobRow.id == bindparam("id")))


def _product_jobs(*, with_state: bool, with_edge: bool) -> Scoped:
    """Return the list of jobs with these filters, each served by its own index."""
    row = ProductJobRow
    wanted = select(row)
    if with_state:
        wanted = wanted.where(row.state == bindparam("state"))
    if with_edge:  # not as a pair with the id: SQLite would walk from the newest down to it
        edge = bindparam("edge", type_=row.created_at.type)
        is_older = or_(row.created_at < edge, row.id < bindparam("before"))
        wanted = wanted.where(row.created_at <= edge, is_older)
    return Scoped(wanted.order_by(row.created_at.desc(), row.id.desc()).limit(_MOST))


_PRODUCT_JOBS = {
    (with_state, with_edge): _product_jobs(with_state=with_state, with_edge=with_edge)
    for with_state in (False, True)
    for with_edge in (False, True)
}
