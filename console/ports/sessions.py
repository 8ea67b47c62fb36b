"""Server-side sessions of staff, revocable at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import SessionKey, StaffId
from console.domain.staff import StaffSession, StepUpMethod


class SessionBook(Protocol):
    """Reads and writes staff sessions inside one unit of work."""

    def add(self, session: StaffSession) -> None:
        """Store a new session."""
        ...

    def get(self, key: SessionKey) -> StaffSession | None:
        """Return a session, ended or not."""
        ...

    def hold(self, key: SessionKey) -> bool:
        """Keep a live session from ending or moving on until the unit ends; False where it is none (any more)."""
        ...

    def touch(self, key: SessionKey, at: datetime) -> None:
        """Move the idle clock of a live session."""
        ...

    def save_values(self, key: SessionKey, values: Mapping[str, object]) -> None:
        """Store the small signed-in values (CSRF secret, flashes)."""
        ...

    def step_up(self, key: SessionKey, *, by: StepUpMethod, at: datetime) -> None:
        """Remember a second factor."""
        ...

    def rotate(self, key: SessionKey, new_key: SessionKey) -> None:
        """Give a session a new key; open leases and what acts for a member follow; the old key is dead at once."""
        ...

    def revoke(self, key: SessionKey, at: datetime) -> bool:
        """End a session; False when it was over already."""
        ...

    def live_of(self, staff: StaffId, now: datetime) -> Sequence[StaffSession]:
        """Return a person's sessions that are neither revoked nor past their absolute end."""
        ...

    def overdue(self, now: datetime, *, idle_minutes: int, limit: int) -> Sequence[StaffSession]:
        """Return sessions that are not ended and whose clocks have run out."""
        ...
