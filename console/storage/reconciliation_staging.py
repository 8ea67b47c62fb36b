"""What runs of reconciliation pulled from the provider, inside a unit of work."""

from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Select, bindparam, delete, select, tuple_
from sqlalchemy.orm import Session

from console.domain.billing.objects import ObjectKind
from console.domain.canonical import canonical_bytes
from console.domain.ids import Digest
from console.domain.reconciling.findings import ReconciliationId
from console.domain.reconciling.runs import OPEN_STATES, Staged
from console.storage.fleet.upserts import upsert
from console.storage.prepared import Prepared
from console.storage.reconciliation_rows import shown_staged, staged_values
from console.storage.reconciliation_tables import ReconciliationRow, StagedObjectRow
from console.storage.rows import changed, found, table_of

_DIGESTED_AT_ONCE = 1_000
_KEY = ("run", "kind", "id")
_Row = StagedObjectRow


class StoredStaging:
    """The Staging of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def put(self, run: ReconciliationId, objects: Sequence[Staged]) -> None:
        """Keep objects; what was staged before under the same kind and id is replaced."""
        rows = [staged_values(run, each) for each in objects]
        upsert(self._session.connection(), table_of(_Row), rows, key=_KEY)

    def of_customers(self, run: ReconciliationId, customers: Collection[str]) -> Sequence[Staged]:
        """Return everything of some customers, in order of kind and id."""
        if not customers:
            return ()
        rows = found(self._session, _OF_CUSTOMERS, run=run, customers=sorted(customers))
        return [shown_staged(row) for row in rows]

    def page(self, run: ReconciliationId, kind: ObjectKind, *, after: str, limit: int) -> Sequence[Staged]:
        """Return objects of a kind in order of id, those after one."""
        wanted = select(_Row).where(_Row.run == run, _Row.kind == kind.value, _Row.id > after)
        return self._found(wanted.order_by(_Row.id).limit(limit))

    def children(
        self, run: ReconciliationId, kind: ObjectKind, parent: str, *, after: str, limit: int
    ) -> Sequence[Staged]:
        """Return objects of a kind that hang on another, in order of id, those after one."""
        wanted = select(_Row).where(
            _Row.run == run, _Row.kind == kind.value, _Row.parent == parent, _Row.id > after
        )  # fmt: skip
        return self._found(wanted.order_by(_Row.id).limit(limit))

    def strays(self, run: ReconciliationId, *, limit: int) -> Sequence[Staged]:
        """Return objects of no customer that could not be read, in order of kind and id."""
        wanted = select(_Row).where(_Row.run == run, _Row.customer.is_(None), _Row.why.is_not(None))
        return self._found(wanted.order_by(_Row.kind, _Row.id).limit(limit))

    def digest(self, run: ReconciliationId) -> Digest:
        """Return a digest over everything staged, in constant memory."""
        digest = sha256()
        last = ("", "")
        while True:
            wanted = (
                select(_Row.kind, _Row.id, _Row.digest, _Row.is_deleted)
                .where(_Row.run == run, tuple_(_Row.kind, _Row.id) > last)
                .order_by(_Row.kind, _Row.id)
                .limit(_DIGESTED_AT_ONCE)
            )
            page = self._session.execute(wanted).all()
            for row in page:
                digest.update(canonical_bytes([row.kind, row.id, row.digest, row.is_deleted]))
            if len(page) < _DIGESTED_AT_ONCE:
                return Digest(digest.hexdigest())
            last = (page[-1].kind, page[-1].id)

    def purge(self, *, before: datetime, limit: int) -> int:
        """Take away what ended runs of before a moment staged, up to so many objects, and return how many."""
        open_states = [state.value for state in OPEN_STATES]
        old = (
            select(ReconciliationRow.id)
            .where(ReconciliationRow.queued_at < before, ReconciliationRow.state.not_in(open_states))
            .order_by(ReconciliationRow.queued_at)
        )
        gone = 0
        for run in self._session.scalars(old).all():
            some = select(_Row.kind, _Row.id).where(_Row.run == run).limit(limit - gone)
            keys = [(row.kind, row.id) for row in self._session.execute(some)]
            if keys:
                stale = delete(_Row).where(_Row.run == run, tuple_(_Row.kind, _Row.id).in_(keys))
                gone += changed(self._session, stale)
            if gone >= limit:
                break
        return gone

    def _found(self, wanted: Select[StagedObjectRow]) -> Sequence[Staged]:
        rows = self._session.scalars(wanted, execution_options={"populate_existing": True})
        return [shown_staged(row) for row in rows]


_OF_CUSTOMERS = Prepared(
    select(_Row)
    .where(_Row.run == bindparam("run"), _Row.customer.in_(bindparam("customers", expanding=True)))
    .order_by(_Row.kind, _Row.id)
)
