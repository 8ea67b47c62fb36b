"""Runs of reconciliation and what each saw, inside a unit of work."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from sqlalchemy import ColumnElement, bindparam, literal_column, select, tuple_, update
from sqlalchemy.orm import Session

from console.domain.canonical import canonical_bytes
from console.domain.ids import Digest, TenantId
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import FLEET, OPEN_STATES, Reconciliation, Sighting
from console.storage.prepared import Prepared
from console.storage.reconciliation_rows import (
    progress_of,
    run_values,
    shown_run,
    shown_sighting,
    sighting_values,
)
from console.storage.reconciliation_tables import ReconciliationRow, SightingRow
from console.storage.rows import add_unless_taken, changed, found

_DIGESTED_AT_ONCE = 1_000
# Word for word as the partial indexes say it, so that either database proves that they serve.
_IS_OPEN: ColumnElement[bool] = literal_column("reconciliation.state IN ('queued', 'pulling', 'comparing', 'settling')")
_IS_DONE: ColumnElement[bool] = literal_column("reconciliation.state = 'done'")


class StoredRuns:
    """The RunBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, run: Reconciliation) -> bool:
        """Store a new run; False when its id is known, or another run over the same scope is still open."""
        return add_unless_taken(self._session, ReconciliationRow, run_values(run))

    def get(self, run: ReconciliationId) -> Reconciliation | None:
        """Return one run."""
        return next((shown_run(row) for row in found(self._session, _ONE, run=run)), None)

    def open_of(self, scope: str) -> Reconciliation | None:
        """Return the run over a scope that is still open."""
        return next((shown_run(row) for row in found(self._session, _OPEN, scope=scope)), None)

    def last_done(self, tenant: TenantId | None) -> Reconciliation | None:
        """Return the newest run that ended well over the fleet, or over the fleet or this tenant."""
        scopes = [FLEET] if tenant is None else [FLEET, tenant]
        newest = [shown_run(row) for scope in scopes for row in found(self._session, _LAST_DONE, scope=scope)]
        return max(newest, key=lambda run: (run.queued_at, run.id), default=None)

    def save(self, run: Reconciliation) -> bool:
        """Write how far an open run has come, by one conditional update on its version; False: too late."""
        mine = update(ReconciliationRow).where(
            ReconciliationRow.id == run.id,
            ReconciliationRow.version == run.version,
            ReconciliationRow.state.in_([state.value for state in OPEN_STATES]),
        )
        return changed(self._session, mine.values({**progress_of(run), "version": run.version + 1})) == 1

    def page(self, *, tenant: TenantId | None, before: ReconciliationId | None, limit: int) -> Sequence[Reconciliation]:
        """Return runs newest first, of one tenant or all."""
        given: dict[str, object] = {"most": limit}
        if tenant is not None:
            given["tenant"] = tenant
        if before is not None:
            given["before"] = before
        wanted = _PAGES[tenant is not None, before is not None]
        return [shown_run(row) for row in found(self._session, wanted, **given)]


class StoredSightings:
    """The Sightings of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def add(self, run: ReconciliationId, seen: Sequence[Sighting]) -> None:
        """Keep what a run saw; a second sighting of the same finding by the same run changes nothing."""
        for each in seen:
            add_unless_taken(self._session, SightingRow, sighting_values(run, each))

    def of_tenant(self, run: ReconciliationId, tenant: TenantId | None) -> Sequence[Sighting]:
        """Return what a run saw of one tenant, or of the account as a whole, in order of id."""
        if tenant is not None:
            return [shown_sighting(row) for row in found(self._session, _OF_TENANT, run=run, tenant=tenant)]
        of_account = select(SightingRow).where(SightingRow.run == run, SightingRow.tenant.is_(None))
        return [shown_sighting(row) for row in self._session.scalars(of_account.order_by(SightingRow.finding))]

    def digest(self, run: ReconciliationId) -> Digest:
        """Return a digest over everything that a run saw, in constant memory."""
        digest = sha256()
        for finding, seen in self._all(run):
            digest.update(canonical_bytes([finding, seen]))
        return Digest(digest.hexdigest())

    def _all(self, run: ReconciliationId) -> Iterator[tuple[str, str]]:
        last = ""
        while True:
            wanted = (
                select(SightingRow.finding, SightingRow.digest)
                .where(SightingRow.run == run, SightingRow.finding > last)
                .order_by(SightingRow.finding)
                .limit(_DIGESTED_AT_ONCE)
            )
            page = [(row.finding, row.digest) for row in self._session.execute(wanted)]
            yield from page
            if len(page) < _DIGESTED_AT_ONCE:
                return
            last = page[-1][0]


_OF_TENANT = Prepared(
    select(SightingRow)
    .where(SightingRow.run == bindparam("run"), SightingRow.tenant == bindparam("tenant"))
    .order_by(SightingRow.finding)
)
_Run = ReconciliationRow
_ONE = Prepared(select(_Run).where(_Run.id == bindparam("run")))
_OPEN = Prepared(select(_Run).where(_Run.scope == bindparam("scope"), _IS_OPEN))
_LAST_DONE = Prepared(
    select(_Run)
    .where(_Run.scope == bindparam("scope"), _IS_DONE)
    .order_by(_Run.queued_at.desc(), _Run.id.desc())
    .limit(1)
)


def _page(*, of_tenant: bool, after_one: bool) -> Prepared:
    wanted = select(_Run)
    if of_tenant:
        wanted = wanted.where(_Run.scope == bindparam("tenant"))
    if after_one:
        edge = select(_Run.queued_at).where(_Run.id == bindparam("before")).scalar_subquery()
        wanted = wanted.where(tuple_(_Run.queued_at, _Run.id) < tuple_(edge, bindparam("before")))
    return Prepared(wanted.order_by(_Run.queued_at.desc(), _Run.id.desc()).limit(bindparam("most")))


_PAGES = {
    (of_tenant, after_one): _page(of_tenant=of_tenant, after_one=after_one)
    for of_tenant in (False, True)
    for after_one in (False, True)
}
