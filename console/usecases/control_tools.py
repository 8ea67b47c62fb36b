"""The books of the control store as a governed action may use them: every cascade writes its own entries."""

from dataclasses import dataclass, replace
from datetime import datetime

from console.domain.freezes import Freeze, Stopped
from console.domain.ids import MemberId, StaffId, TenantId
from console.domain.impersonations import Impersonation, ImpersonationEnd, Mode
from console.domain.leases import LeaseEnd
from console.domain.requests import Event, after
from console.domain.reviews import ReviewKind
from console.domain.signals import Signal
from console.domain.staff import Actor
from console.domain.tenancy import TenantStatus
from console.ports.access_policies import AccessPolicyBook
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
from console.ports.recalculations import RecalculationBook
from console.ports.reconciliation import FindingBook, RunBook
from console.ports.reviews import ReviewBook
from console.ports.sessions import SessionBook
from console.ports.signals import SignalBook
from console.ports.staff import StaffBook
from console.ports.store import ControlUnit
from console.usecases.break_glass import withdraw_review
from console.usecases.house import House
from console.usecases.impersonation_standing import expire_impersonation_in, ticket_of, why_over
from console.usecases.impersonations_ending import end_against_wish_in, end_without_role_in
from console.usecases.leases_ending import end_lease_in, end_sessions_of, stop_in
from console.usecases.open_review import Judged, open_review
from console.usecases.recording import emit, request_target, tenant_ref
from console.usecases.spend_consent import may_widen, spend_consent_in, to_begin


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTools:
    """ControlTools inside one open unit, on behalf of the staff member that executes."""

    house: House
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
    def executor(self) -> StaffId:
        """Return who runs this execution, and sees what it shows once."""
        return self.actor.staff

    @property
    def impersonations(self) -> ImpersonationBook:
        """Return the impersonations."""
        return self.unit.impersonations

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
    def signals(self) -> SignalBook:
        """Return the signals."""
        return self.unit.signals

    def impersonation_grounds(self, member: MemberId, *, at: datetime) -> Grounds:
        """Return what an impersonation of the open tenant would rest on, if the one who acts began it now."""
        limits = self.house.book.limits
        running = self.unit.impersonations.open_of(self.actor.staff)
        is_alive = running is not None and self.why_over(running, at=at) is None
        lease = None if self.tenant is None else self.unit.leases.open_on(self.actor.staff, self.tenant)
        is_allowed, consent = to_begin(self.unit, lease, member, now=at)
        return Grounds(
            is_connected=self.house.product is not None,
            session=self.actor.session,
            lease=lease,
            running=running if is_alive else None,
            tenant_allows=is_allowed,
            consent=consent,
            longest_minutes=limits.impersonation_minutes,
            idle_minutes=limits.impersonation_idle_minutes,
        )

    def begin_impersonation(self, row: Impersonation) -> bool:
        """Store a new one; one of the same person that nothing keeps alive is ended first. False: one is alive."""
        before = self.unit.impersonations.open_of(row.staff)
        over = None if before is None else self.why_over(before, at=row.started_at)
        if before is not None and over is not None:
            expire_impersonation_in(self.unit, before, by=over, now=row.started_at)
        return self.unit.impersonations.add(row)

    def why_over(self, row: Impersonation, *, at: datetime) -> ImpersonationEnd | None:
        """Return why an impersonation is over, with all that it rests on; None while it lives."""
        return why_over(self.house, self.unit, row, ticket=ticket_of(self.house, row, now=at), now=at)

    def may_widen(self, row: Impersonation, *, at: datetime) -> bool:
        """Return whether the tenant lets one that runs write, by its policy or by a consent to it."""
        return may_widen(self.unit, row, now=at)

    def spend_consent(self, row: Impersonation, mode: Mode, *, at: datetime) -> bool:
        """Spend the tenant's consent on what begins or widens, where it asks for one; False when none is left."""
        return spend_consent_in(self.unit, self.actor, row, mode, now=at)

    @property
    def freezes(self) -> FreezeBook:
        """Return the freezes."""
        return self.unit.freezes

    @property
    def reviews(self) -> ReviewBook:
        """Return the reviews."""
        return self.unit.reviews

    @property
    def directory(self) -> Directory:
        """Return the directory."""
        return self.unit.directory

    @property
    def outbox(self) -> Outbox:
        """Return the notices."""
        return self.unit.outbox

    def freeze(self, freeze: Freeze) -> Stopped:
        """Wait for what is being executed, store a freeze, and end what lies under it; return how much was ended."""
        if freeze.is_drill:
            self.unit.freezes.add(freeze)
            return Stopped()
        self.unit.freezes.claim()
        stopped = stop_in(self.unit, self.actor, freeze, now=freeze.set_at)
        self.unit.freezes.add(replace(freeze, ended=stopped.leases))
        return stopped

    def end_under(self, freeze: Freeze, *, at: datetime) -> bool:
        """End what still lies under a freeze before it is lifted; False when that is more than one unit ends."""
        return stop_in(self.unit, self.actor, freeze, now=at).is_all

    def end_against_wish(self, *, at: datetime) -> int:
        """End impersonations that the tenant does not let go on; return how many."""
        return 0 if self.tenant is None else end_against_wish_in(self.unit, self.tenant, now=at)

    def end_without_role(self, staff: StaffId, *, at: datetime) -> int:
        """End what somebody may not hold with the roles that they have now; return how many."""
        member = self.unit.staff.get(staff)
        return 0 if member is None else end_without_role_in(self.house, self.unit, member, now=at)

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

    def flag(self, signal: Signal, *, at: datetime) -> None:
        """Have what a signal is about reviewed by somebody who had no part in it."""
        people = self.unit.staff.many({signal.staff, *signal.people})
        who = people.get(signal.staff)
        if who is None:
            return
        judged = Judged(
            subject=signal.id,
            title=signal.summary,
            tenant=signal.tenant,
            actor=who.id,
            actor_name=who.name,
            person=who.person,
            gainers=frozenset(each.person for each in people.values()) - {who.person},
        )
        open_review(self.house, self.unit, ReviewKind.FLAGGED, judged, now=at)

    def end_everything_of(self, staff: StaffId, *, at: datetime) -> int:
        """End sessions, leases and impersonation and cancel open requests of a person; return how many things ended."""
        ended = end_sessions_of(self.unit, self.actor, staff, now=at, by=LeaseEnd.DEACTIVATED)
        for lease in self.unit.leases.open_of(staff):
            ended += end_lease_in(self.unit, self.actor, lease, by=LeaseEnd.DEACTIVATED, now=at)
        for request in self.unit.requests.open_of_requester(staff):
            to = after(request.state, Event.CANCEL)
            if to is not None and self.unit.requests.move(
                request, to, ended_because="requester deactivated", finished_at=at
            ):
                ended += 1
                withdraw_review(self.unit, request, because="stopped before it fired", at=at)
                emit(
                    self.unit,
                    self.actor,
                    "request.cancelled",
                    at=at,
                    governed=request.action,
                    tenant=tenant_ref(self.unit, request.tenant, source="request"),
                    reason=request.reason,
                    targets=request_target(request, moves=True),
                    correlation=request.id,
                )
        return ended

    def set_directory_status(self, status: str) -> None:
        """Make the directory follow the tenant's status on its plane."""
        if self.tenant is not None:
            self.unit.directory.set_status(self.tenant, TenantStatus(status))
