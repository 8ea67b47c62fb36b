"""One tenant's data in one transaction: what is read, and the few things that Sallyport writes."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import BindParameter, bindparam, func, or_, select, update

from console.domain.ids import ExecutionId, MemberId
from console.domain.product_jobs import ProductJob, ProductJobState
from console.domain.tenancy import TenantStatus
from console.domain.workspace import Invoice, Member, Note, Subscription
from console.storage.access import StoredAccess
from console.storage.guards import Scoped
from console.storage.own_tables import AccountStateRow, AppliedExecutionRow, InvoiceMirrorRow, NoteRow
from console.storage.plane_rows import shown_invoice, shown_member, shown_note, shown_product_job, shown_subscription
from console.storage.rows import changed
from console.storage.tenant_tables import (
    InvoiceRow,
    MemberRow,
    PlanRow,
    ProductJobRow,
    SubscriptionRow,
)
from console.storage.webhooks import StoredWebhooks


class StoredTenantPlane(StoredAccess):
    """The TenantPlane of one unit; the session adds the tenant to every statement."""

    def subscription(self) -> Subscription | None:
        """Return the mirrored subscription."""
        return next((shown_subscription(row) for row in self._session.scoped(_SUBSCRIPTION)), None)

    def members(self, *, after: MemberId | None, limit: int) -> Sequence[Member]:
        """Return members in order of id."""
        return [shown_member(row) for row in self._session.scoped(_MEMBERS, after=after or "", most=limit)]

    def member(self, member: MemberId) -> Member | None:
        """Return one member of this tenant."""
        row = self._session.scalar(select(MemberRow).where(MemberRow.id == member))
        return None if row is None else shown_member(row)

    def member_count(self, *, most: int) -> int:
        """Return how many members there are, counting no further than `most`."""
        return int(self._session.scoped(_MEMBER_COUNT, most=most)[0][0])

    def invoices(self, *, limit: int) -> Sequence[Invoice]:
        """Return the newest invoices."""
        return [shown_invoice(row) for row in self._session.scoped(_INVOICES, most=limit)]

    def invoice(self, number: str) -> Invoice | None:
        """Return one invoice."""
        return next((shown_invoice(row) for row in self._session.scoped(_INVOICE, number=number)), None)

    @cached_property
    def webhooks(self) -> StoredWebhooks:
        """Return the tenant's webhooks."""
        return StoredWebhooks(self._session)

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

    def notes(self, *, limit: int) -> Sequence[Note]:
        """Return the newest notes."""
        return [shown_note(row) for row in self._session.scoped(_NOTES, most=limit)]

    def add_note(self, note: Note) -> None:
        """Store a note."""
        self._add(NoteRow, id=note.id, author=note.author, text=note.text, at=note.at)

    def set_status(self, status: TenantStatus, *, because: str | None, version: int) -> bool:
        """Change the status by one conditional update on `version`; False means somebody was faster."""
        self._ensure_state()
        fenced = update(AccountStateRow).where(AccountStateRow.version == version)
        values = {"status": status.value, "status_because": because, "version": version + 1}
        return changed(self._session, fenced.values(values)) == 1

    def mirror_invoice(self, number: str, *, status: str, paid_at: datetime | None, at: datetime) -> bool:
        """Write what the provider said of an invoice before `at`; False without one, or where a fresher one stands."""
        invoice = self.invoice(number)
        if invoice is None or invoice.mirrored_at > at:
            return False
        same = update(InvoiceMirrorRow).where(InvoiceMirrorRow.number == number, InvoiceMirrorRow.mirrored_at <= at)
        if changed(self._session, same.values(status=status, paid_at=paid_at, mirrored_at=at)) == 0:
            self._add(InvoiceMirrorRow, number=number, status=status, paid_at=paid_at, mirrored_at=at)
        return True

    def applied(self, execution: ExecutionId) -> str | None:
        """Return the outcome that this plane recorded for an execution, or None."""
        return next((str(row.outcome) for row in self._session.scoped(_APPLIED, execution=execution)), None)

    def mark_applied(self, execution: ExecutionId, *, outcome: str, at: datetime) -> None:
        """Record an execution in this transaction; raises ConflictError when one is recorded already."""
        self._add(AppliedExecutionRow, execution=execution, outcome=outcome, at=at)


_MOST: BindParameter[int] = bindparam("most")
_SUBSCRIPTION = Scoped(
    select(SubscriptionRow, PlanRow.name.label("plan_name")).join(
        PlanRow, PlanRow.key == SubscriptionRow.plan_key, isouter=True
    )
)
_MEMBERS = Scoped(select(MemberRow).where(MemberRow.id > bindparam("after")).order_by(MemberRow.id).limit(_MOST))
_MEMBER_COUNT = Scoped(select(func.count()).select_from(select(MemberRow.id).limit(_MOST).subquery()))
_WITH_MIRROR = select(
    InvoiceRow,
    InvoiceMirrorRow.status.label("told"),
    InvoiceMirrorRow.paid_at.label("told_paid_at"),
    InvoiceMirrorRow.mirrored_at.label("told_at"),
).join(
    InvoiceMirrorRow,
    (InvoiceMirrorRow.tenant_id == InvoiceRow.tenant_id) & (InvoiceMirrorRow.number == InvoiceRow.number),
    isouter=True,
)
_INVOICES = Scoped(_WITH_MIRROR.order_by(InvoiceRow.issued_at.desc(), InvoiceRow.number.desc()).limit(_MOST))
_INVOICE = Scoped(_WITH_MIRROR.where(InvoiceRow.number == bindparam("number")))
_NOTES = Scoped(select(NoteRow).order_by(NoteRow.at.desc(), NoteRow.id.desc()).limit(_MOST))
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
