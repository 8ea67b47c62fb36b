"""Freezes as the control store keeps them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from console.domain.freezes import Door, Freeze, Sighting
from console.domain.ids import FreezeId, StaffId, TenantId


class FreezeBook(Protocol):
    """Reads and writes freezes inside one unit of work.

    Shape: whoever is about to change something holds new freezes off, then looks; whoever sets one waits for those who
    hold: after a freeze is committed, nothing is committed that did not see it.
    """

    def hold(self) -> None:
        """Hold new freezes off until the unit ends; called before any row is locked that a freeze would end."""
        ...

    def over(
        self, *, staff: StaffId | None, tenant: TenantId | None, now: datetime, groups: Collection[str] = ()
    ) -> Freeze | None:
        """Return the narrowest freeze over a person or a tenant; `groups` are vendors beside their own."""
        ...

    def drills(
        self, *, staff: StaffId | None, tenant: TenantId | None, now: datetime, groups: Collection[str] = ()
    ) -> Sequence[Freeze]:
        """Return the drills over a person or a tenant, none of which refuses anybody."""
        ...

    def claim(self) -> None:
        """Wait until nothing is being executed, and let nothing begin before this unit ends; at most 30 s."""
        ...

    def add(self, freeze: Freeze) -> None:
        """Store a freeze."""
        ...

    def get(self, freeze: FreezeId) -> Freeze | None:
        """Return a freeze, lifted or not."""
        ...

    def lift(self, freeze: FreezeId, *, by: StaffId, at: datetime) -> bool:
        """Lift a freeze by one conditional update; False when it was lifted before, or is a drill."""
        ...

    def standing(self) -> Sequence[Freeze]:
        """Return every freeze that is not lifted, newest first."""
        ...

    def newest(self, *, limit: int) -> Sequence[Freeze]:
        """Return freezes and drills, newest first."""
        ...

    def because_of(self, reference: str) -> Sequence[Freeze]:
        """Return the freezes that name something as their reason, lifted or not, newest first."""
        ...

    def sighted(self, freeze: FreezeId, door: Door, *, at: datetime) -> None:
        """Note that a door would have refused; only the first time counts."""
        ...

    def sightings(self, freeze: FreezeId) -> Sequence[Sighting]:
        """Return when each door first saw a drill."""
        ...
