"""End leases together with what they rest on: by hand, or with the session that opened them."""

from collections.abc import Iterable
from datetime import datetime

from console.domain.freezes import Freeze, Stopped
from console.domain.ids import SessionKey, StaffId
from console.domain.leases import Lease, LeaseEnd
from console.domain.staff import Actor, StaffSession
from console.ports.store import ControlUnit
from console.usecases.impersonations_ending import (
    end_in_session_in,
    end_of_deactivated_in,
    end_on_lease_in,
    end_under_freeze_in,
)
from console.usecases.recording import emit, row_ref

AT_ONCE = 500

DEACTIVATED = "deactivated"


def end_lease_in(unit: ControlUnit, actor: Actor, lease: Lease, *, by: LeaseEnd, now: datetime) -> bool:
    """End one lease and what rests on it in the open unit, with their entries; False when it was over before."""
    end_on_lease_in(unit, lease, by=by, now=now)
    if not unit.leases.end(lease.id, by=by, at=now):
        return False
    row = unit.directory.get(lease.tenant)
    emit(
        unit,
        actor,
        "lease.end",
        at=now,
        tenant=row_ref(row, source="lease"),
        reason=lease.reason,
        facts={"lease": lease.id, "because": by.value, "minutes": lease.minutes_used(now)},
    )
    return True


def end_leases_of_session(unit: ControlUnit, actor: Actor, session: SessionKey, *, by: LeaseEnd, now: datetime) -> int:
    """End every lease that a session opened, and what it began; return how many leases."""
    leases = _left_to_end(unit, [session], by=by, now=now)
    return sum(end_lease_in(unit, actor, lease, by=by, now=now) for lease in leases)


def _left_to_end(unit: ControlUnit, sessions: Iterable[SessionKey], *, by: LeaseEnd, now: datetime) -> list[Lease]:
    """End what acts for a member in sessions that are over, or on leases of theirs; return the leases.

    Shape: what acts ends before any lease, and leases in the order in which a freeze ends them, so that nobody waits in
    a circle.
    """
    leases: list[Lease] = []
    for session in sessions:
        end_in_session_in(unit, session, by=by, now=now)
        leases += unit.leases.of_session(session)
    for lease in leases:
        end_on_lease_in(unit, lease, by=by, now=now)
    return sorted(leases, key=lambda lease: lease.id)


def expire_session_in(unit: ControlUnit, actor: Actor, session: StaffSession, *, because: str, now: datetime) -> bool:
    """End a session that is over, and the leases that it opened, with their entries; False when it was ended before."""
    if not unit.sessions.revoke(session.key, now):
        return False
    by = LeaseEnd.DEACTIVATED if because == DEACTIVATED else LeaseEnd.SIGN_OUT
    end_leases_of_session(unit, actor, session.key, by=by, now=now)
    emit(unit, actor, "session.expired", at=now, facts={"because": because})
    return True


def end_sessions_of(
    unit: ControlUnit, actor: Actor, staff: StaffId, *, now: datetime, by: LeaseEnd = LeaseEnd.REVOKED
) -> int:
    """End every session of a person, each before anything that rests on one of them; return how many were alive.

    Shape: for somebody who is deactivated also what acts on nothing any more, which counts as one more.
    """
    ended = [each for each in unit.sessions.live_of(staff, now) if unit.sessions.revoke(each.key, now)]
    leases = _left_to_end(unit, [each.key for each in ended], by=by, now=now)
    alone = end_of_deactivated_in(unit, staff, now=now) if by is LeaseEnd.DEACTIVATED else 0
    for lease in leases:
        end_lease_in(unit, actor, lease, by=by, now=now)
    for each in ended:
        emit(unit, actor, "session.revoked", at=now, facts={"session": each.key, "staff": each.staff})
    return len(ended) + alone


def stop_in(unit: ControlUnit, actor: Actor, freeze: Freeze, *, now: datetime) -> Stopped:
    """End the impersonations and leases under a freeze, so many as one transaction bears; the sweep ends the others."""
    acting = end_under_freeze_in(unit, freeze.scope, freeze.subject, now=now, limit=AT_ONCE)
    leases = unit.leases.open_under(freeze.scope, freeze.subject, limit=AT_ONCE)
    ended = sum(end_lease_in(unit, actor, lease, by=LeaseEnd.FROZEN, now=now) for lease in leases)
    return Stopped(leases=ended, impersonations=acting, is_all=acting < AT_ONCE and len(leases) < AT_ONCE)
