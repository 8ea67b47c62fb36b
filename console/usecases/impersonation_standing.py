"""What an impersonation rests on at this moment, read anew each time; and its end, with the entry."""

from datetime import datetime

from console.domain.decisions import Allow, Query
from console.domain.entries import SYSTEM_ACTOR, ActorKind, ActorRef, TargetRef
from console.domain.ids import ActionKey, TenantId
from console.domain.impersonations import Impersonation, ImpersonationEnd, Standing, ended_because
from console.domain.reasons import ReferenceVerdict
from console.domain.staff import Origin, StaffMember
from console.ports.store import ControlUnit
from console.usecases.asking import ask
from console.usecases.house import House
from console.usecases.recording import emit_as, tenant_ref
from console.usecases.spend_consent import tenant_allows

_HOLD = ActionKey("impersonation.hold")


def ticket_of(house: House, row: Impersonation, *, now: datetime) -> ReferenceVerdict:
    """Return what the ticket system says of the reference; it is not asked about what is over anyway.

    Raises: OutsideError, and then nothing is granted.
    """
    if row.clock_end(now) is not None:
        return ReferenceVerdict.UNCHECKED
    rule = house.book.reasons.get(row.reason.code)
    if rule is None:
        return ReferenceVerdict.UNKNOWN
    return house.tickets.verdict(kind=rule.reference_kind, reference=row.reason.reference.strip(), tenant=row.tenant)


def why_over(
    house: House, unit: ControlUnit, row: Impersonation, *, ticket: ReferenceVerdict, now: datetime
) -> ImpersonationEnd | None:
    """Return why an impersonation is over, or None while everything that it rests on stands."""
    own = row.clock_end(now)
    return own if own is not None else ended_because(row, _standing(house, unit, row, ticket=ticket, now=now), now)


def expire_impersonation_in(unit: ControlUnit, row: Impersonation, *, by: ImpersonationEnd, now: datetime) -> bool:
    """Write the end that something else brought about, once, with its entry; False when it was over before."""
    if not unit.impersonations.end(row.id, by=by, at=now):
        return False
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "impersonation.expired",
        at=now,
        tenant=tenant_ref(unit, row.tenant, source="impersonation"),
        reason=row.reason,
        targets=targets_of(row),
        error=by.value,
        correlation=row.id,
        facts={"staff": row.staff, "because": by.value},
    )
    return True


def end_impersonation_in(
    unit: ControlUnit, who: ActorRef, row: Impersonation, *, now: datetime, origin: Origin
) -> bool:
    """End one by hand, with its entry; False when it was over before."""
    if not unit.impersonations.end(row.id, by=ImpersonationEnd.HAND, at=now):
        return False
    emit_as(
        unit,
        who,
        "impersonation.ended",
        at=now,
        origin=origin,
        tenant=tenant_ref(unit, row.tenant, source="impersonation"),
        reason=row.reason,
        targets=targets_of(row),
        correlation=row.id,
        facts={"staff": row.staff, "because": ImpersonationEnd.HAND.value},
    )
    return True


def holder_of(unit: ControlUnit, row: Impersonation) -> ActorRef:
    """Return whoever acts for the member, as entries of what the product tells name them."""
    member = unit.staff.get(row.staff)
    if member is None:
        return ActorRef(id=row.staff, kind=ActorKind.STAFF, name=row.staff)
    roles = tuple(sorted(role.value for role in member.roles))
    return ActorRef(id=member.id, kind=ActorKind.STAFF, name=member.name, roles=roles, session=row.session)


def targets_of(row: Impersonation) -> tuple[TargetRef, ...]:
    """Return for whom was acted, and in which impersonation, as targets of an entry."""
    return (TargetRef(type="member", id=row.member), TargetRef(type="impersonation", id=row.id))


def is_role_held(house: House, member: StaffMember, tenant: TenantId) -> bool:
    """Return whether policy lets somebody hold an impersonation of a tenant with the roles that they have."""
    question = Query(
        actor=member.id, person=member.person, roles=member.roles, kind=member.kind, action=_HOLD, tenant=tenant
    )
    return isinstance(ask(house, question), Allow)


def _standing(
    house: House, unit: ControlUnit, row: Impersonation, *, ticket: ReferenceVerdict, now: datetime
) -> Standing:
    member = unit.staff.get(row.staff)
    session = unit.sessions.get(row.session)
    lease = unit.leases.get(row.lease)
    idle_minutes = house.book.limits.session_idle_minutes
    return Standing(
        is_staff_active=member is not None and member.is_active,
        is_role_held=member is not None and is_role_held(house, member, row.tenant),
        is_session_live=session is not None and session.ended_because(now, idle_minutes=idle_minutes) is None,
        is_lease_open=lease is not None and lease.ended_because(now) is None,
        ticket=ticket,
        tenant_allows=tenant_allows(unit, row, row.mode),
        is_member_reset=unit.product_reports.was_reset(row.tenant, row.member, since=row.started_at),
        is_frozen=unit.freezes.over(staff=row.staff, tenant=row.tenant, now=now) is not None,
    )
