"""The control store: one transaction holds the change, the effect and the entries."""

from contextlib import AbstractContextManager
from typing import Protocol

from console.domain.tenancy import TenantScope
from console.ports.access_policies import AccessPolicyBook
from console.ports.break_glass import GlassBook
from console.ports.consents import ConsentBook
from console.ports.customer_letters import CustomerLetters
from console.ports.customer_tokens import CustomerTokens
from console.ports.directory import Directory
from console.ports.disclosures import DisclosureBook, LegalHolds
from console.ports.freezes import FreezeBook
from console.ports.impersonations import ImpersonationBook
from console.ports.inbound import Inbox
from console.ports.jobs import JobBook
from console.ports.leases import LeaseBook
from console.ports.outbox import Outbox
from console.ports.override_register import OverrideRegister
from console.ports.periods import PeriodBook
from console.ports.planes import TenantPlane
from console.ports.product import ProductReports
from console.ports.recalculations import RecalculationBook
from console.ports.reconciliation import FindingBook, RunBook, Sightings, Staging
from console.ports.requests import RequestBook
from console.ports.reservations import Reservations
from console.ports.reviews import ReviewBook
from console.ports.sessions import SessionBook
from console.ports.signals import SignalBook
from console.ports.staff import StaffBook
from console.ports.throttles import Throttles
from console.ports.trail import Trail, TrailReader


class ControlUnit(Protocol):
    """Everything of the control store, inside one transaction."""

    @property
    def freezes(self) -> FreezeBook: ...  # noqa: D102  the type says it
    @property
    def glass(self) -> GlassBook: ...  # noqa: D102
    @property
    def reviews(self) -> ReviewBook: ...  # noqa: D102
    @property
    def staff(self) -> StaffBook: ...  # noqa: D102  the type says it
    @property
    def sessions(self) -> SessionBook: ...  # noqa: D102
    @property
    def leases(self) -> LeaseBook: ...  # noqa: D102
    @property
    def impersonations(self) -> ImpersonationBook: ...  # noqa: D102
    @property
    def product_reports(self) -> ProductReports: ...  # noqa: D102
    @property
    def requests(self) -> RequestBook: ...  # noqa: D102
    @property
    def reservations(self) -> Reservations: ...  # noqa: D102
    @property
    def trail(self) -> Trail: ...  # noqa: D102
    @property
    def reader(self) -> TrailReader: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102
    @property
    def throttles(self) -> Throttles: ...  # noqa: D102
    @property
    def directory(self) -> Directory: ...  # noqa: D102
    @property
    def jobs(self) -> JobBook: ...  # noqa: D102
    @property
    def inbox(self) -> Inbox: ...  # noqa: D102
    @property
    def recalculations(self) -> RecalculationBook: ...  # noqa: D102
    @property
    def register(self) -> OverrideRegister: ...  # noqa: D102
    @property
    def runs(self) -> RunBook: ...  # noqa: D102
    @property
    def staging(self) -> Staging: ...  # noqa: D102
    @property
    def sightings(self) -> Sightings: ...  # noqa: D102
    @property
    def findings(self) -> FindingBook: ...  # noqa: D102

    @property
    def periods(self) -> PeriodBook: ...  # noqa: D102
    @property
    def signals(self) -> SignalBook: ...  # noqa: D102

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

    def tenant(self, scope: TenantScope) -> TenantPlane:
        """Return the tenant's data in this very transaction; only for a plane that shares the database."""
        ...


class Store(Protocol):
    """Opens transactions on the control store."""

    def write(self) -> AbstractContextManager[ControlUnit, None]:
        """Open a writing transaction: commits on success, rolls back on any exception."""
        ...

    def read(self) -> AbstractContextManager[ControlUnit, None]:
        """Open a reading transaction; whatever is written in it is rolled back."""
        ...

    def ping(self) -> None:
        """Return when the store answers; raises OutsideError within two seconds otherwise."""
        ...
