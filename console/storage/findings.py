"""Findings inside a unit of work."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.domain.errors import ConflictError
from console.domain.ids import StaffId, TenantId
from console.domain.reconciling.findings import Finding, FindingId, FindingState, ReconciliationId
from console.domain.reconciling.runs import KindTotal
from console.ports.reconciliation import FindingFilter
from console.storage.faults import is_taken
from console.storage.prepared import Prepared
from console.storage.reconciliation_rows import finding_values, shown_finding
from console.storage.reconciliation_tables import FindingRow
from console.storage.rows import add, changed, found

_Row = FindingRow
_KEPT = ("id", "kind", "tenant", "objects", "differs", "first_seen_at", "first_run")
# Word for word as the partial indexes say it, so that either database proves that they serve.
_IS_UNRESOLVED: ColumnElement[bool] = literal_column("finding.state <> 'resolved'")
_IS_WAIVED: ColumnElement[bool] = literal_column("finding.state = 'waived'")
_IS_STANDING: ColumnElement[bool] = literal_column("finding.state IN ('open', 'in_progress')")


class StoredFindings:
    """The FindingBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def get(self, finding: FindingId) -> Finding | None:
        """Return one finding."""
        return next((shown_finding(row) for row in found(self._session, _ONE, finding=finding)), None)

    def many(self, findings: Collection[FindingId]) -> Mapping[FindingId, Finding]:
        """Return several findings in one statement."""
        if not findings:
            return {}
        return {each.id: each for each in self._found(select(_Row).where(_Row.id.in_(sorted(findings))))}

    def add(self, finding: Finding) -> None:
        """Store a finding that was never seen before. Raises: ConflictError."""
        try:
            with self._session.begin_nested():
                add(self._session, _Row, finding_values(finding))
        except IntegrityError as broken:
            if not is_taken(broken):
                raise
            message = "This finding is known already."
            raise ConflictError(message) from broken

    def save(self, finding: Finding) -> bool:
        """Write a finding by one conditional update on its version, which grows; False: somebody was faster."""
        mine = update(_Row).where(_Row.id == finding.id, _Row.version == finding.version)
        values = {name: value for name, value in finding_values(finding).items() if name not in _KEPT}
        return changed(self._session, mine.values({**values, "version": finding.version + 1})) == 1

    def page(self, wanted: FindingFilter, *, after: FindingId | None, limit: int) -> Sequence[Finding]:
        """Return findings, those that stand longest first."""
        given = {name: value for name in _EXACT if (value := getattr(wanted, name)) is not None}
        if wanted.before is not None:
            given["older"] = wanted.before
        if after is not None:
            given["after"] = after
        names = frozenset(given)
        page = _pages.get(names)
        if page is None:
            page = _pages[names] = Prepared(_shaped(names))
        return [shown_finding(row) for row in found(self._session, page, **given, most=limit)]

    def unseen(
        self, run: ReconciliationId, *, before: datetime, tenant: TenantId | None, after: FindingId | None, limit: int
    ) -> Sequence[Finding]:
        """Return unresolved findings that a run did not see and nobody saw since `before`, in order of id."""
        wanted = select(_Row).where(_IS_UNRESOLVED, _Row.last_run != run, _Row.last_seen_at < before)
        if tenant is not None:
            wanted = wanted.where(_Row.tenant == tenant)
        return self._found(wanted.where(_Row.id > (after or "")).order_by(_Row.id).limit(limit))

    def lapsed(self, now: datetime, *, limit: int) -> Sequence[Finding]:
        """Return waived findings whose waiver has run out."""
        wanted = select(_Row).where(_IS_WAIVED, _Row.waived_until <= now)
        return self._found(wanted.order_by(_Row.waived_until, _Row.id).limit(limit))

    def healable(
        self, run: ReconciliationId, kinds: Collection[str], *, after: FindingId | None, limit: int
    ) -> Sequence[Finding]:
        """Return open findings of some kinds that a run saw and that nobody has taken, in order of id."""
        wanted = select(_Row).where(*_heals(run, kinds), _Row.id > (after or ""))
        return self._found(wanted.order_by(_Row.id).limit(limit))

    def count_healable(self, run: ReconciliationId, kinds: Collection[str]) -> tuple[int, int]:
        """Return how many findings those are, and of how many tenants."""
        wanted = select(func.count(), func.count(_Row.tenant.distinct())).where(*_heals(run, kinds))
        findings, tenants = self._session.execute(wanted).one()
        return int(findings), int(tenants)

    def totals(self, kinds: Collection[str]) -> Mapping[str, KindTotal]:
        """Return what of some kinds is not resolved, waived or explained, by kind."""
        sums: dict[str, KindTotal] = {}
        for row in found(self._session, _TOTALS, kinds=sorted(kinds)):
            before = sums.get(row.kind, KindTotal(count=0, at_risk={}))
            minor = int(row.minor or 0)
            at_risk = {**before.at_risk, row.currency: minor} if row.currency and minor else before.at_risk
            sums[row.kind] = KindTotal(count=before.count + int(row.many), at_risk=at_risk)
        return sums

    def count(self, *, owner: StaffId | None, states: Collection[FindingState], most: int) -> int:
        """Return how many findings somebody owns, or nobody looked after yet, counting no further than `most`."""
        given: dict[str, object] = {"states": sorted(state.value for state in states), "most": most}
        if owner is None:
            return int(found(self._session, _COUNT_NOBODYS, **given)[0][0])
        return int(found(self._session, _COUNT_OWNED, **given, owner=owner)[0][0])

    def standing(self, kinds: Collection[str], *, most: int) -> int:
        """Return how many findings of some kinds are open or in progress, counting no further than `most`."""
        return int(found(self._session, _COUNT_STANDING, kinds=sorted(kinds), most=most)[0][0])

    def _found(self, wanted: Select[Any]) -> Sequence[Finding]:
        rows = self._session.scalars(wanted, execution_options={"populate_existing": True})
        return [shown_finding(row) for row in rows]


def _heals(run: ReconciliationId, kinds: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        _Row.last_run == run,
        _Row.state == FindingState.OPEN.value,
        _Row.kind.in_(sorted(kinds)),
        _Row.owner.is_(None),
        _Row.repair.is_(None),
    )


def _shaped(names: frozenset[str]) -> Select[Any]:
    """Return the statement of a page that is asked by these names; each filter has an index of its own."""
    wanted = select(_Row)
    if "state" not in names:
        wanted = wanted.where(_IS_UNRESOLVED)
    for name, column in _EXACT.items():
        if name in names:
            wanted = wanted.where(column == bindparam(name))
    if "older" in names:
        wanted = wanted.where(_Row.first_seen_at < bindparam("older", type_=_Row.first_seen_at.type))
    if "after" in names:
        edge = select(_Row.first_seen_at).where(_Row.id == bindparam("after")).scalar_subquery()
        wanted = wanted.where(tuple_(_Row.first_seen_at, _Row.id) > tuple_(edge, bindparam("after")))
    return wanted.order_by(_Row.first_seen_at, _Row.id).limit(bindparam("most"))


def _counted(*kept: ColumnElement[bool]) -> Prepared:
    return Prepared(select(func.count()).select_from(select(_Row.id).where(*kept).limit(bindparam("most")).subquery()))


_EXACT = {
    "state": _Row.state, "kind": _Row.kind, "owner": _Row.owner, "tenant": _Row.tenant, "currency": _Row.currency,
}  # fmt: skip
_pages: dict[frozenset[str], Prepared] = {}
_OF_KINDS = _Row.kind.in_(bindparam("kinds", expanding=True))
_IN_STATES = _Row.state.in_(bindparam("states", expanding=True))
_ONE = Prepared(select(_Row).where(_Row.id == bindparam("finding")))
_TOTALS = Prepared(
    select(_Row.kind, _Row.currency, func.count().label("many"), func.sum(_Row.at_risk_minor).label("minor"))
    .where(_IS_STANDING, _OF_KINDS)
    .group_by(_Row.kind, _Row.currency)
    .order_by(_Row.kind, _Row.currency)
)
_COUNT_NOBODYS = _counted(_IN_STATES, _Row.owner.is_(None), _IS_UNRESOLVED)
_COUNT_OWNED = _counted(_IN_STATES, _Row.owner == bindparam("owner"))
_COUNT_STANDING = _counted(_IS_STANDING, _OF_KINDS)
