"""Questions to tenants' administrators, and their answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from console.domain.ids import ImpersonationId, StaffId, TenantId
from console.domain.trust.consents import Consent, ConsentState


class ConsentBook(Protocol):
    """Reads and writes consents inside one unit of work."""

    def add(self, consent: Consent) -> None:
        """Store a question."""
        ...

    def get(self, consent: str) -> Consent | None:
        """Return one, whatever became of it."""
        ...

    def settle(self, consent: Consent, to: ConsentState, *, by: str, at: datetime) -> bool:
        """Move it by one conditional update on state and version; False when somebody was faster."""
        ...

    def use(self, consent: Consent, *, by: ImpersonationId, at: datetime) -> bool:
        """Spend what was approved on one access, by one conditional update; False when it was spent or taken back."""
        ...

    def used_by(self, access: ImpersonationId) -> Sequence[Consent]:
        """Return what was spent on one access."""
        ...

    def reminded(self, consent: Consent, *, at: datetime) -> bool:
        """Remember that a reminder was queued; False when one was, or it is decided."""
        ...

    def of_tenant(self, tenant: TenantId, *, limit: int) -> Sequence[Consent]:
        """Return a tenant's questions, newest first."""
        ...

    def of_staff(self, staff: StaffId, tenant: TenantId, *, limit: int) -> Sequence[Consent]:
        """Return what somebody asked a tenant, newest first."""
        ...

    def pending(self, *, now: datetime, before: datetime, limit: int) -> Sequence[Consent]:
        """Return undecided questions that are over, or end before a moment and were not reminded of; soonest first."""
        ...
