"""Which accounting periods are closed, and whether their sealed files still are what was sealed."""

from datetime import datetime

from console.domain.periods import PeriodId, PeriodState
from console.domain.reconciling.books import AccountBooks, ClosedExport
from console.ports.store import ControlUnit
from console.usecases.house import House

_MONTHS = 24


def closed_periods(unit: ControlUnit) -> dict[PeriodId, datetime]:
    """Return the closed ones among the last two years, with when each was closed."""
    known = unit.periods.known(before=None, limit=_MONTHS)
    return {
        each.id: each.closed_at for each in known if each.state is PeriodState.CLOSED and each.closed_at is not None
    }


def exports_part(house: House, *, now: datetime) -> AccountBooks:
    """Return the books of the shelf: every sealed file of a closed period beside what lies there now."""
    with house.store.read() as unit:
        known = unit.periods.known(before=None, limit=_MONTHS)
    exports = tuple(
        ClosedExport(
            period=each.id,
            file=file.name,
            sealed=file.sha256,
            found=house.ledgers.found(each.id, file.name),
            totals_sealed=file.totals,
            totals_found=None,
        )
        for each in known
        if each.state is PeriodState.CLOSED
        for file in each.files
    )
    return AccountBooks(now=now, exports=exports)
