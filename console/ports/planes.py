"""Tenant-owned data, reached only with a TenantScope."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from console.domain.bought import AS_IT_IS, Supposed
from console.domain.effective_store import Recalculation, StoredSet
from console.domain.entitlements import Condition, Feature, Grant, Inputs
from console.domain.ids import ExecutionId, MemberId, PlaneId
from console.domain.product_jobs import ProductJob, ProductJobState
from console.domain.reconciling.books import Hold, UsageEvent
from console.domain.tenancy import TenantScope, TenantStatus
from console.domain.workspace import Account, Invoice, Member, Note, Subscription
from console.ports.billing_customers import BillingCustomers
from console.ports.mirror import MirrorBook
from console.ports.periods import PeriodSets
from console.ports.provider_writes import ProviderWrites
from console.ports.webhooks import WebhookBook


class TenantPlane(Protocol):
    """One tenant's data in one transaction; there is no way to name another tenant."""

    @property
    def scope(self) -> TenantScope:
        """Return the scope that opened this."""
        ...

    def account(self) -> Account:
        """Return the tenant's own row; raises NotFoundError."""
        ...

    def subscription(self) -> Subscription | None:
        """Return the subscription as the product mirrors it, or as our mirror knows it where that is fresher."""
        ...

    def members(self, *, after: MemberId | None, limit: int) -> Sequence[Member]:
        """Return members in order of id."""
        ...

    def member(self, member: MemberId) -> Member | None:
        """Return one member of this tenant."""
        ...

    def administrators(self, *, limit: int) -> Sequence[Member]:
        """Return active members who answer for the tenant, in order of id."""
        ...

    def member_count(self, *, most: int) -> int:
        """Return how many members there are, counting no further than `most`."""
        ...

    def invoices(self, *, limit: int) -> Sequence[Invoice]:
        """Return the newest invoices, each as the fresher mirror knows it."""
        ...

    def invoice(self, number: str) -> Invoice | None:
        """Return one invoice."""
        ...

    @property
    def mirror(self) -> MirrorBook:
        """Return the tenant's mirror of the billing provider."""
        ...

    @property
    def webhooks(self) -> WebhookBook:
        """Return the tenant's webhooks."""
        ...

    @property
    def provider_writes(self) -> ProviderWrites:
        """Return what the billing provider was asked to do for this tenant."""
        ...

    @property
    def customers(self) -> BillingCustomers:
        """Return which customers of the billing provider this tenant is."""
        ...

    def holds(self) -> tuple[Hold, ...]:
        """Return what was noted of disputes, also of those that are over, in order of the dispute's id."""
        ...

    def put_hold(self, hold: Hold, *, before: Hold | None, at: datetime) -> bool:
        """Write what is noted of a dispute if what stands is still `before`; False when somebody was faster."""

    @property
    def periods(self) -> PeriodSets:
        """Return what accounting periods hold of the tenant."""
        ...

    def product_jobs(self, *, state: ProductJobState | None, before: str | None, limit: int) -> Sequence[ProductJob]:
        """Return the product's own jobs, newest first, those after `before`; none when there is no such job."""
        ...

    def features(self) -> Sequence[Feature]:
        """Return the features of the plane's catalogue."""
        ...

    def grants(self, feature: str | None = None) -> Sequence[Grant]:
        """Return what every source (ended overrides too) gives, for one feature or all."""
        ...

    def inputs(self, supposing: Supposed = AS_IT_IS) -> Inputs:
        """Return all that decides the tenant's entitlements, or would if links and mirror said what is supposed."""
        ...

    def effective_set(self) -> StoredSet | None:
        """Return the effective set that the product reads; None where none was ever stored."""
        ...

    def store_effective_set(self, wanted: StoredSet, *, cause: str, expected: int | None) -> bool:
        """Store a set in place of version `expected` (None: of none); False means somebody was faster."""
        ...

    def take_turn(self) -> None:
        """Wait until nobody else changes status, overrides or effective set of this tenant, and keep others waiting."""
        ...

    def wait_for_turn(self) -> None:
        """Do as `take_turn`, for somebody who may yet be refused: nothing is written where nobody ever changed it."""
        ...

    def recalculate(self, *, cause: str, at: datetime) -> Recalculation:
        """Bring the stored set up to date, alone on this tenant until the transaction ends; up to date, do nothing.

        Shape: whoever changes what decides the tenant's access calls this at the end of the same transaction.
        """
        ...

    def usage_events(self, *, since: datetime, limit: int) -> Sequence[UsageEvent]:
        """Return raw events of use from a moment on, oldest first."""
        ...

    def notes(self, *, before: str | None, limit: int) -> Sequence[Note]:
        """Return notes newest first, those after the note `before`; none after one that is not there."""
        ...

    def add_override(self, grant: Grant, *, by: str, at: datetime) -> None:
        """Store an override and move `entitlement_version`."""
        ...

    def assign_override(self, override: str, *, owner: str, at: datetime) -> bool:
        """Give a live override another owner; False when it was not live."""
        ...

    def add_condition(self, condition: Condition, *, reference: str, by: str, at: datetime) -> None:
        """Store grace or the end of a coverage and move `entitlement_version`. Raises: ConflictError for a taken id."""
        ...

    def end_override(self, override: str, *, at: datetime) -> bool:
        """End a live override and move `entitlement_version`; False when it was not live."""
        ...

    def add_note(self, note: Note) -> None:
        """Store a note."""
        ...

    def set_status(self, status: TenantStatus, *, because: str | None, version: int) -> bool:
        """Change the status by one conditional update on `version`; False means somebody was faster."""
        ...

    def applied(self, execution: ExecutionId) -> str | None:
        """Return the outcome that this plane recorded for an execution: `applied`, `abandoned` or None.

        Shape: of a recalculation the outcome is what its entry is to say.
        """
        ...

    def mark_applied(self, execution: ExecutionId, *, outcome: str, at: datetime) -> None:
        """Record an execution in this transaction; raises ConflictError when one is recorded already."""
        ...


class Planes(Protocol):
    """Opens transactions on tenant planes that do not share the control store's database."""

    def shares_control(self, plane: PlaneId) -> bool:
        """Return whether a plane lives in the control store's database."""
        ...

    def read(self, scope: TenantScope) -> AbstractContextManager[TenantPlane, None]:
        """Open a read-only transaction; raises OutsideError when the plane does not answer."""
        ...

    def write(self, scope: TenantScope) -> AbstractContextManager[TenantPlane, None]:
        """Open a transaction that commits on success; raises OutsideError when the plane does not answer."""
        ...
