"""Runs of reconciliation and their findings, as the control store keeps them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from console.domain.billing.objects import ObjectKind
from console.domain.ids import Digest, StaffId, TenantId
from console.domain.reconciling.findings import Finding, FindingId, FindingState, ReconciliationId
from console.domain.reconciling.runs import KindTotal, Reconciliation, Sighting, Staged


class RunBook(Protocol):
    """Runs inside one unit; each is moved under a fence of its version."""

    def add(self, run: Reconciliation) -> bool:
        """Store a new run; False when its id is known, or another run over the same scope is still open."""
        ...

    def get(self, run: ReconciliationId) -> Reconciliation | None:
        """Return one run."""
        ...

    def open_of(self, scope: str) -> Reconciliation | None:
        """Return the run over a scope that is still open."""
        ...

    def last_done(self, tenant: TenantId | None) -> Reconciliation | None:
        """Return the newest run that ended well over the fleet, or over the fleet or this tenant."""
        ...

    def save(self, run: Reconciliation) -> bool:
        """Write how far an open run has come, by one conditional update on its version, which grows; False: too late.

        Shape: `run` bears the version that was read.
        """
        ...

    def page(self, *, tenant: TenantId | None, before: ReconciliationId | None, limit: int) -> Sequence[Reconciliation]:
        """Return runs newest first, of one tenant or all."""
        ...


class Staging(Protocol):
    """What runs pulled from the provider; it is taken away some days after."""

    def put(self, run: ReconciliationId, objects: Sequence[Staged]) -> None:
        """Keep objects; what was staged before under the same kind and id is replaced."""
        ...

    def of_customers(self, run: ReconciliationId, customers: Collection[str]) -> Sequence[Staged]:
        """Return everything of some customers, in order of kind and id."""
        ...

    def page(self, run: ReconciliationId, kind: ObjectKind, *, after: str, limit: int) -> Sequence[Staged]:
        """Return objects of a kind in order of id, those after one."""
        ...

    def children(
        self, run: ReconciliationId, kind: ObjectKind, parent: str, *, after: str, limit: int
    ) -> Sequence[Staged]:
        """Return objects of a kind that hang on another, in order of id, those after one."""
        ...

    def strays(self, run: ReconciliationId, *, limit: int) -> Sequence[Staged]:
        """Return objects of no customer that could not be read, in order of kind and id."""
        ...

    def digest(self, run: ReconciliationId) -> Digest:
        """Return a digest over everything staged, in constant memory."""
        ...

    def purge(self, *, before: datetime, limit: int) -> int:
        """Take away what ended runs of before a moment staged, up to so many objects, and return how many."""
        ...


class Sightings(Protocol):
    """What each run saw."""

    def add(self, run: ReconciliationId, seen: Sequence[Sighting]) -> None:
        """Keep what a run saw; a second sighting of the same finding by the same run changes nothing."""
        ...

    def of_tenant(self, run: ReconciliationId, tenant: TenantId | None) -> Sequence[Sighting]:
        """Return what a run saw of one tenant, or of the account as a whole, in order of id."""
        ...

    def digest(self, run: ReconciliationId) -> Digest:
        """Return a digest over everything that a run saw, in constant memory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFilter:
    """Which findings a list shows; None means all, and without a state everything that is not resolved.

    Units: `before` is when they were first seen, so that only older ones are shown.
    """

    state: FindingState | None = None
    kind: str | None = None
    owner: StaffId | None = None
    tenant: TenantId | None = None
    currency: str | None = None
    before: datetime | None = None


class FindingBook(Protocol):
    """Findings inside one unit."""

    def get(self, finding: FindingId) -> Finding | None:
        """Return one finding."""
        ...

    def many(self, findings: Collection[FindingId]) -> Mapping[FindingId, Finding]:
        """Return several findings in one statement."""
        ...

    def add(self, finding: Finding) -> None:
        """Store a finding that was never seen before. Raises: ConflictError."""
        ...

    def save(self, finding: Finding) -> bool:
        """Write a finding by one conditional update on its version, which grows; False: somebody was faster.

        Shape: `finding` bears the version that was read.
        """
        ...

    def page(self, wanted: FindingFilter, *, after: FindingId | None, limit: int) -> Sequence[Finding]:
        """Return findings, those that stand longest first."""
        ...

    def unseen(
        self, run: ReconciliationId, *, before: datetime, tenant: TenantId | None, after: FindingId | None, limit: int
    ) -> Sequence[Finding]:
        """Return unresolved findings that a run did not see and nobody saw since `before`, in order of id.

        Shape: those of one tenant, or all where `tenant` is None.
        """
        ...

    def lapsed(self, now: datetime, *, limit: int) -> Sequence[Finding]:
        """Return waived findings whose waiver has run out."""
        ...

    def healable(
        self, run: ReconciliationId, kinds: Collection[str], *, after: FindingId | None, limit: int
    ) -> Sequence[Finding]:
        """Return open findings of some kinds that a run saw and that nobody has taken, in order of id."""
        ...

    def count_healable(self, run: ReconciliationId, kinds: Collection[str]) -> tuple[int, int]:
        """Return how many findings those are, and of how many tenants."""
        ...

    def totals(self, kinds: Collection[str]) -> Mapping[str, KindTotal]:
        """Return what of some kinds is not resolved, waived or explained, by kind."""
        ...

    def count(self, *, owner: StaffId | None, states: Collection[FindingState], most: int) -> int:
        """Return how many findings somebody owns, or nobody looked after yet, counting no further than `most`."""
        ...

    def standing(self, kinds: Collection[str], *, most: int) -> int:
        """Return how many findings of some kinds are open or in progress, counting no further than `most`."""
        ...
