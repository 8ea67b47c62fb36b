"""How many tenants' entitlements are explained, and effective sets recalculated, in a second of processor time."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from console.domain.effective_set import effective
from console.domain.ids import PlaneId, ReasonCode, StaffId, TenantId
from console.domain.tenancy import ScopeBasis, TenantScope
from console.usecases.recalculate_access import recalculate_access
from console.usecases.scopes import tenant_data
from console.usecases.written_tenant import written_tenant
from tests.bench.stage import Stage
from tests.bench.tables import Result, Table

_MOST = 100
_ENGINE = "every feature of a tenant, from inputs in memory"
_EXPLAIN = "the same, with what decides it read in a unit of its own"
_LEFT = "a stored set that is up to date: looked at, left alone"
_WRITTEN = "a stored set that is outdated: computed, stored, committed"
_OUTDATE = "UPDATE plane_effective_set SET inputs_digest = 'of other inputs'"


class StandsStillError(AssertionError):
    """A recalculation did something else than what was to be measured."""


def table(stage: Stage, *, rounds: int) -> Table:
    """Measure the engine alone, with what it reads, and with what it stores; the tenants in turns."""
    scopes = _scopes(stage)
    inputs = []
    for scope in scopes:
        with stage.building.house.store.read() as unit, tenant_data(stage.building.house, unit, scope) as plane:
            inputs.append(plane.inputs())
        _recalculate(stage, scope)
    now = stage.building.house.clock.now()
    lines = (
        _measured("engine", _ENGINE, [partial(effective, each, now) for each in inputs], rounds=rounds),
        _measured("explain", _EXPLAIN, [partial(_explain, stage, each) for each in scopes], rounds=rounds),
        _measured("recalculate", _LEFT, [partial(_left, stage, each) for each in scopes], rounds=rounds),
        _measured(
            "rewrite",
            _WRITTEN,
            [partial(_written, stage, each) for each in scopes],
            rounds=rounds,
            before=lambda: stage.rows.write([(_OUTDATE, {})]),
        ),
    )
    return Table(
        title=f"Entitlements: {len(scopes)} tenants in turns, {stage.world.size.database}, inside one process",
        heads=("item", "what", "tenants/s of CPU", "us each"),
        results=lines,
    )


def _scopes(stage: Stage) -> Sequence[TenantScope]:
    found = stage.rows.all(f"SELECT id, plane FROM directory_tenant ORDER BY ordinal LIMIT {_MOST}")
    until = stage.building.house.clock.now() + timedelta(hours=6)
    return [
        TenantScope(
            tenant=TenantId(tenant),
            plane=PlaneId(plane),
            staff=StaffId("system"),
            basis=ScopeBasis.JOB,
            reason=ReasonCode("NONE"),
            not_after=until,
        )
        for tenant, plane in found
    ]


def _measured(
    key: str,
    what: str,
    calls: Sequence[Callable[[], object]],
    *,
    rounds: int,
    before: Callable[[], None] = lambda: None,
) -> Result:
    spent = 0.0
    for turn in range(rounds + 1):
        before()
        started = time.process_time()
        for call in calls:
            call()
        spent += (time.process_time() - started) if turn else 0.0  # the first round is for warming up
    each = spent / (rounds * len(calls))
    return Result(key=key, cells=(what, f"{1 / each:,.0f}", f"{each * 1e6:,.0f}"))


def _explain(stage: Stage, scope: TenantScope) -> None:
    house = stage.building.house
    with house.store.read() as unit, tenant_data(house, unit, scope) as plane:
        if not effective(plane.inputs(), house.clock.now()):
            raise StandsStillError(scope.tenant)


def _recalculate(stage: Stage, scope: TenantScope) -> bool:
    house = stage.building.house
    with written_tenant(house, scope) as written:
        return recalculate_access(house, written.plane, cause="bench", now=house.clock.now()).is_written


def _left(stage: Stage, scope: TenantScope) -> None:
    if _recalculate(stage, scope):
        raise StandsStillError(scope.tenant)


def _written(stage: Stage, scope: TenantScope) -> None:
    if not _recalculate(stage, scope):
        raise StandsStillError(scope.tenant)
