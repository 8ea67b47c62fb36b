"""Signals inside a unit of work."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, cast, func, literal_column, select, update
from sqlalchemy.orm import Session

from console.domain.ids import EntryUid, StaffId, TenantId
from console.domain.signals import MOST_EVIDENCE, Response, Signal, SignalId, SignalKey, State
from console.storage.prepared import Prepared
from console.storage.rows import add, changed, found
from console.storage.signal_tables import SignalRow, SignalWatchRow

# Word for word as the partial indexes say it, so that either database proves that they serve.
_IS_OPEN: ColumnElement[bool] = literal_column("signal.state = 'open'")
_IS_SETTLED: ColumnElement[bool] = literal_column("signal.state <> 'open'")


class StoredSignals:
    """The SignalBook of one unit."""

    def __init__(self, session: Session) -> None:
        """Work inside the unit's transaction."""
        self._session = session

    def watched(self) -> int:
        """Return the position of the last entry that was looked at, -1 before the first."""
        return int(found(self._session, _WATCHED)[0].position)

    def advance(self, before: int, after: int) -> bool:
        """Move on by one conditional update; False when somebody else has looked at these entries."""
        mine = update(SignalWatchRow).where(SignalWatchRow.position == before)
        return changed(self._session, mine.values(position=after)) == 1

    def raise_(self, signal: Signal) -> bool:
        """Store a signal; where one of its rule and subject is open, add to that one and return False."""
        row = self._session.scalar(_open_of(signal.rule, signal.subject))
        if row is None:
            add(self._session, SignalRow, _values(signal))
            return True
        known = dict.fromkeys([*row.evidence, *signal.evidence])
        more = {
            "summary": signal.summary,
            "last_at": signal.last_at,
            "hits": row.hits + 1,
            "evidence": list(known)[-MOST_EVIDENCE:],
            "people": sorted({*row.people, *signal.people}),
        }
        changed(self._session, update(SignalRow).where(SignalRow.id == row.id).values(**more))
        return False

    def open_of(self, rule: SignalKey, subject: str) -> Signal | None:
        """Return the open signal of a rule about somebody or something."""
        row = self._session.scalar(_open_of(rule, subject))
        return None if row is None else _shown(row)

    def get(self, signal: SignalId) -> Signal | None:
        """Return one signal."""
        return next((_shown(row) for row in found(self._session, _ONE, id=signal)), None)

    def page(self, *, is_open: bool, before: SignalId | None, limit: int, beside: StaffId | None) -> Sequence[Signal]:
        """Return signals that are open, or settled, newest first and none about `beside`; `before` is exclusive."""
        wanted = page_statement(is_open=is_open, before=before, limit=limit, beside=beside)
        return [_shown(row) for row in self._session.scalars(wanted)]

    def open_count(self, *, most: int, beside: StaffId | None) -> int:
        """Return how many are open and not about `beside`, counted no further than `most`."""
        few = select(SignalRow.id).where(_IS_OPEN, *_not_about(beside)).limit(most).subquery()
        return int(self._session.scalar(select(func.count()).select_from(few)) or 0)

    def settle(self, signal: SignalId, state: State, *, by: StaffId, at: datetime, note: str) -> bool:
        """Say what an open signal was, by one conditional update; False when somebody was faster."""
        mine = update(SignalRow).where(SignalRow.id == signal, _IS_OPEN)
        said = mine.values(state=state.value, settled_by=by, settled_at=at, note=note)
        return changed(self._session, said) == 1


def _open_of(rule: SignalKey, subject: str) -> Select[SignalRow]:
    return select(SignalRow).where(_IS_OPEN, SignalRow.rule == rule, SignalRow.subject == subject)


def page_statement(*, is_open: bool, before: SignalId | None, limit: int, beside: StaffId | None) -> Any:  # noqa: ANN401  a Select
    """Return the statement of one page."""
    wanted = select(SignalRow).where(_IS_OPEN if is_open else _IS_SETTLED, *_not_about(beside))
    if before is not None:
        wanted = wanted.where(SignalRow.id < before)
    return wanted.order_by(SignalRow.id.desc()).limit(limit)


def _not_about(staff: StaffId | None) -> tuple[ColumnElement[bool], ...]:
    """Return what keeps signals about somebody out: their names stand in quotes in the list of people."""
    if staff is None:
        return ()
    return SignalRow.staff != staff, ~cast(SignalRow.people, Text).contains(f'"{staff}"', autoescape=True)


def _values(signal: Signal) -> dict[str, Any]:
    return {
        "id": signal.id,
        "rule": signal.rule,
        "subject": signal.subject,
        "staff": signal.staff,
        "tenant": signal.tenant,
        "summary": signal.summary,
        "response": signal.response.value,
        "raised_at": signal.raised_at,
        "last_at": signal.last_at,
        "hits": signal.hits,
        "evidence": list(signal.evidence),
        "people": list(signal.people),
        "state": signal.state.value,
    }


def _shown(row: Any) -> Signal:  # noqa: ANN401  a row, mapped or not
    return Signal(
        id=SignalId(row.id),
        rule=SignalKey(row.rule),
        subject=row.subject,
        staff=StaffId(row.staff),
        tenant=None if row.tenant is None else TenantId(row.tenant),
        summary=row.summary,
        response=Response(row.response),
        raised_at=row.raised_at,
        last_at=row.last_at,
        hits=row.hits,
        evidence=tuple(map(EntryUid, row.evidence)),
        people=tuple(map(StaffId, row.people)),
        state=State(row.state),
        settled_by=None if row.settled_by is None else StaffId(row.settled_by),
        settled_at=row.settled_at,
        note=row.note or "",
    )


_ONE = Prepared(select(SignalRow).where(SignalRow.id == bindparam("id")))
_WATCHED = Prepared(select(SignalWatchRow.position))
