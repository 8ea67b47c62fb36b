"""What the clock ends when nobody is looking: correctness never waits for this, but every end gets its entry."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from console.domain.entries import SYSTEM_ACTOR
from console.domain.leases import Lease, LeaseEnd
from console.domain.requests import Request
from console.domain.staff import Origin, StaffMember, StaffSession
from console.ports.store import ControlUnit
from console.usecases.break_glass import withdraw_review
from console.usecases.end_impersonation import sweep_impersonations
from console.usecases.house import House
from console.usecases.impersonations_ending import end_on_lease_in
from console.usecases.leases_ending import expire_session_in
from console.usecases.notices import tell_requester
from console.usecases.recording import emit_as, request_target, tenant_ref
from console.usecases.resume_session import actor_of
from console.usecases.strangers import sum_up_strangers

T = TypeVar("T")
_BATCH = 100
_COUNTS = 1_000


def end_overdue(house: House) -> int:
    """Store and record what is over: leases, requests, sessions, impersonations, floods; return how many.

    Shape: each in a transaction of its own, since whoever ends several at once does so in another order, and would wait
    for us as we for them; what was over when we looked is over for good.
    """
    now = house.clock.now()
    idle = house.book.limits.session_idle_minutes
    with house.store.read() as unit:
        requests = unit.requests.overdue(now, limit=_BATCH)
        leases = unit.leases.overdue(now, limit=_BATCH)
        sessions = unit.sessions.overdue(now, idle_minutes=idle, limit=_BATCH)
    ended = _each(house, requests, lambda unit, request: _end_request(house, unit, request, now))
    ended += _each(house, leases, lambda unit, lease: _end_lease(unit, lease, now))
    ended += _each(house, sessions, lambda unit, session: _end_session(house, unit, session, now))
    _forget_counts(house)
    return ended + _end_what_is_frozen(house) + sweep_impersonations(house) + sum_up_strangers(house)


def _each(house: House, over: Iterable[T], end: Callable[[ControlUnit, T], bool]) -> int:
    """End one after another and return how many we did end."""
    ended = 0
    for each in over:
        with house.store.write() as unit:
            ended += end(unit, each)
    return ended


def _forget_counts(house: House) -> None:
    """Forget what was counted under keys that are never used again, a few at a time."""
    more = True
    while more:
        with house.store.write() as unit:
            more = unit.throttles.sweep(now=house.clock.now(), limit=_COUNTS) == _COUNTS


def _end_what_is_frozen(house: House) -> int:
    """End what more lay under a freeze than its own transaction could end, or came under it later."""
    with house.store.read() as unit:
        standing = unit.freezes.standing()
    ended = 0
    for freeze in standing:
        more = True
        while more:
            with house.store.read() as unit:
                rows = unit.leases.open_under(freeze.scope, freeze.subject, limit=_BATCH)
            ended += _each(house, rows, lambda unit, lease: _expire(unit, lease, LeaseEnd.FROZEN, house.clock.now()))
            more = len(rows) == _BATCH
    return ended


def _end_lease(unit: ControlUnit, lease: Lease, now: datetime) -> bool:
    because = lease.ended_because(now)
    return because is not None and _expire(unit, lease, because, now)


def _expire(unit: ControlUnit, lease: Lease, because: LeaseEnd, now: datetime) -> bool:
    end_on_lease_in(unit, lease, by=because, now=now)
    if not unit.leases.end(lease.id, by=because, at=now):
        return False
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "lease.expired",
        at=now,
        reason=lease.reason,
        tenant=tenant_ref(unit, lease.tenant, source="lease"),
        facts={
            "lease": lease.id,
            "because": because.value,
            "staff": lease.staff,
            "minutes": lease.minutes_used(now),
        },
    )
    return True


def _end_session(house: House, unit: ControlUnit, session: StaffSession, now: datetime) -> bool:
    because = session.ended_because(now, idle_minutes=house.book.limits.session_idle_minutes)
    member = unit.staff.get(session.staff)
    return because is not None and member is not None and _expire_session(unit, member, session, because, now)


def _expire_session(unit: ControlUnit, member: StaffMember, session: StaffSession, because: str, now: datetime) -> bool:
    actor = actor_of(member, session, Origin(route="clock"))
    return expire_session_in(unit, actor, session, because=because, now=now)


def _end_request(house: House, unit: ControlUnit, request: Request, now: datetime) -> bool:
    state = request.state_at(now)
    if state is request.state or not unit.requests.move(
        request, state, finished_at=now, ended_because="its time ran out"
    ):
        return False
    withdraw_review(unit, request, because="its time ran out before it fired", at=now)
    emit_as(
        unit,
        SYSTEM_ACTOR,
        "request.expired",
        at=now,
        governed=request.action,
        reason=request.reason,
        tenant=tenant_ref(unit, request.tenant, source="request"),
        targets=request_target(request, moves=True),
        correlation=request.id,
        facts={"state": state.value},
    )
    tell_requester(house, unit, request, kind="expired", sentence="your request ran out of time.", at=now)
    return True
