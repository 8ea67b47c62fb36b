"""Consent: a tenant's administrator approves or refuses one described access before it can begin."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.ids import MemberId, StaffId, TenantId


class ConsentState(StrEnum):
    """Where a question for consent stands; silence becomes EXPIRED, which is a refusal."""

    PENDING = "pending"
    APPROVED = "approved"
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
    write; `decided_by` names a member of the tenant, or the token by which a program decided.
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

    def state_at(self, now: datetime) -> ConsentState:
        """Return the state that the clock leaves of the stored one."""
        if self.state is ConsentState.PENDING and now >= self.decide_by:
            return ConsentState.EXPIRED
        if self.state is ConsentState.APPROVED and now >= self.use_by:
            return ConsentState.EXPIRED
        return self.state

    def covers(self, *, staff: StaffId, member: MemberId | None, mode: str, now: datetime) -> bool:
        """Return whether this person may begin this access now; reading is covered by a consent to writing."""
        fits = self.staff == staff and self.member in {None, member} and self.mode in {mode, "write"}
        return fits and self.state_at(now) is ConsentState.APPROVED
