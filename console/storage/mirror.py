"""The mirror of one tenant: every read by an index, every write guarded by when the provider said it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, update

from console.domain.billing.canonical_form import MalformedObjectError, Snapshot, restored
from console.domain.billing.objects import BillingObject, ObjectKind
from console.domain.reconciling.books import ObjectRef, Side
from console.ports.mirror import Ref, Unheard
from console.storage.account_state import move_entitlements, take_turn
from console.storage.billing_tables import BillingObjectRow
from console.storage.bought import stored_customers
from console.storage.guards import GuardedSession, Scoped
from console.storage.mirror_rows import mirror_values, shown_snapshot
from console.storage.rows import changed


class StoredMirror:
    """The MirrorBook of one unit; the session adds the tenant to every statement."""

    def __init__(self, session: GuardedSession) -> None:
        """Work inside the unit's transaction and scope."""
        self._session = session

    def page(self, kind: ObjectKind, *, before: str | None, limit: int) -> Sequence[Snapshot]:
        """Return objects newest first by when they were made, those after `before`; deleted ones too.

        Shape: a page is short only at the end, or where more than a few pages in a row no longer fit their kind.
        """
        asked = {"kind": kind.value, "most": limit}
        if before is None:
            rows = list(self._session.scoped(_NEWEST, **asked))
        else:
            edge = next((row.at for row in self._session.scoped(_MADE_AT, kind=kind.value, id=before)), None)
            if edge is None:
                return ()
            rows = list(self._session.scoped(_FURTHER, edge=edge, before=before, **asked))
        shown = _shown(rows)
        for _ in range(_MOST_PASSED):
            if len(shown) >= limit or len(rows) < limit:
                break
            rows = list(self._session.scoped(_FURTHER, edge=rows[-1].at, before=rows[-1].id, **asked))
            shown += _shown(rows)
        return shown[:limit]

    def get(self, kind: ObjectKind, thing: str) -> Snapshot | None:
        """Return one object, a deleted one marked as such."""
        return next(iter(_shown(self._session.scoped(_ONE, kind=kind.value, id=thing))), None)

    def children(self, kind: ObjectKind, parent: str, *, limit: int) -> Sequence[Snapshot]:
        """Return what hangs on an object, in order of id."""
        return _shown(self._session.scoped(_CHILDREN, kind=kind.value, parent=parent, most=limit))

    def invoice_of_number(self, number: str) -> Snapshot | None:
        """Return the invoice that people know by a number, the one heard of last where two bear it."""
        bearing = _shown(self._session.scoped(_OF_NUMBER, number=number))
        return max(bearing, key=lambda each: (not each.is_deleted, each.fetched_at, each.thing.id), default=None)

    def numbers(self, invoices: Collection[str]) -> Mapping[str, str]:
        """Return under which number people know each of some invoices, as far as it has one; one statement."""
        rows = self._session.scoped(_NUMBERS, invoices=sorted(invoices)) if invoices else ()
        return {row.id: row.number for row in rows if row.number}

    def side(self) -> Side:
        """Return every object that is not deleted, for reconciliation; one statement."""
        known = ((_ref(row), _thing(row)) for row in self._session.scoped(_SIDE))
        return Side({ref: thing for ref, thing in known if thing is not None})

    def mirrored_at(self) -> Mapping[ObjectRef, datetime]:
        """Return when the mirror last heard of each object, deleted ones too; one statement."""
        return {_ref(row): row.fetched_at for row in self._session.scoped(_HEARD_AT)}

    def unheard(self, *, before: datetime, since: datetime | None, after: Ref | None, limit: int) -> Sequence[Unheard]:
        """Return what is not deleted and was heard of last before a moment, made since another, in order after one."""
        kind, thing = after or ("", "")
        asked = {"before": before, "since": since or _EVER, "kind": kind, "id": thing, "most": limit}
        rows = self._session.scoped(_UNHEARD, **asked)
        return [Unheard(kind=ObjectKind(row.kind), id=row.id, customer=row.customer) for row in rows]

    def customers(self) -> frozenset[str]:
        """Return the provider's customers that are this tenant: those linked, and the product's own unless unlinked."""
        return stored_customers(self._session)

    def put(self, snapshot: Snapshot) -> bool:
        """Write what the provider said; False where a fresher answer stands, which stays."""
        values = mirror_values(snapshot)
        decides_access = snapshot.kind is ObjectKind.SUBSCRIPTION
        if decides_access:
            take_turn(self._session)
        before = self._digest(snapshot.kind, snapshot.thing.id) if decides_access else None
        if not self._session.put_fresher(BillingObjectRow, by="fetched_at", **values):
            return False
        if decides_access and before != (values["digest"], snapshot.is_deleted):
            move_entitlements(self._session)
        return True

    def mark_deleted(self, kind: ObjectKind, thing: str, *, at: datetime) -> bool:
        """Write that the provider had no such object at `at`; False where a fresher answer stands, or nothing does."""
        if kind is ObjectKind.SUBSCRIPTION:
            take_turn(self._session)
        older = update(BillingObjectRow).where(
            BillingObjectRow.kind == kind.value, BillingObjectRow.id == thing, BillingObjectRow.fetched_at <= at
        )
        if changed(self._session, older.values(is_deleted=True, fetched_at=at)) != 1:
            return False
        if kind is ObjectKind.SUBSCRIPTION:
            move_entitlements(self._session)
        return True

    def _digest(self, kind: ObjectKind, thing: str) -> tuple[str, bool] | None:
        rows = self._session.scoped(_DIGEST, kind=kind.value, id=thing)
        return next(((row.digest, row.is_deleted) for row in rows), None)


def _shown(rows: Iterable[Any]) -> list[Snapshot]:
    return [shown for row in rows if (shown := shown_snapshot(row)) is not None]


def _ref(row: Any) -> ObjectRef:  # noqa: ANN401  a row of any making
    return ObjectKind(row.kind), row.id


def _thing(row: Any) -> BillingObject | None:  # noqa: ANN401  a row of any making
    try:
        return restored(ObjectKind(row.kind), row.canonical)
    except MalformedObjectError:
        return None


_MOST_PASSED = 5  # pages
_ROW = BillingObjectRow
_OF_KIND = _ROW.kind == bindparam("kind")
_IN_ORDER = (_ROW.at.desc(), _ROW.id.desc())
_ONE = Scoped(select(_ROW).where(_OF_KIND, _ROW.id == bindparam("id")))
_MADE_AT = Scoped(select(_ROW.at).where(_OF_KIND, _ROW.id == bindparam("id")))
_DIGEST = Scoped(select(_ROW.digest, _ROW.is_deleted).where(_OF_KIND, _ROW.id == bindparam("id")))
_NEWEST = Scoped(select(_ROW).where(_OF_KIND).order_by(*_IN_ORDER).limit(bindparam("most")))
_EDGE = bindparam("edge", type_=_ROW.at.type)
_FURTHER = Scoped(  # not as a pair with the id: SQLite would walk from the newest down to it
    select(_ROW)
    .where(_OF_KIND, _ROW.at <= _EDGE, or_(_ROW.at < _EDGE, _ROW.id < bindparam("before")))
    .order_by(*_IN_ORDER)
    .limit(bindparam("most"))
)
_CHILDREN = Scoped(
    select(_ROW).where(_OF_KIND, _ROW.parent == bindparam("parent")).order_by(_ROW.id).limit(bindparam("most"))
)
_OF_NUMBER = Scoped(select(_ROW).where(_ROW.kind == ObjectKind.INVOICE.value, _ROW.number == bindparam("number")))
_NUMBERS = Scoped(
    select(_ROW.id, _ROW.number).where(
        _ROW.kind == ObjectKind.INVOICE.value, _ROW.id.in_(bindparam("invoices", expanding=True))
    )
)
_SIDE = Scoped(select(_ROW.kind, _ROW.id, _ROW.canonical).where(_ROW.is_deleted.is_(False)))
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER = or_(_ROW.kind > bindparam("kind"), and_(_OF_KIND, _ROW.id > bindparam("id")))
_UNHEARD = Scoped(
    select(_ROW.kind, _ROW.id, _ROW.customer)
    .where(
        _ROW.is_deleted.is_(False),
        _ROW.fetched_at < bindparam("before", type_=_ROW.fetched_at.type),
        _ROW.at >= bindparam("since", type_=_ROW.at.type),
        _AFTER,
    )
    .order_by(_ROW.kind, _ROW.id)
    .limit(bindparam("most"))
)
_HEARD_AT = Scoped(select(_ROW.kind, _ROW.id, _ROW.fetched_at))
