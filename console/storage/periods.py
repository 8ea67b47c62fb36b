"""Accounting periods inside a unit of work, and what they hold of one tenant."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from console.domain.accounting.journal import Account, Cause, Event, Posting
from console.domain.accounting.period_books import PeriodBooks
from console.domain.accounting.receivables import RollForward
from console.domain.billing.canonical_form import document, kind_of, restored
from console.domain.billing.objects import ObjectKind
from console.domain.ids import Digest, RequestId, StaffId, TenantId
from console.domain.periods import (
    FrozenObject,
    FrozenSet,
    Period,
    PeriodId,
    PeriodState,
    SealedFile,
    agreement_of,
    open_period,
)
from console.storage.guards import GuardedSession, Scoped
from console.storage.period_tables import PeriodRow, PeriodSetRow
from console.storage.prepared import Prepared
from console.storage.rows import add_unless_taken, changed, found
from console.storage.types import moment_of, stored_micros


class StoredPeriods:
    """The PeriodBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def get(self, period: PeriodId) -> Period:
        """Return a period; one that nobody touched is open."""
        rows = found(self._session, _ONE, period=period)
        return _shown(rows[0]) if rows else open_period(period)

    def known(self, *, before: PeriodId | None, limit: int) -> Sequence[Period]:
        """Return periods that somebody touched, newest first."""
        if before is None:
            return [_shown(row) for row in found(self._session, _NEWEST, most=limit)]
        return [_shown(row) for row in found(self._session, _NEWEST_BEFORE, most=limit, before=before)]

    def save(self, period: Period) -> bool:
        """Store a period one version further, by one conditional write; False: somebody was faster."""
        values = _values(period) | {"version": period.version + 1}
        if period.version == 0:
            return add_unless_taken(self._session, PeriodRow, values)
        same = update(PeriodRow).where(PeriodRow.id == period.id, PeriodRow.version == period.version)
        return changed(self._session, same.values(values)) == 1


class StoredPeriodSets:
    """The PeriodSets of one tenant."""

    def __init__(self, session: GuardedSession) -> None:
        """Work inside the plane's transaction; its scope says whose."""
        self._session = session

    def earlier(self, period: PeriodId) -> Sequence[FrozenSet]:
        """Return the sets of all periods before one, from old to new."""
        return [_frozen(row) for row in self._session.scoped(_EARLIER, period=period)]

    def held(self, period: PeriodId) -> FrozenSet | None:
        """Return what one period holds."""
        return next((_frozen(row) for row in self._session.scoped(_HELD, period=period)), None)

    def books(self, period: PeriodId) -> PeriodBooks | None:
        """Return everything that one period holds, with its objects and events."""
        row = self._session.scalar(select(PeriodSetRow).where(PeriodSetRow.period == period))
        return None if row is None else _books(row)

    def put(self, books: PeriodBooks) -> None:
        """Store what a period holds, in the place of an earlier preparation of it."""
        values = _stored(books)
        same = update(PeriodSetRow).where(PeriodSetRow.period == books.held.period)
        if changed(self._session, same.values(values)) == 0:
            self._session.put(PeriodSetRow, period=books.held.period, **values)


_ONE = Prepared(select(PeriodRow).where(PeriodRow.id == bindparam("period")))
_NEWEST = Prepared(select(PeriodRow).order_by(PeriodRow.id.desc()).limit(bindparam("most")))
_NEWEST_BEFORE = Prepared(
    select(PeriodRow).where(PeriodRow.id < bindparam("before")).order_by(PeriodRow.id.desc()).limit(bindparam("most"))
)
_HEAD = select(PeriodSetRow.period, PeriodSetRow.held, PeriodSetRow.closing, PeriodSetRow.frozen_at)
_EARLIER = Scoped(_HEAD.where(PeriodSetRow.period < bindparam("period")).order_by(PeriodSetRow.period))
_HELD = Scoped(_HEAD.where(PeriodSetRow.period == bindparam("period")))


def _frozen(row: Any) -> FrozenSet:  # noqa: ANN401  a row, mapped or not
    return FrozenSet(
        period=PeriodId(row.period),
        objects={name: FrozenObject(digest=Digest(one[0]), status=one[1]) for name, one in row.held.items()},
        closing=row.closing,
        frozen_at=row.frozen_at,
    )


def _stored(books: PeriodBooks) -> dict[str, Any]:
    return {
        "digest": books.held.digest,
        "frozen_at": books.held.frozen_at,
        "held": {name: [each.digest, each.status] for name, each in books.held.objects.items()},
        "closing": dict(books.held.closing),
        "documents": [[kind_of(thing).value, document(thing)] for thing in books.objects],
        "events": [
            [
                stored_micros(event.at),
                event.text,
                event.thing,
                event.currency,
                event.cause.value,
                [[posting.account.value, posting.minor] for posting in event.postings],
            ]
            for event in books.events
        ],
        "rolled": [
            [each.currency, each.opening, {cause.value: minor for cause, minor in each.moved.items()}]
            for each in books.rolled
        ],
        "ageing": {currency: dict(owed) for currency, owed in books.ageing.items()},
    }


def _books(row: PeriodSetRow) -> PeriodBooks:
    return PeriodBooks(
        held=_frozen(row),
        objects=tuple(restored(ObjectKind(kind), plain) for kind, plain in row.documents),
        events=tuple(
            Event(
                at=moment_of(at),
                text=text,
                thing=thing,
                currency=currency,
                cause=Cause(cause),
                postings=tuple(Posting(account=Account(account), minor=minor) for account, minor in postings),
            )
            for at, text, thing, currency, cause, postings in row.events
        ),
        rolled=tuple(
            RollForward(
                currency=currency, opening=opening, moved={Cause(cause): minor for cause, minor in moved.items()}
            )
            for currency, opening, moved in row.rolled
        ),
        ageing=row.ageing,
    )


def _shown(row: Any) -> Period:  # noqa: ANN401  a row of any making
    return Period(
        id=PeriodId(row.id),
        state=PeriodState(row.state),
        version=row.version,
        rules=row.rules,
        prepared_by=None if row.prepared_by is None else StaffId(row.prepared_by),
        prepared_at=row.prepared_at,
        tenants=row.tenants,
        digest=None if row.digest is None else Digest(row.digest),
        files=tuple(SealedFile(**each) for each in row.files),
        previous=tuple(SealedFile(**each) for each in row.previous),
        closed_by=None if row.closed_by is None else StaffId(row.closed_by),
        closed_at=row.closed_at,
        request=None if row.request is None else RequestId(row.request),
        times_reopened=row.times_reopened,
        cursor=None if row.cursor is None else TenantId(row.cursor),
        agreements=tuple(agreement_of(each) for each in row.agreements),
    )


def _values(period: Period) -> dict[str, Any]:
    plain = asdict(period)
    return plain | {
        "state": period.state.value,
        "files": [asdict(each) for each in period.files],
        "previous": [asdict(each) for each in period.previous],
        "agreements": [each.plain() for each in period.agreements],
    }
