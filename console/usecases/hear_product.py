"""Take in what the product tells: the requests it served in a member's name, and what happened to members."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.entries import TargetRef
from console.domain.ids import ImpersonationId, MemberId
from console.domain.impersonations import Impersonation, ImpersonationEnd
from console.domain.imports import member_id_of, tenant_id_of
from console.domain.product_reports import ProductEvent, Report, ReportedOutcome
from console.domain.staff import Origin
from console.ports.product import Product
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.impersonation_standing import expire_impersonation_in, holder_of, targets_of
from console.usecases.know_product import product_actor, refuse_product_in
from console.usecases.recording import emit_as, tenant_ref

UNKNOWN_SID = "report_of_unknown_impersonation"
UNKNOWN_TENANT = "event_of_unknown_tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of a batch: new ones, those told before, and those of impersonations that nobody here knows."""

    accepted: int
    known: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What became of an event. Shape: `is_known` when it was told before; `ended` impersonations ended by it."""

    is_known: bool
    ended: int


def hear_reports(house: House, product: Product, *, reports: Sequence[Report], origin: Origin) -> Heard:
    """Keep each request once, with one entry each, all in one transaction."""
    rows: dict[ImpersonationId, Impersonation | None] = {}
    accepted = unknown = 0
    with house.store.write() as unit:
        for report in reports:
            if report.sid not in rows:
                rows[report.sid] = unit.impersonations.get(report.sid)
            row = rows[report.sid]
            if row is None:
                unknown += 1
            elif unit.product_reports.add(report, at=house.clock.now()):
                accepted += 1
                _record(house, unit, row, report, origin)
        if unknown:
            refuse_product_in(house, unit, product, because=UNKNOWN_SID, origin=origin)
    return Heard(accepted=accepted, known=len(reports) - accepted - unknown, unknown=unknown)


def hear_event(house: House, product: Product, *, event: ProductEvent, origin: Origin) -> Noted:
    """Keep an event once, and end at once whatever acts for its member."""
    now = house.clock.now()
    tenant = tenant_id_of(event.tenant)
    imported = member_id_of(event.tenant, event.member)
    with house.store.write() as unit:
        if unit.directory.get(tenant) is None:
            refuse_product_in(house, unit, product, because=UNKNOWN_TENANT, origin=origin)
            return Noted(is_known=False, ended=0)
        if not unit.product_reports.note(event, tenant=tenant, member=imported, at=now):
            return Noted(is_known=True, ended=0)
        emit_as(
            unit,
            product_actor(product),
            "product.told",
            at=now,
            origin=origin,
            tenant=tenant_ref(unit, tenant, source="product"),
            targets=(TargetRef(type="member", id=event.member),),
            error=event.kind.value,
        )
        running = unit.impersonations.open_on(tenant, (MemberId(event.member), imported))
        ended = sum(
            expire_impersonation_in(unit, row, by=ImpersonationEnd.MEMBER_RESET, now=now) for row in running
        )  # fmt: skip
    return Noted(is_known=False, ended=ended)


def _record(house: House, unit: ControlUnit, row: Impersonation, report: Report, origin: Origin) -> None:
    is_refused = report.outcome is ReportedOutcome.REFUSED
    route = TargetRef(type="route", id=report.route, name=f"{report.method} {report.route}")
    emit_as(
        unit,
        holder_of(unit, row),
        "impersonation.request_refused" if is_refused else "impersonation.request",
        at=house.clock.now(),
        origin=origin,
        tenant=tenant_ref(unit, row.tenant, source="impersonation"),
        reason=row.reason,
        targets=(route, *targets_of(row)),
        correlation=row.id,
        error=(report.code or "refused") if is_refused else None,
        facts={
            "report": report.id,
            "at": report.at.isoformat(),
            "effect": report.effect.value,
            "status": report.status,
            "mode": row.mode.value,
        },
    )
