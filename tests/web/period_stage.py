"""Brings an accounting period into the state that a page or an action needs."""

from dataclasses import replace

from console.domain.ids import Digest
from console.domain.periods import PeriodId, PeriodState, SealedFile, open_period
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import Reconciliation, RunState
from console.usecases.house import House
from tests.web.cast import PEOPLE, Cast

OCTOBER = PeriodId("2026-10")


def compared(house: House) -> None:
    """Store a reconciliation over all tenants that has just ended."""
    now = house.clock.now()
    run = Reconciliation(
        id=ReconciliationId(house.ids.new("rec")), tenant=None, state=RunState.DONE, version=1, queued_at=now,
        started_by=None, request=None, rules_version="test", window_from=now, window_until=now, began_at=now,
        finished_at=now,
    )  # fmt: skip
    with house.store.write() as unit:
        assert unit.runs.add(run)


def period_in(cast: Cast, state: PeriodState, *, by: str = "finance") -> None:
    """Store October in a state, prepared by somebody, with its files sealed where it has any."""
    compared(cast.house)
    files: tuple[SealedFile, ...] = ()
    digest = Digest("ab" * 32)
    if state is not PeriodState.OPEN:
        with cast.house.ledgers.writing(OCTOBER) as draft:
            files = draft.seal(digest=digest)
    with cast.house.store.write() as unit:
        stands = unit.periods.get(OCTOBER)
        if state is PeriodState.OPEN and not stands.version:
            return
        wanted = replace(
            open_period(OCTOBER), version=stands.version, state=state, prepared_by=PEOPLE[by].id,
            prepared_at=cast.clock.now(), digest=digest, files=files,
        )  # fmt: skip
        assert unit.periods.save(wanted)
