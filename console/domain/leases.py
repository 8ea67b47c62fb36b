"""Leases: one staff member's explicit, reasoned, time-boxed selection of exactly one tenant."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.ids import LeaseId, SessionKey, StaffId, TenantId
from console.domain.reasons import Reason


class LeaseEnd(StrEnum):
    """Why a lease is over."""

    HAND = "hand"
    TIME = "time"
    IDLE = "idle"
    SIGN_OUT = "sign_out"
    REVOKED = "revoked"
    DEACTIVATED = "deactivated"
    REPLACED = "replaced"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """An opened tenant. Units: `idle_minutes` since `last_used_at`; `not_after` is exclusive."""

    id: LeaseId
    staff: StaffId
    session: SessionKey | None
    tenant: TenantId
    reason: Reason
    opened_at: datetime
    last_used_at: datetime
    not_after: datetime
    idle_minutes: int
    ended_at: datetime | None = None
    ended_by: LeaseEnd | None = None

    @property
    def idle_until(self) -> datetime:
        """Return when the lease ends if nothing more is done with it."""
        return self.last_used_at + timedelta(minutes=self.idle_minutes)

    @property
    def until(self) -> datetime:
        """Return when the lease ends as things stand."""
        return min(self.not_after, self.idle_until)

    def minutes_used(self, now: datetime) -> int:
        """Return for how many minutes it was open, begun minutes counted, if it ends now or ended before."""
        over = min(now, self.until, self.ended_at or now)
        return max(0, -((self.opened_at - over) // timedelta(minutes=1)))

    def ended_because(self, now: datetime) -> LeaseEnd | None:
        """Return why the lease is over, or None while it is open; a clock that jumped back ends it too."""
        if self.ended_by is not None:
            return self.ended_by
        if now >= self.not_after or now < self.opened_at:
            return LeaseEnd.TIME
        if now >= self.idle_until:
            return LeaseEnd.IDLE
        return None
