"""The control store: units of work that hold the change, the effect and the entries."""

from collections.abc import Callable, Iterator
from functools import cached_property

from sqlalchemy import text

from console.domain.entries import WriterCounter
from console.domain.errors import ScopeError, TrailUnavailableError
from console.domain.ids import PlaneId
from console.domain.tenancy import TenantScope
from console.ports.clock import Clock, Ids
from console.storage.access_policies import StoredAccessPolicies
from console.storage.break_glass import StoredGlass
from console.storage.consents import StoredConsents
from console.storage.customer_letters import StoredCustomerLetters
from console.storage.customer_tokens import StoredCustomerTokens
from console.storage.directory import StoredDirectory
from console.storage.disclosures import StoredDisclosures, StoredLegalHolds
from console.storage.engines import Database
from console.storage.faults import translated
from console.storage.findings import StoredFindings
from console.storage.freezes import StoredFreezes
from console.storage.guards import GuardedSession
from console.storage.impersonations import StoredImpersonations
from console.storage.inbox import StoredInbox
from console.storage.jobs import Deferral, StoredJobs
from console.storage.leases import StoredLeases
from console.storage.outbox import StoredOutbox
from console.storage.override_register import StoredRegister
from console.storage.periods import StoredPeriods
from console.storage.product_reports import StoredProductReports
from console.storage.recalculations import StoredRecalculations
from console.storage.reconciliation_runs import StoredRuns, StoredSightings
from console.storage.reconciliation_staging import StoredStaging
from console.storage.requests import StoredRequests
from console.storage.reservations import StoredReservations
from console.storage.reviews import StoredReviews
from console.storage.sessions import StoredSessions
from console.storage.signals import StoredSignals
from console.storage.staff import StoredStaff
from console.storage.tenant_plane import StoredTenantPlane
from console.storage.throttles import StoredThrottles
from console.storage.trail import ReadOnlyTrail, StoredTrail, Writers
from console.storage.trail_reader import StoredTrailReader
from console.storage.transactions import Transaction, opened, unit


class StoredUnit:
    """The ControlUnit of one transaction; each book is made when it is first asked for."""

    def __init__(
        self,
        transaction: Transaction[GuardedSession],
        *,
        clock: Clock,
        ids: Ids,
        counter: WriterCounter | None,
        shared: Callable[[PlaneId], bool],
        deferred: Deferral | None = None,
    ) -> None:
        """Work inside a transaction; a reading one has no counter for entries."""
        self._session = transaction.session
        self._clock = clock
        self._ids = ids
        self._counter = counter
        self._shared = shared
        self._deferred = deferred

    @cached_property
    def freezes(self) -> StoredFreezes:
        """Return the freezes."""
        return StoredFreezes(self._session, writing=self._counter is not None)

    @cached_property
    def glass(self) -> StoredGlass:
        """Return the uses of break-glass."""
        return StoredGlass(self._session)

    @cached_property
    def reviews(self) -> StoredReviews:
        """Return the reviews."""
        return StoredReviews(self._session)

    @cached_property
    def staff(self) -> StoredStaff:
        """Return the staff."""
        return StoredStaff(self._session)

    @cached_property
    def sessions(self) -> StoredSessions:
        """Return the sessions of staff."""
        return StoredSessions(self._session)

    @cached_property
    def leases(self) -> StoredLeases:
        """Return the leases."""
        return StoredLeases(self._session)

    @cached_property
    def impersonations(self) -> StoredImpersonations:
        """Return the impersonations."""
        return StoredImpersonations(self._session)

    @cached_property
    def product_reports(self) -> StoredProductReports:
        """Return what the product told."""
        return StoredProductReports(self._session)

    @cached_property
    def requests(self) -> StoredRequests:
        """Return the requests."""
        return StoredRequests(self._session)

    @cached_property
    def reservations(self) -> StoredReservations:
        """Return what executions hold."""
        return StoredReservations(self._session)

    @cached_property
    def trail(self) -> StoredTrail | ReadOnlyTrail:
        """Return the way to write entries."""
        if self._counter is None:
            return ReadOnlyTrail()
        return StoredTrail(self._session, ids=self._ids, counter=self._counter)

    @cached_property
    def reader(self) -> StoredTrailReader:
        """Return the way to read entries."""
        return StoredTrailReader(self._session)

    @cached_property
    def outbox(self) -> StoredOutbox:
        """Return the notices."""
        return StoredOutbox(self._session)

    @cached_property
    def throttles(self) -> StoredThrottles:
        """Return the counters."""
        return StoredThrottles(self._session)

    @cached_property
    def directory(self) -> StoredDirectory:
        """Return the directory."""
        return StoredDirectory(self._session)

    @cached_property
    def jobs(self) -> StoredJobs:
        """Return the jobs."""
        return StoredJobs(self._session, ids=self._ids, deferred=self._deferred)

    @cached_property
    def inbox(self) -> StoredInbox:
        """Return the inbox of providers' webhooks."""
        return StoredInbox(self._session)

    @cached_property
    def recalculations(self) -> StoredRecalculations:
        """Return the mass recalculations."""
        return StoredRecalculations(self._session)

    @cached_property
    def register(self) -> StoredRegister:
        """Return the register of overrides."""
        return StoredRegister(self._session)

    @cached_property
    def runs(self) -> StoredRuns:
        """Return the runs of reconciliation."""
        return StoredRuns(self._session)

    @cached_property
    def staging(self) -> StoredStaging:
        """Return what runs pulled from the provider."""
        return StoredStaging(self._session)

    @cached_property
    def sightings(self) -> StoredSightings:
        """Return what runs saw."""
        return StoredSightings(self._session)

    @cached_property
    def findings(self) -> StoredFindings:
        """Return the findings."""
        return StoredFindings(self._session)

    @cached_property
    def periods(self) -> StoredPeriods:
        """Return the accounting periods."""
        return StoredPeriods(self._session)

    @cached_property
    def signals(self) -> StoredSignals:
        """Return the signals."""
        return StoredSignals(self._session)

    @cached_property
    def disclosures(self) -> StoredDisclosures:
        """Return what tenants are shown of staff's accesses."""
        return StoredDisclosures(self._session)

    @cached_property
    def legal_holds(self) -> StoredLegalHolds:
        """Return what keeps accesses back."""
        return StoredLegalHolds(self._session)

    @cached_property
    def customer_tokens(self) -> StoredCustomerTokens:
        """Return the tokens of customers' programs."""
        return StoredCustomerTokens(self._session)

    @cached_property
    def access_policies(self) -> StoredAccessPolicies:
        """Return what tenants permit."""
        return StoredAccessPolicies(self._session)

    @cached_property
    def consents(self) -> StoredConsents:
        """Return the questions to tenants' administrators."""
        return StoredConsents(self._session)

    @cached_property
    def letters(self) -> StoredCustomerLetters:
        """Return the letters to customers."""
        return StoredCustomerLetters(self._session)

    def tenant(self, scope: TenantScope) -> StoredTenantPlane:
        """Return the tenant's data in this very transaction. Raises: ScopeError for a plane elsewhere."""
        if not self._shared(scope.plane):
            message = "The plane of this scope is another database."
            raise ScopeError(message, plane=scope.plane)
        return StoredTenantPlane(self._session, scope, now=self._clock.now())

    def refuse_if_unrecorded(self) -> None:
        """Raise TrailUnavailableError when an entry failed, even if somebody swallowed that error."""
        trail = self.__dict__.get("trail")
        if isinstance(trail, StoredTrail) and trail.has_failed:
            message = "An entry of this unit could not be written, therefore nothing was done."
            raise TrailUnavailableError(message)


class ControlStore:
    """The Store on SQLAlchemy."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        ids: Ids,
        writers: Writers,
        shared: Callable[[PlaneId], bool],
        deferred: Deferral | None = None,
    ) -> None:
        """Keep the engines; `shared` tells which planes live in this database, `deferred` is an outside queue."""
        self._database = database
        self._clock = clock
        self._ids = ids
        self._shared = shared
        self._writers = writers
        self._deferred = deferred

    @unit
    def write(self) -> Iterator[StoredUnit]:
        """Open a writing transaction: commits on success, rolls back on any exception."""
        with (
            opened(self._database, GuardedSession, writing=True) as transaction,
            self._writers.lent(transaction) as counter,
        ):
            unit = self._unit(transaction, counter)
            yield unit
            unit.refuse_if_unrecorded()
            transaction.commit()

    @unit
    def read(self) -> Iterator[StoredUnit]:
        """Open a reading transaction; whatever is written in it is rolled back."""
        with opened(self._database, GuardedSession, writing=False) as transaction:
            yield self._unit(transaction, None)

    def ping(self) -> None:
        """Return when the store answers; raises OutsideError within two seconds otherwise."""
        with translated(self._database.name), self._database.reading.connect() as connection:
            connection.execute(text("SELECT 1"))

    def _unit(self, transaction: Transaction[GuardedSession], counter: WriterCounter | None) -> StoredUnit:
        return StoredUnit(
            transaction,
            clock=self._clock,
            ids=self._ids,
            counter=counter,
            shared=self._shared,
            deferred=self._deferred,
        )
