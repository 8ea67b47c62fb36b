"""End impersonations together with what they rest on, in the transaction that ends it: each gets its one entry.

Nothing depends on it: whatever is missed is over at the next call of the product, and a sweep writes it down.
Order of locks: a session, then its impersonation, then the lease.
"""

from collections.abc import Iterable
from datetime import datetime

from console.domain.freezes import FreezeScope
from console.domain.ids import SessionKey, StaffId, TenantId
from console.domain.impersonations import Impersonation, ImpersonationEnd
from console.domain.leases import Lease, LeaseEnd
from console.domain.staff import StaffMember
from console.ports.store import ControlUnit
from console.usecases.house import House
from console.usecases.impersonation_standing import expire_impersonation_in, is_role_held
from console.usecases.spend_consent import tenant_allows

_MOST = 500
_WORDS = {
    LeaseEnd.SIGN_OUT: ImpersonationEnd.SIGN_OUT,
    LeaseEnd.REVOKED: ImpersonationEnd.SIGN_OUT,
    LeaseEnd.DEACTIVATED: ImpersonationEnd.DEACTIVATED,
    LeaseEnd.FROZEN: ImpersonationEnd.FROZEN,
}


def end_on_lease_in(unit: ControlUnit, lease: Lease, *, by: LeaseEnd, now: datetime) -> int:
    """End what rests on a lease that is about to end; return how many."""
    row = unit.impersonations.open_of(lease.staff)
    rests = row is not None and row.lease == lease.id
    return _ended(unit, [row] if row is not None and rests else [], _WORDS.get(by, ImpersonationEnd.LEASE_END), now)


def end_in_session_in(unit: ControlUnit, session: SessionKey, *, by: LeaseEnd, now: datetime) -> int:
    """End what a console session began, which is over now; return how many."""
    return _ended(unit, unit.impersonations.open_in(session), _WORDS.get(by, ImpersonationEnd.SIGN_OUT), now)


def end_of_deactivated_in(unit: ControlUnit, staff: StaffId, *, now: datetime) -> int:
    """End what somebody does who is deactivated, whatever it rests on; return how many."""
    row = unit.impersonations.open_of(staff)
    return _ended(unit, [] if row is None else [row], ImpersonationEnd.DEACTIVATED, now)


def end_under_freeze_in(unit: ControlUnit, scope: FreezeScope, subject: str, *, now: datetime, limit: int) -> int:
    """End what lies under a freeze, at most so many; return how many."""
    return _ended(unit, unit.impersonations.open_under(scope, subject, limit=limit), ImpersonationEnd.FROZEN, now)


def end_against_wish_in(unit: ControlUnit, tenant: TenantId, *, now: datetime) -> int:
    """End what a tenant does not let go on, now that its policy has changed; return how many."""
    running = unit.impersonations.open_under(FreezeScope.TENANT, tenant, limit=_MOST)
    unwanted = [row for row in running if not tenant_allows(unit, row, row.mode)]
    return _ended(unit, unwanted, ImpersonationEnd.OPTED_OUT, now)


def end_without_role_in(house: House, unit: ControlUnit, member: StaffMember, *, now: datetime) -> int:
    """End what somebody may not hold with the roles that they have now; return how many."""
    row = unit.impersonations.open_of(member.id)
    lost = row is not None and not is_role_held(house, member, row.tenant)
    return _ended(unit, [row] if row is not None and lost else [], ImpersonationEnd.ROLE_LOST, now)


def _ended(unit: ControlUnit, rows: Iterable[Impersonation], word: ImpersonationEnd, now: datetime) -> int:
    """End each by what its own clocks say, where they ran out before, and by the word otherwise."""
    return sum(expire_impersonation_in(unit, row, by=row.clock_end(now) or word, now=now) for row in rows)
