"""A recalculation of many tenants for tests of pages and actions, in whatever state they need."""

from collections.abc import Sequence
from datetime import timedelta

from console.domain.ids import RunId, TenantId
from console.domain.recalculations import PlannedTenant, Sweep, SweepState, frozen_digest
from console.usecases.house import House
from tests.web.cast import PEOPLE, Cast
from tests.web.world import TENANTS


def planned_sweep(cast: Cast, *, state: SweepState = SweepState.PLANNED) -> RunId:
    """Plan a recalculation of both tenants, the second of which loses something, and bring it into a state."""
    return sweep_in(cast.house, sorted(TENANTS.values()), state=state)


def sweep_in(house: House, among: Sequence[TenantId], *, state: SweepState = SweepState.PLANNED) -> RunId:
    """Plan a recalculation of two tenants, the second of which loses something, and bring it into a state."""
    now, run = house.clock.now(), RunId(house.ids.new("acc"))
    sweep = Sweep(
        id=run, state=SweepState.PLANNING, plan=None, rate_per_s=10, planned_by=PEOPLE["support_lead"].id,
        planned_at=now, expires_at=now + timedelta(hours=24), version=1,
    )  # fmt: skip
    tenants = [
        PlannedTenant(run=run, tenant=tenant, gains=1, losses=place, is_first=False)
        for place, tenant in enumerate(among)
    ]
    with house.store.write() as unit:
        book = unit.recalculations
        book.add(sweep)
        book.plan_more(tenants)
        book.order(run, frozenset(tenant.tenant for tenant in tenants[:1]))
        listed = book.tenants(run, after=0, limit=10)
        figures = {"planned": 2, "gaining": 1, "losing": 1, "looked_at": 2, "digest": frozen_digest(listed)}
        assert book.move(sweep, SweepState.PLANNED, **figures)
        for to in {SweepState.RUNNING: [SweepState.RUNNING], SweepState.PAUSED: [SweepState.RUNNING, SweepState.PAUSED],
                   }.get(state, []):  # fmt: skip
            stands = book.get(run)
            assert stands is not None
            assert book.move(stands, to)
    return run
