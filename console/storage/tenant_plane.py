"""One tenant's data in one transaction: what is read, and the few things that Sallyport writes."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import BindParameter, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from console.domain.entitlements import Feature, Grant, Inputs
from console.domain.errors import ConflictError, NotFoundError
from console.domain.ids import ExecutionId, MemberId, TenantId
from console.domain.product_jobs import ProductJob, ProductJobState
from console.domain.tenancy import TenantScope, TenantStatus
from console.domain.workspace import Account, Invoice, Member, Note, Subscription
from console.storage.bases import PlaneBase
from console.storage.entitlement_inputs import stored_features, stored_inputs
from console.storage.faults import is_taken
from console.storage.grants import stored_grants
from console.storage.guards import GuardedSession, Scoped
from console.storage.own_tables import AccountStateRow, AppliedExecutionRow, InvoiceMirrorRow, NoteRow, OverrideRow
from console.storage.plane_rows import shown_invoice, shown_member, shown_note, shown_product_job, shown_subscription
from console.storage.rows import changed
from console.storage.tenant_tables import (
    AccountRow,
    InvoiceRow,
    MemberRow,
    PlanRow,
    ProductJobRow,
    SubscriptionRow,
)
from console.storage.webhooks import StoredWebhooks

_FIRST_VERSION = 1


class StoredTenantPlane:
    """The TenantPlane of one unit; the session adds the tenant to every statement."""

    def __init__(self, session: GuardedSession, scope: TenantScope, *, now: datetime) -> None:
        """Bind the scope. Raises: ScopeError when it has expired or another one is bound."""
        session.bind_scope(scope, now=now)
        self._session = session
        self._scope = scope

    @property
    def scope(self) -> TenantScope:
        """Return the scope that opened this."""
        return self._scope

    def account(self) -> Account:
        """Return the tenant's own row; raises NotFoundError."""
        rows = self._session.scoped(_ACCOUNT)
        if not rows:
            message = "The tenant has no account on its plane."
            raise NotFoundError(message, tenant=self._scope.tenant)
        row = rows[0]
        status, because = row.status, row.status_because
        if row.own_status is not None:
            status, because = row.own_status, row.own_because
        return Account(
            tenant=TenantId(row.tenant_id),
            name=row.name,
            status=TenantStatus(status),
            suspended_because=because,
            country=row.country,
            created_at=row.created_at,
            version=_FIRST_VERSION if row.version is None else row.version,
            entitlement_version=_FIRST_VERSION if row.entitlement_version is None else row.entitlement_version,
        )

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

    def features(self) -> Sequence[Feature]:
        """Return the features of the plane's catalogue."""
        return self._session.remembered("features", lambda: stored_features(self._session))

    def grants(self, feature: str | None = None) -> Sequence[Grant]:
        """Return what every source (ended overrides too) gives, for one feature or all."""
        return stored_grants(self._session, feature)

    def inputs(self) -> Inputs:
        """Return all that decides the tenant's entitlements."""
        return self._session.remembered("inputs", lambda: stored_inputs(self._session, self.account()))

    def notes(self, *, limit: int) -> Sequence[Note]:
        """Return the newest notes."""
        return [shown_note(row) for row in self._session.scoped(_NOTES, most=limit)]

    def add_override(self, grant: Grant, *, by: str, at: datetime) -> None:
        """Store an override and move `entitlement_version`."""
        self._add(
            OverrideRow,
            id=grant.id,
            feature=grant.feature,
            label=grant.label,
            value=grant.value,
            starts_at=grant.starts_at,
            until=grant.until,
            ended_at=grant.ended_at,
            reference=grant.reference,
            granted_by=by,
            granted_at=at,
            op=grant.op.value,
            owner=grant.owner,
        )
        self._move_entitlements()

    def end_override(self, override: str, *, at: datetime) -> bool:
        """End a live override and move `entitlement_version`; False when it was not live."""
        live = update(OverrideRow).where(
            OverrideRow.id == override,
            OverrideRow.ended_at.is_(None),
            or_(OverrideRow.until.is_(None), OverrideRow.until > at),
        )
        if changed(self._session, live.values(ended_at=at)) != 1:
            return False
        self._move_entitlements()
        return True

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

    def _move_entitlements(self) -> None:
        self._ensure_state()
        moved = update(AccountStateRow).values(entitlement_version=AccountStateRow.entitlement_version + 1)
        changed(self._session, moved)

    def _ensure_state(self) -> None:
        """Give the tenant its state row; two units at once meet on the key, and the later one goes on."""
        if self._session.scalar(select(AccountStateRow.version)) is not None:
            return
        first = AccountStateRow(
            tenant_id=self._scope.tenant, version=_FIRST_VERSION, entitlement_version=_FIRST_VERSION
        )
        try:
            with self._session.begin_nested():
                self._session.add(first)
        except IntegrityError:
            self._session.expunge_all()

    def _add(self, row: type[PlaneBase], **values: object) -> None:
        try:
            self._session.put(row, **values)
        except IntegrityError as broken:
            if not is_taken(broken):
                raise
            message = "This plane has that row already."
            raise ConflictError(message) from broken


_MOST: BindParameter[int] = bindparam("most")
_ACCOUNT = Scoped(
    select(
        AccountRow.tenant_id,
        AccountRow.name,
        AccountRow.status,
        AccountRow.status_because,
        AccountRow.country,
        AccountRow.created_at,
        AccountStateRow.version,
        AccountStateRow.entitlement_version,
        AccountStateRow.status.label("own_status"),
        AccountStateRow.status_because.label("own_because"),
    ).join_from(AccountRow, AccountStateRow, AccountStateRow.tenant_id == AccountRow.tenant_id, isouter=True)
)
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
