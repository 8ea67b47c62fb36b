"""What a tenant is shown of staff's accesses, in the order in which it was shown; and what keeps something back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.disclosure import LegalHold
from console.domain.ids import StaffId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One access: the row id of its entry, when it is due, and its number in the tenant's log once it is shown."""

    event: int
    tenant: TenantId
    at: datetime
    reason_code: str | None
    reference: str
    due_at: datetime
    number: int | None = None
    shown_at: datetime | None = None


class DisclosureBook(Protocol):
    """Reads and writes disclosures inside one unit of work."""

    def position(self) -> int:
        """Return the last place of the trail that was looked at, -1 before the first."""
        ...

    def move_on(self, before: int, to: int) -> bool:
        """Move that place by one conditional update; False when somebody else did."""
        ...

    def add(self, disclosures: Sequence[Disclosure]) -> None:
        """Store accesses that are not known yet: those with a number are shown, the others wait."""
        ...

    def last_numbers(self, tenants: Collection[TenantId]) -> dict[TenantId, int]:
        """Return the last number that each of these tenants was shown, where there is one."""
        ...

    def due(self, now: datetime, *, limit: int) -> Sequence[Disclosure]:
        """Return what waits and is due, longest first."""
        ...

    def show(self, disclosures: Sequence[Disclosure]) -> None:
        """Show accesses that waited, under the numbers that they were given."""
        ...

    def postpone(self, disclosure: Disclosure, *, due_at: datetime) -> None:
        """Let it wait longer."""
        ...

    def hurry(self, tenant: TenantId, reference: str, *, due_at: datetime) -> int:
        """Let what waits under a reference wait no longer than that; return how many."""
        ...

    def shown(self, tenant: TenantId, *, before: int | None, limit: int) -> Sequence[Disclosure]:
        """Return what is shown, newest number first, `before` exclusive."""
        ...

    def shown_after(self, tenant: TenantId, *, number: int, limit: int) -> Sequence[Disclosure]:
        """Return what is shown, oldest number first, those above `number`."""
        ...

    def waiting(self, tenant: TenantId, *, limit: int) -> Sequence[Disclosure]:
        """Return what is not shown yet, soonest first."""
        ...

    def count_under(self, tenant: TenantId, reference: str) -> tuple[int, int]:
        """Return how many accesses under a reference are shown, and how many wait."""
        ...

    def countries(self, staff: Sequence[StaffId]) -> dict[StaffId, str]:
        """Return in which countries staff members work, where it is known."""
        ...

    def set_country(self, staff: StaffId, country: str | None) -> None:
        """Remember in which country somebody works, or forget it."""
        ...


class LegalHolds(Protocol):
    """Reads and writes legal holds inside one unit of work."""

    def add(self, hold: LegalHold) -> None:
        """Store a hold."""
        ...

    def get(self, hold: str) -> LegalHold | None:
        """Return one hold, released or not."""
        ...

    def of(self, tenant: TenantId) -> Sequence[LegalHold]:
        """Return a tenant's holds, newest first."""
        ...

    def release(self, hold: LegalHold, *, by: StaffId, at: datetime) -> bool:
        """Release by one conditional update; False when it was released before."""
        ...
