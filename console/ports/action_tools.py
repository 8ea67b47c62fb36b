"""The tools that a governed action is given: one tenant or the books, and what it may use of the house."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.freezes import Freeze, Stopped
from console.domain.ids import ExecutionId, MemberId, RequestId, StaffId
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.reasons import Reason
from console.domain.requests import Vote
from console.domain.signals import Signal
from console.domain.tenancy import DirectoryRow
from console.ports.access_policies import AccessPolicyBook
from console.ports.billing import BillingProvider
from console.ports.billing_customers import CustomerClaims
from console.ports.clock import Ids
from console.ports.consents import ConsentBook
from console.ports.customer_letters import CustomerLetters
from console.ports.customer_tokens import CustomerTokens
from console.ports.directory import Directory
from console.ports.disclosures import DisclosureBook, LegalHolds
from console.ports.freezes import FreezeBook
from console.ports.impersonations import Grounds, ImpersonationBook
from console.ports.inbound import Inbox
from console.ports.jobs import JobBook
from console.ports.leases import LeaseBook
from console.ports.outbox import Outbox
from console.ports.periods import PeriodBook
from console.ports.planes import TenantPlane
from console.ports.recalculations import RecalculationBook
from console.ports.reconciliation import FindingBook, RunBook
from console.ports.reviews import ReviewBook
from console.ports.sending import Outbound, WebhookKeys
from console.ports.sessions import SessionBook
from console.ports.signals import SignalBook
from console.ports.staff import StaffBook


class ControlTools(Protocol):
    """The books of the control store that a CONTROL action may use."""

    @property
    def staff(self) -> StaffBook: ...  # noqa: D102  the type says it
    @property
    def executor(self) -> StaffId: ...  # noqa: D102
    @property
    def leases(self) -> LeaseBook: ...  # noqa: D102
    @property
    def impersonations(self) -> ImpersonationBook: ...  # noqa: D102
    @property
    def sessions(self) -> SessionBook: ...  # noqa: D102
    @property
    def jobs(self) -> JobBook: ...  # noqa: D102
    @property
    def inbox(self) -> Inbox: ...  # noqa: D102
    @property
    def recalculations(self) -> RecalculationBook: ...  # noqa: D102
    @property
    def runs(self) -> RunBook: ...  # noqa: D102
    @property
    def findings(self) -> FindingBook: ...  # noqa: D102
    @property
    def periods(self) -> PeriodBook: ...  # noqa: D102
    @property
    def signals(self) -> SignalBook: ...  # noqa: D102

    def impersonation_grounds(self, member: MemberId, *, at: datetime) -> Grounds:
        """Return what an impersonation of the open tenant would rest on, if the one who acts began it now."""
        ...

    def begin_impersonation(self, row: Impersonation) -> bool:
        """Store a new one; one of the same person that nothing keeps alive is ended first. False: one is alive."""
        ...

    def why_over(self, row: Impersonation, *, at: datetime) -> ImpersonationEnd | None:
        """Return why an impersonation is over, with all that it rests on; None while it lives."""
        ...

    def may_widen(self, row: Impersonation, *, at: datetime) -> bool:
        """Return whether the tenant lets one that runs write, by its policy or by a consent to it."""
        ...

    def spend_consent(self, row: Impersonation, mode: Mode, *, at: datetime) -> bool:
        """Spend the tenant's consent on what begins or widens, where it asks for one; False when none is left."""
        ...

    @property
    def freezes(self) -> FreezeBook: ...  # noqa: D102
    @property
    def reviews(self) -> ReviewBook: ...  # noqa: D102
    @property
    def directory(self) -> Directory: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102

    def freeze(self, freeze: Freeze) -> Stopped:
        """Wait for what is being executed, store a freeze, and end what lies under it; return how much was ended."""
        ...

    def end_under(self, freeze: Freeze, *, at: datetime) -> bool:
        """End what still lies under a freeze before it is lifted; False when that is more than one unit ends."""
        ...

    def end_against_wish(self, *, at: datetime) -> int:
        """End impersonations that the tenant does not let go on; return how many."""
        ...

    def end_without_role(self, staff: StaffId, *, at: datetime) -> int:
        """End what somebody may not hold with the roles that they have now; return how many."""
        ...

    @property
    def disclosures(self) -> DisclosureBook: ...  # noqa: D102
    @property
    def legal_holds(self) -> LegalHolds: ...  # noqa: D102
    @property
    def customer_tokens(self) -> CustomerTokens: ...  # noqa: D102
    @property
    def access_policies(self) -> AccessPolicyBook: ...  # noqa: D102
    @property
    def consents(self) -> ConsentBook: ...  # noqa: D102
    @property
    def letters(self) -> CustomerLetters: ...  # noqa: D102

    def flag(self, signal: Signal, *, at: datetime) -> None:
        """Have what a signal is about reviewed by somebody who had no part in it."""
        ...

    def end_everything_of(self, staff: StaffId, *, at: datetime) -> int:
        """End sessions, leases and impersonation and cancel open requests of a person; return how many things ended."""
        ...

    def end_sessions_of(self, staff: StaffId, *, at: datetime) -> int:
        """End every session of a person and the leases that each opened; return how many sessions ended."""
        ...

    def set_directory_status(self, status: str) -> None:
        """Make the directory follow the tenant's status on its plane."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """All that an action sees: one tenant (or none), the clock's reading, and who asked.

    Shape: `tenant` and `directory_row` are None for CONTROL actions; `control` is None for TENANT actions elsewhere;
    `request` and `agreed`, the votes that count for it, are there in an execution only. Of the limits in policies/:
    `shown_seconds` is how long a revealed value stays in sight, `top_up_minutes` how long more tenants may be opened,
    `top_up_most_tenants` how many more for one person at a time.
    """

    now: datetime
    ids: Ids
    requester: StaffId
    requester_name: str
    reason: Reason
    tenant: TenantPlane | None
    directory_row: DirectoryRow | None
    control: ControlTools | None
    provider: BillingProvider
    customer_claims: CustomerClaims
    outbound: Outbound
    webhook_keys: WebhookKeys
    shown_seconds: int
    top_up_minutes: int
    top_up_most_tenants: int
    execution: ExecutionId | None = None
    request: RequestId | None = None
    agreed: tuple[Vote, ...] = ()

    def plane(self) -> TenantPlane:
        """Return the tenant's data; raises RuntimeError for an action that declared no tenant."""
        if self.tenant is None:
            raise RuntimeError("this action reaches for a tenant but is declared Reach.CONTROL")
        return self.tenant

    def books(self) -> ControlTools:
        """Return the control books; raises RuntimeError for an action that declared Reach.TENANT."""
        if self.control is None:
            raise RuntimeError("this action reaches for the control store but is declared Reach.TENANT")
        return self.control
