"""Look at impersonations: one's own wherever one stands, and a tenant's with all that was done by them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from console.domain.decisions import Deny, DenyCode
from console.domain.entries import TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import ImpersonationId, TenantId
from console.domain.impersonations import Impersonation
from console.domain.product_reports import Report
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.planes import TenantPlane
from console.ports.store import ControlUnit
from console.usecases.asking import denied
from console.usecases.house import House
from console.usecases.impersonation_standing import expire_impersonation_in, targets_of, ticket_of, why_over
from console.usecases.know_product import connected_product
from console.usecases.opened_tenant import Opened, read_opened
from console.usecases.recording import emit, refuse, tenant_ref
from console.usecases.scopes import directory_row

_PAGE = 50
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnImpersonation:
    """One's own impersonation as it stands. Shape: `enter_address` is where the product begins, "" when it is over."""

    row: Impersonation
    tenant: DirectoryRow
    enter_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One impersonation of a tenant, and who acted."""

    row: Impersonation
    staff_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpersonationList:
    """One page of a tenant's impersonations; `older` is the id to ask for what follows, None at the end."""

    opened: Opened
    lines: Sequence[Line]
    older: ImpersonationId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpersonationPage:
    """One impersonation of a tenant with the requests that the product told of."""

    opened: Opened
    line: Line
    reports: Sequence[Report]
    older: str | None


def read_own_impersonation(
    house: House, actor: Actor, *, impersonation: ImpersonationId
) -> OwnImpersonation | Deny:  # fmt: skip
    """Return one's own impersonation, running or over; what is over is written down here. Raises: NotFoundError."""
    product = connected_product(house)
    with house.store.read() as unit:
        row = unit.impersonations.get(impersonation)
    if row is None or row.staff != actor.staff:
        refusal = denied(DenyCode.NOT_YOURS, "There is no such impersonation of yours.")
        target = TargetRef(type="impersonation", id=impersonation[:_LONGEST_ID])
        refuse(house, actor, "impersonation.refused", refusal, targets=(target,))
        return refusal
    now = house.clock.now()
    ticket = ticket_of(house, row, now=now)
    with house.store.write() as unit:
        over = why_over(house, unit, row, ticket=ticket, now=now)
        if over is not None and expire_impersonation_in(unit, row, by=over, now=now):
            row = replace(row, ended_by=over, ended_at=now)
        tenant = tenant_ref(unit, row.tenant, source="impersonation")
        emit(
            unit, actor, "impersonation.read", at=now, tenant=tenant, reason=row.reason, targets=targets_of(row),
            correlation=row.id,
        )  # fmt: skip
        directory = directory_row(unit, row.tenant)
    enter = f"{product.address}/sallyport/enter?sid={row.id}" if over is None else ""
    return OwnImpersonation(row=row, tenant=directory, enter_address=enter)


def read_impersonations(
    house: House, actor: Actor, *, tenant: TenantId, before: ImpersonationId | None
) -> ImpersonationList | Deny:
    """Return a page of an opened tenant's impersonations, newest first. Raises: NotFoundError."""

    def read(unit: ControlUnit, opened: Opened, _plane: TenantPlane) -> ImpersonationList:
        found = unit.impersonations.of_tenant(tenant, before=before, limit=_PAGE + 1)
        older = found[_PAGE - 1][0].id if len(found) > _PAGE else None
        lines = [Line(row=row, staff_name=name) for row, name in found[:_PAGE]]
        return ImpersonationList(opened=opened, lines=lines, older=older)

    return read_opened(house, actor, tenant, page="impersonations", read=read, records=lambda page: len(page.lines))


def read_impersonation(
    house: House, actor: Actor, *, tenant: TenantId, impersonation: ImpersonationId, before: str | None
) -> ImpersonationPage | Deny:
    """Return one impersonation of an opened tenant with its requests. Raises: NotFoundError, for others' too."""

    def read(unit: ControlUnit, opened: Opened, _plane: TenantPlane) -> ImpersonationPage:
        row = unit.impersonations.get(impersonation)
        if row is None or row.tenant != tenant:
            raise NotFoundError("This tenant has no such impersonation.")
        member = unit.staff.get(row.staff)
        found = unit.product_reports.of(row.id, before=before, limit=_PAGE + 1)
        return ImpersonationPage(
            opened=opened,
            line=Line(row=row, staff_name=row.staff if member is None else member.name),
            reports=found[:_PAGE],
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
        )

    about = (TargetRef(type="impersonation", id=impersonation[:_LONGEST_ID]),)
    return read_opened(
        house, actor, tenant, page="impersonation", read=read, records=lambda page: 1 + len(page.reports), about=about
    )  # fmt: skip
