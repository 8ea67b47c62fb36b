"""The access desk: the register of overrides, and recalculations of many tenants; names, and no tenant's data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.decisions import Decision, Deny
from console.domain.entries import Exposure, TargetRef
from console.domain.errors import NotFoundError
from console.domain.ids import RunId, StaffId, TenantId
from console.domain.override_register import REMIND_BEFORE, Registered
from console.domain.recalculations import PlannedTenant, Progress, Sweep, TenantState
from console.domain.staff import Actor
from console.domain.tenancy import DirectoryRow
from console.ports.override_register import Mark, Which
from console.ports.store import ControlUnit
from console.usecases.asking import ask, query
from console.usecases.house import House
from console.usecases.keep_register import REGISTER_EVERY_S
from console.usecases.recording import authorised, emit, refuse

_PAGE = 50
_COUNTED = 200
_OVERDUE = timedelta(seconds=REGISTER_EVERY_S, hours=1)  # a round takes its time
_SHOWN = 200
_RUNS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPage:
    """A part of the register, the money over all of it, and how many need somebody.

    Shape: `names` holds active owners; `totals` is (currency, how many, minor units a month); `counts` are up to 200;
    `next` is where the next page begins; what was read before `overdue` was passed by since, by a round where its plane
    was silent, or by all where even `newest_at` is older.
    """

    which: Which
    now: datetime
    rows: Sequence[Registered]
    next: Mark | None
    is_first: bool
    tenants: Mapping[TenantId, DirectoryRow]
    names: Mapping[str, str]
    totals: Sequence[tuple[str, int, int]]
    counts: Mapping[Which, int]
    ends_tomorrow: int
    looked_at: datetime | None
    newest_at: datetime | None
    overdue: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepsPage:
    """The newest recalculations of many tenants."""

    sweeps: Sequence[tuple[Sweep, Progress]]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPage:
    """One recalculation: how far it is, who loses, and who was left as they are."""

    sweep: Sweep
    progress: Progress
    now: datetime
    planned_by: str
    losers: Sequence[PlannedTenant]
    canaries: Sequence[PlannedTenant]
    troubled: Sequence[PlannedTenant]
    tenants: Mapping[TenantId, DirectoryRow]


def read_register(house: House, actor: Actor, *, which: Which, after: Mark | None) -> RegisterPage | Deny:
    """Return a keyset page of a part of the register of overrides."""
    decision = _asked(house, actor, page="register")
    if isinstance(decision, Deny):
        return decision
    now = house.clock.now()
    soon = now + REMIND_BEFORE
    with house.store.write() as unit:
        found = unit.register.page(which, ends_before=soon, after=after, limit=_PAGE + 1)
        rows = found[:_PAGE]
        glance = unit.register.glance(now=now, ends_before=soon, most=_COUNTED)
        _record(house, unit, actor, decision, page="register", records=len(rows))
        return RegisterPage(
            which=which,
            now=now,
            rows=rows,
            next=(rows[-1].tenant, rows[-1].override) if len(found) > _PAGE else None,
            is_first=after is None,
            tenants=unit.directory.many([row.tenant for row in rows]),
            names=_names(unit, {row.owner for row in rows if row.owner}),
            totals=unit.register.totals(),
            counts=glance.counts,
            ends_tomorrow=glance.ends_tomorrow,
            looked_at=glance.looked_at,
            newest_at=glance.newest_at,
            overdue=now - _OVERDUE,
        )


def read_sweeps(house: House, actor: Actor) -> SweepsPage | Deny:
    """Return the newest recalculations."""
    decision = _asked(house, actor, page="recalculations")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        found = unit.recalculations.newest(limit=_RUNS)
        _record(house, unit, actor, decision, page="recalculations", records=len(found))
        return SweepsPage(
            sweeps=[(sweep, unit.recalculations.progress(sweep.id)) for sweep in found],
            names=_names(unit, {sweep.planned_by for sweep in found}),
        )


def read_sweep(house: House, actor: Actor, *, run: RunId) -> SweepPage | Deny:
    """Return one recalculation with its losers. Raises: NotFoundError."""
    decision = _asked(house, actor, page="recalculation")
    if isinstance(decision, Deny):
        return decision
    with house.store.write() as unit:
        sweep = unit.recalculations.get(run)
        if sweep is None:
            raise NotFoundError("There is no such recalculation.")
        book = unit.recalculations
        losers = book.tenants(run, after=0, limit=_SHOWN, losers_only=True)
        first = [each for each in book.tenants(run, after=0, limit=10) if each.is_canary]
        troubled = [
            each
            for state in (TenantState.HELD, TenantState.FAILED)
            for each in book.tenants(run, after=0, limit=_SHOWN, state=state)
        ]
        shown = {each.tenant for each in (*losers, *first, *troubled)}
        _record(house, unit, actor, decision, page="recalculation", records=len(shown), about=run)
        return SweepPage(
            sweep=sweep,
            progress=book.progress(run),
            now=house.clock.now(),
            planned_by=_names(unit, {sweep.planned_by}).get(sweep.planned_by, sweep.planned_by),
            losers=losers,
            canaries=first,
            troubled=troubled,
            tenants=unit.directory.many(sorted(shown)),
        )


def _names(unit: ControlUnit, owners: set[str]) -> dict[str, str]:
    members = unit.staff.many({StaffId(owner) for owner in owners}).values()
    return {member.id: member.name for member in members if member.is_active}


def _asked(house: House, actor: Actor, *, page: str) -> Decision:
    decision = ask(house, query(actor, "access.read", now=house.clock.now()))
    if isinstance(decision, Deny):
        refuse(house, actor, "access.read_refused", decision, targets=(TargetRef(type="page", id=page, name=page),))
    return decision


def _record(
    house: House, unit: ControlUnit, actor: Actor, decision: Decision, *, page: str, records: int, about: str = ""
) -> None:
    targets = [TargetRef(type="page", id=page, name=page)]
    if about:
        targets.append(TargetRef(type="recalculation", id=about))
    emit(
        unit,
        actor,
        "access.read",
        at=house.clock.now(),
        authorisation=authorised(house, decision),
        targets=tuple(targets),
        exposure=Exposure(records=records, fields=("directory",)),
    )
