"""The books of the control store as a governed action may use them: every cascade writes its own entries."""

from dataclasses import dataclass
from datetime import datetime

from console.domain.ids import StaffId, TenantId
from console.domain.leases import LeaseEnd
from console.domain.requests import Event, after
from console.domain.staff import Actor
from console.domain.tenancy import TenantStatus
from console.ports.access_policies import AccessPolicyBook
from console.ports.consents import ConsentBook
from console.ports.customer_letters import CustomerLetters
from console.ports.customer_tokens import CustomerTokens
from console.ports.disclosures import DisclosureBook, LegalHolds
from console.ports.inbound import Inbox
from console.ports.jobs import JobBook
from console.ports.leases import LeaseBook
from console.ports.periods import PeriodBook
from console.ports.recalculations import RecalculationBook
from console.ports.reconciliation import FindingBook, RunBook
from console.ports.sessions import SessionBook
from console.ports.staff import StaffBook
from console.ports.store import ControlUnit
from console.usecases.leases_ending import end_lease_in, end_sessions_of
from console.usecases.recording import emit, request_target, tenant_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTools:
    """ControlTools inside one open unit, on behalf of the staff member that executes."""

    unit: ControlUnit
    actor: Actor
    tenant: TenantId | None

    @property
    def staff(self) -> StaffBook:
        """Return the staff of the company."""
        return self.unit.staff

    @property
    def leases(self) -> LeaseBook:
        """Return leases and budgets."""
        return self.unit.leases

    @property
    def sessions(self) -> SessionBook:
        """Return staff sessions."""
        return self.unit.sessions

    @property
    def jobs(self) -> JobBook:
        """Return the jobs."""
        return self.unit.jobs

    @property
    def inbox(self) -> Inbox:
        """Return the inbox of providers' webhooks."""
        return self.unit.inbox

    @property
    def recalculations(self) -> RecalculationBook:
        """Return the mass recalculations."""
        return self.unit.recalculations

    @property
    def runs(self) -> RunBook:
        """Return the runs of reconciliation."""
        return self.unit.runs

    @property
    def findings(self) -> FindingBook:
        """Return the findings."""
        return self.unit.findings

    @property
    def periods(self) -> PeriodBook:
        """Return the accounting periods."""
        return self.unit.periods

    @property
    def disclosures(self) -> DisclosureBook:
        """Return what tenants are shown of staff's accesses."""
        return self.unit.disclosures

    @property
    def legal_holds(self) -> LegalHolds:
        """Return what keeps accesses back."""
        return self.unit.legal_holds

    @property
    def customer_tokens(self) -> CustomerTokens:
        """Return the tokens of customers' programs."""
        return self.unit.customer_tokens

    @property
    def access_policies(self) -> AccessPolicyBook:
        """Return what tenants permit."""
        return self.unit.access_policies

    @property
    def consents(self) -> ConsentBook:
        """Return the questions to tenants' administrators."""
        return self.unit.consents

    @property
    def letters(self) -> CustomerLetters:
        """Return the letters to customers."""
        return self.unit.letters

    def end_sessions_of(self, staff: StaffId, *, at: datetime) -> int:
        """End every session of a person and the leases that each opened; return how many sessions ended."""
        return end_sessions_of(self.unit, self.actor, staff, now=at)

    def end_everything_of(self, staff: StaffId, *, at: datetime) -> int:
        """End sessions and leases and cancel open requests of a person; return how many things ended."""
        ended = self.end_sessions_of(staff, at=at)
        for lease in self.unit.leases.open_of(staff):
            ended += end_lease_in(self.unit, self.actor, lease, by=LeaseEnd.DEACTIVATED, now=at)
        for request in self.unit.requests.open_of_requester(staff):
            to = after(request.state, Event.CANCEL)
            if to is not None and self.unit.requests.move(
                request, to, ended_because="requester deactivated", finished_at=at
            ):
                ended += 1
                emit(
                    self.unit,
                    self.actor,
                    "request.cancelled",
                    at=at,
                    governed=request.action,
                    tenant=tenant_ref(self.unit, request.tenant, source="request"),
                    reason=request.reason,
                    targets=request_target(request),
                    correlation=request.id,
                )
        return ended

    def set_directory_status(self, status: str) -> None:
        """Make the directory follow the tenant's status on its plane."""
        if self.tenant is not None:
            self.unit.directory.set_status(self.tenant, TenantStatus(status))
