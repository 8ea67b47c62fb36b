"""Accounting periods as finance sees them: the list, one with its checklist, and the files on its shelf."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.decisions import Decision, Deny, DenyCode
from console.domain.entries import Exposure, TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import StaffId
from console.domain.periods import Period, PeriodId, PeriodState, SealedFile, before, open_period, period_at
from console.domain.reconciling.closing import COUNTED_TO, MONEY_KINDS
from console.domain.staff import Actor
from console.ports.store import ControlUnit
from console.usecases.asking import ask, denied, query
from console.usecases.house import House
from console.usecases.recording import authorised, emit, refuse

_MONTHS = 13
_BUCKET = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodsPage:
    """The last thirteen months that are over, and the one that runs, newest first."""

    periods: Sequence[Period]
    running: PeriodId
    names: Mapping[StaffId, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPage:
    """One period.

    Shape: `waiting` findings wait for finance, `compared_at` is up to when all tenants were compared with the provider;
    `earlier` is None where it is the first.
    """

    period: Period
    is_over: bool
    earlier: Period | None
    waiting: int
    compared_at: datetime | None
    names: Mapping[StaffId, str]
    may_take: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenFile:
    """A sealed file on its way out. Shape: `pieces` raises OutsideError where it changed since it was sealed."""

    file: SealedFile
    pieces: Iterator[bytes]


def read_periods(house: House, actor: Actor) -> PeriodsPage | Deny:
    """Return the last months with their state."""
    decision = _asked(house, actor, "period.read", page="periods")
    if isinstance(decision, Deny):
        return decision
    running = period_at(house.clock.now())
    with house.store.write() as unit:
        known = {each.id: each for each in unit.periods.known(before=None, limit=_MONTHS)}
        months = [before(running)]
        while len(months) < _MONTHS:
            months.append(before(months[-1]))
        periods = [known.get(month) or open_period(month) for month in months]
        _record(house, unit, actor, decision, "period.read", page="periods", records=len(periods))
        return PeriodsPage(periods=periods, running=running, names=_names(unit, periods))


def read_period(house: House, actor: Actor, *, period: PeriodId) -> PeriodPage | Deny:
    """Return one period with what its checklist needs."""
    decision = _asked(house, actor, "period.read", page=period)
    if isinstance(decision, Deny):
        return decision
    may_take = not isinstance(ask(house, query(actor, "period.take_file", now=house.clock.now())), Deny)
    with house.store.write() as unit:
        _record(house, unit, actor, decision, "period.read", page=period, records=1)
        found = unit.periods.get(period)
        is_first = not unit.periods.known(before=period, limit=1)
        last = unit.runs.last_done(None)
        return PeriodPage(
            period=found,
            is_over=house.clock.now() >= found.until,
            earlier=None if is_first else unit.periods.get(before(period)),
            waiting=unit.findings.standing(MONEY_KINDS, most=COUNTED_TO),
            compared_at=None if last is None else last.window_until,
            names=_names(unit, [found]),
            may_take=may_take,
        )


def take_file(house: House, actor: Actor, *, period: PeriodId, name: str) -> TakenFile | Deny:
    """Hand a sealed file out, recorded before its first byte. Raises: NotFoundError, OutsideError.

    Shape: a file that is no longer what was sealed is refused, not handed out.
    """
    decision = _asked(house, actor, "period.take_file", page=period)
    if isinstance(decision, Deny):
        return decision
    file = _counted_out(house, actor, decision, period=period, name=name)
    if file is None:
        slow = denied(DenyCode.THROTTLED, "You are taking files faster than a month is closed.", "Wait an hour.")
        refuse(house, actor, "throttle.refused", slow, facts={"bucket": _BUCKET})
        return slow
    return TakenFile(file=file, pieces=house.ledgers.read(period, name))


def _counted_out(house: House, actor: Actor, decision: Decision, *, period: PeriodId, name: str) -> SealedFile | None:
    """Record and count that a file goes out; None where this person's hour is full. Raises: NotFoundError."""
    now = house.clock.now()
    with house.store.write() as unit:
        found = unit.periods.get(period)
        file = next((each for each in found.files if each.name == name), None)
        if file is None or found.state not in {PeriodState.SOFT_CLOSED, PeriodState.CLOSED, PeriodState.REOPENED}:
            raise NotFoundError("There is no such file.", period=period)
        if house.ledgers.found(period, name) != file.sha256:
            raise NotFoundError("This file is missing or no longer what was sealed; tell security.", period=period)
        unit.throttles.lock(_BUCKET, actor.staff)
        taken = unit.throttles.count(_BUCKET, actor.staff, since=now - timedelta(hours=1))
        if taken >= house.book.limits.files_per_hour:
            return None
        unit.throttles.hit(_BUCKET, actor.staff, at=now)
        emit(
            unit,
            actor,
            "period.file_read",
            at=now,
            authorisation=authorised(house, decision),
            targets=(TargetRef(type="sealed_file", id=file.sha256, name=f"{period}/{file.name}"),),
            exposure=Exposure(records=file.rows),
        )
    return file


def _asked(house: House, actor: Actor, verb: str, *, page: str) -> Decision:
    decision = ask(house, query(actor, verb, now=house.clock.now()))
    if isinstance(decision, Deny):
        refuse(house, actor, "period.read_refused", decision, targets=(TargetRef(type="page", id=page),))
    return decision


def _record(
    house: House, unit: ControlUnit, actor: Actor, decision: Decision, action: str, *, page: str, records: int
) -> None:
    emit(
        unit,
        actor,
        action,
        at=house.clock.now(),
        authorisation=authorised(house, decision),
        targets=(TargetRef(type="page", id=page),),
        exposure=Exposure(records=records),
    )


def _names(unit: ControlUnit, periods: Sequence[Period]) -> dict[StaffId, str]:
    wanted = {who for each in periods for who in (each.prepared_by, each.closed_by) if who is not None}
    members = {who: unit.staff.get(who) for who in sorted(wanted)}
    return {who: member.name for who, member in members.items() if member is not None}
