"""Mass recalculations: their plans and runs, in the control store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import RunId, TenantId
from console.domain.recalculations import PlannedTenant, Progress, Sweep, SweepState, TenantState


class RecalculationBook(Protocol):
    """Plans and runs inside one unit."""

    def add(self, sweep: Sweep) -> None:
        """Store a run that is to be planned. Raises: ConflictError."""
        ...

    def get(self, run: RunId) -> Sweep | None:
        """Return one run."""
        ...

    def newest(self, *, limit: int) -> Sequence[Sweep]:
        """Return the newest runs."""
        ...

    def move(self, sweep: Sweep, to: SweepState, **fields: object) -> bool:
        """Change a run by one conditional update on state and version; `fields` as in Sweep. False: was faster."""
        ...

    def plan_more(self, tenants: Sequence[PlannedTenant]) -> None:
        """Add tenants to a plan."""
        ...

    def order(self, run: RunId, canaries: frozenset[TenantId]) -> None:
        """Give the planned tenants their places: canaries first, then by id."""
        ...

    def tenants(
        self, run: RunId, *, after: int, limit: int, state: TenantState | None = None, losers_only: bool = False
    ) -> Sequence[PlannedTenant]:
        """Return planned tenants in their order, from the place after `after`."""
        ...

    def settle(self, planned: PlannedTenant, state: TenantState, *, because: str | None, at: datetime) -> bool:
        """Move a tenant on that waits; False when it was settled before."""
        ...

    def progress(self, run: RunId) -> Progress:
        """Return how far a run has come, counted from its rows."""
        ...
