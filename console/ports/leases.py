"""Leases and the budget of distinct tenants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.freezes import FreezeScope
from console.domain.ids import LeaseId, SessionKey, StaffId, TenantId
from console.domain.leases import Lease, LeaseEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantBudget:
    """How many distinct tenants a person has opened, and what a peer added. Units: tenants."""

    last_hour: int
    last_day: int
    extra: int


class LeaseBook(Protocol):
    """Reads and writes leases inside one unit of work."""

    def add(self, lease: Lease) -> None:
        """Store a new lease."""
        ...

    def get(self, lease: LeaseId) -> Lease | None:
        """Return a lease, ended or not."""
        ...

    def open_of(self, staff: StaffId) -> Sequence[Lease]:
        """Return the leases of a person that nothing has ended in the store (clocks not applied)."""
        ...

    def open_on(self, staff: StaffId, tenant: TenantId) -> Lease | None:
        """Return the person's not-ended lease on a tenant, newest first (clocks not applied)."""
        ...

    def touch(self, lease: LeaseId, at: datetime) -> None:
        """Move the idle clock."""
        ...

    def end(self, lease: LeaseId, *, by: LeaseEnd, at: datetime) -> bool:
        """End a lease by one conditional update; False when it was ended before."""
        ...

    def of_session(self, session: SessionKey) -> Sequence[Lease]:
        """Return the not-ended leases that a session opened."""
        ...

    def open_under(self, scope: FreezeScope, subject: str, *, limit: int) -> Sequence[Lease]:
        """Return not-ended leases that a freeze would end, in order of id (clocks not applied)."""
        ...

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Lease]:
        """Return not-ended leases whose clocks have run out."""
        ...

    def lock_budget(self, staff: StaffId) -> None:
        """Serialise lease opening per person until the unit ends, so that no race oversteps a limit."""
        ...

    def budget(self, staff: StaffId, now: datetime) -> TenantBudget:
        """Return the distinct tenants of the last 60 minutes and 24 hours, and live top-ups."""
        ...

    def has_opened(self, staff: StaffId, tenant: TenantId, since: datetime) -> bool:
        """Return whether a person already opened a tenant since a moment (costs no budget)."""
        ...

    def top_up(self, staff: StaffId, *, extra: int, until: datetime, by: StaffId, at: datetime) -> None:
        """Add tenants to somebody's budget until a moment."""
        ...
