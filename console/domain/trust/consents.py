"""Consent: a tenant's administrator approves or refuses one described access before it can begin.

One approval is one access: the impersonation that begins by it spends it, and what begins next needs another.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.ids import ImpersonationId, MemberId, StaffId, TenantId
from console.domain.reasons import Reason


class ConsentState(StrEnum):
    """Where a question for consent stands; silence becomes EXPIRED, which is a refusal; USED is spent."""

    PENDING = "pending"
    APPROVED = "approved"
    USED = "used"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ConsentVerdict(StrEnum):
    """What an administrator says."""

    APPROVE = "approve"
    REFUSE = "refuse"

    @property
    def state(self) -> ConsentState:
        """Return the state that it leads to."""
        return ConsentState.APPROVED if self is ConsentVerdict.APPROVE else ConsentState.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One question: who, why, what, how long; the customer knows `staff` by a pseudonym only.

    Shape: `what` is the sentence that the administrator reads; `member` whom it is about, if anybody; `mode` is read or
    write; `decided_by` names a member of the tenant, or the token by which a program decided; `used_by` is the one
    access that it was spent on.
    Units: `minutes` of access; `decide_by` ends the question, `use_by` what was approved, both exclusive.
    """

    id: str
    tenant: TenantId
    staff: StaffId
    what: str
    member: MemberId | None
    mode: str
    reason_code: str
    reference: str
    minutes: int
    asked_at: datetime
    decide_by: datetime
    use_by: datetime
    state: ConsentState = ConsentState.PENDING
    version: int = 1
    decided_at: datetime | None = None
    decided_by: str | None = None
    reminded_at: datetime | None = None
    used_at: datetime | None = None
    used_by: ImpersonationId | None = None

    def state_at(self, now: datetime) -> ConsentState:
        """Return the state that the clock leaves of the stored one."""
        if self.state is ConsentState.PENDING and now >= self.decide_by:
            return ConsentState.EXPIRED
        if self.state is ConsentState.APPROVED and now >= self.use_by:
            return ConsentState.EXPIRED
        return self.state

    def covers(self, *, staff: StaffId, member: MemberId, mode: str, reason: Reason, now: datetime) -> bool:
        """Return whether this person may begin this access now, for what was asked; writing covers reading."""
        is_same = (self.staff, self.reason_code, self.reference) == (staff, reason.code, reason.reference)
        fits = is_same and self.member in {None, member} and self._permits(mode)
        return fits and self.state_at(now) is ConsentState.APPROVED

    def carries(self, access: ImpersonationId, *, mode: str) -> bool:
        """Return whether one access, that it was spent on, may go on in this mode."""
        return self.state is ConsentState.USED and self.used_by == access and self._permits(mode)

    def _permits(self, mode: str) -> bool:
        return self.mode in {mode, "write"}
